#include "probes/storage/load/evidence.h"

#include <algorithm>
#include <cmath>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>

#include "probes/core/os/counters.h"
#include "probes/core/os/mapping.h"
#include "probes/core/os/sysfs.h"
#include "probes/core/os/text.h"
#include "probes/storage/target/block_pattern.h"

namespace assay::storage {
namespace {

/// The device must have read this share of what we did.
constexpr double least_share = 0.95;
constexpr double little_tolerance = 0.05;
constexpr double most_zeros = 0.1;

Check share_check(std::string name, std::string_view who, std::string_view did, std::uint64_t counted,
                  std::uint64_t claimed) {
    Check check;
    check.name = std::move(name);
    const double share = claimed == 0 ? 0 : static_cast<double>(counted) / static_cast<double>(claimed);
    check.error = std::max(0.0, 1 - share);
    check.passed = share >= least_share;
    check.detail = fmt::format("{} {} {} bytes for our {}{}", who, did, counted, claimed,
                               check.passed ? "" : ": the rest came from, or stayed in, a cache");
    return check;
}

bool in_virtual_machine() {
    const std::string cpuinfo = os::read_text("/proc/cpuinfo").value_or("");
    for (const std::string_view line : os::split(cpuinfo, '\n')) {
        if (!line.starts_with("flags")) continue;
        const std::vector<std::string_view> flags = os::split(line, ' ');
        return std::find(flags.begin(), flags.end(), "hypervisor") != flags.end();
    }
    return os::read_text("/sys/hypervisor/type").has_value();
}

bool is_ram_disk(const std::string& name) {
    return name.starts_with("zram") || name.starts_with("ram") || name.starts_with("pmem");
}

}  // namespace

std::vector<Check> transfer_checks(const CountedTransfers& counted, std::uint64_t read_bytes,
                                   std::uint64_t written_bytes, std::vector<std::string>& notes) {
    std::vector<Check> checks;
    if (counted.by_devices) {
        if (read_bytes > 0) {
            checks.push_back(share_check("reads reached the device", counted.devices, "read",
                                         counted.by_devices->read_bytes, read_bytes));
        }
        if (written_bytes > 0) {
            checks.push_back(share_check("writes reached the device", counted.devices, "wrote",
                                         counted.by_devices->written_bytes, written_bytes));
        }
    } else {
        notes.push_back(
            "no device counter is readable for this target (overlay or network file system, or accounting "
            "switched off), so that direct I/O is not proved by the device");
    }
    if (!counted.by_process) return checks;
    const Check own =
        share_check("requests reached the block layer", "the kernel counted for this process and", "moved",
                    *counted.by_process, read_bytes + written_bytes);
    if (own.passed || !counted.may_be_uncounted) {
        checks.push_back(own);
    } else {
        notes.push_back(fmt::format(
            "the kernel counted {} bytes for this process of our {}: this network file system does not count "
            "direct I/O, or some of it came from a cache; which of these cannot be told from here",
            *counted.by_process, read_bytes + written_bytes));
    }
    return checks;
}

TransferCounters::TransferCounters(const std::vector<Target>& targets) {
    bool all_known = true;
    for (const Target& target : targets) {
        all_known = all_known && !target.leaves.empty();
        may_be_uncounted_ = may_be_uncounted_ || (target.leaves.empty() && target.file_system.over_network);
        for (const os::BlockDevice& leaf : target.leaves) {
            const bool present =
                std::any_of(leaves_.begin(), leaves_.end(),
                            [&](const os::BlockDevice& other) { return other.name == leaf.name; });
            if (!present) leaves_.push_back(leaf);
        }
    }
    if (all_known) device_ = os::read_counters(leaves_);
    own_bytes_ = os::own_device_bytes();
}

std::vector<Check> TransferCounters::checks(std::uint64_t read_bytes, std::uint64_t written_bytes,
                                            std::vector<std::string>& notes) const {
    CountedTransfers counted;
    for (const os::BlockDevice& leaf : leaves_) {
        counted.devices += (counted.devices.empty() ? "" : ", ") + leaf.name;
    }
    const std::optional<os::DeviceCounters> device = os::read_counters(leaves_);
    if (device && device_) {
        counted.by_devices.emplace();
        counted.by_devices->read_bytes = device->read_bytes - device_->read_bytes;
        counted.by_devices->written_bytes = device->written_bytes - device_->written_bytes;
    }
    const std::optional<std::uint64_t> own = os::own_device_bytes();
    if (own && own_bytes_) counted.by_process = *own - *own_bytes_;
    counted.may_be_uncounted = may_be_uncounted_;
    return transfer_checks(counted, read_bytes, written_bytes, notes);
}

std::optional<double> TransferCounters::busy_seconds() const {
    const std::optional<os::DeviceCounters> device = os::read_counters(leaves_);
    if (!device || !device_) return std::nullopt;
    return (device->busy_seconds - device_->busy_seconds) / static_cast<double>(leaves_.size());
}

Check little_check(const std::vector<LoadSlice>& slices, std::string name) {
    double seconds = 0;
    double in_flight_seconds = 0;
    double carried_seconds = 0;
    Histogram latency;
    for (const LoadSlice& slice : slices) {
        seconds += slice.seconds;
        in_flight_seconds += slice.in_flight_seconds;
        carried_seconds += slice.carried_seconds;
        latency.merge(slice.read_latency);
        latency.merge(slice.write_latency);
    }
    seconds = std::max(seconds, 1e-9);
    const double rate = static_cast<double>(latency.count()) / seconds;
    const double in_flight = in_flight_seconds / seconds;
    const double carried = carried_seconds / seconds;
    const double product = rate * latency.mean() * 1e-9;
    Check check;
    check.name = std::move(name);
    check.error = in_flight > 0 ? std::abs((product + carried) / in_flight - 1) : 1.0;
    check.passed = *check.error <= little_tolerance;
    check.detail = fmt::format(
        "{:.0f} operations/s times {:.2f} µs mean latency make {:.3f} in flight, with what was begun before "
        "or "
        "ended after {:.3f}; counted apart {:.3f}; allowed {:.0f} %",
        rate, latency.mean() * 1e-3, product, product + carried, in_flight, little_tolerance * 100);
    return check;
}

Check content_check(const Verification& verification) {
    Check check;
    check.name = "content of a sample of the blocks";
    check.passed = verification.wrong == 0 && verification.verified > 0;
    check.error = static_cast<double>(verification.wrong);
    check.detail = fmt::format("{} blocks of {} operations compared with what was written, {} wrong",
                               verification.verified, verification.operations, verification.wrong);
    if (verification.first_wrong_offset) {
        check.detail += fmt::format(", the first at byte {} of {}", *verification.first_wrong_offset,
                                    verification.first_wrong_target);
    }
    return check;
}

Check data_check(const std::filesystem::path& path, std::uint64_t bytes, std::uint64_t seed) {
    constexpr int samples = 256;
    const os::FileDescriptor file = os::open_file(path, O_RDONLY | O_DIRECT);
    const os::Mapping memory = os::Mapping::anonymous(pattern_bytes);
    const std::uint64_t blocks = std::max<std::uint64_t>(1, bytes / pattern_bytes);
    std::uint64_t random = seed;
    int taken = 0;
    int zeros = 0;
    for (int i = 0; i < samples; ++i) {
        random = random * 6364136223846793005U + 1442695040888963407U;  // Knuth's MMIX generator
        const off_t offset = static_cast<off_t>((random >> 20) % blocks * pattern_bytes);
        const ssize_t got = ::pread(file.get(), memory.data(), pattern_bytes, offset);
        if (got < 0) {
            throw std::system_error(errno, std::generic_category(), fmt::format("pread {}", path.string()));
        }
        const std::span<const std::byte> block = memory.span().first(static_cast<std::size_t>(got));
        if (block.empty()) continue;  // behind the end
        ++taken;
        const bool zero =
            std::all_of(block.begin(), block.end(), [](std::byte byte) { return byte == std::byte{}; });
        zeros += zero ? 1 : 0;
    }
    Check check;
    check.name = "the target holds data";
    if (taken < samples) {
        check.detail = fmt::format(
            "{} of {} sampled blocks could not be read: the target became shorter or vanished while it was "
            "measured",
            samples - taken, samples);
        return check;
    }
    check.error = static_cast<double>(zeros) / taken;
    check.passed = *check.error <= most_zeros;
    check.detail = fmt::format(
        "{} of {} sampled blocks are zeros{}", zeros, taken,
        check.passed ? "" : ", which a device may answer without reading; write it in full first");
    return check;
}

std::vector<std::string> machine_notes(const Target& target, std::uint64_t bytes) {
    std::vector<std::string> notes;
    if (in_virtual_machine()) {
        notes.push_back(
            "this is a virtual machine: whether the host answered from a cache of its own cannot be seen "
            "from "
            "here");
    }
    const std::uint64_t memory_kib =
        os::value_of(os::read_text("/proc/meminfo").value_or(""), "MemTotal:").value_or(0);
    notes.push_back(fmt::format("{:.2f} GiB were used, on a machine with {:.2f} GiB of memory",
                                static_cast<double>(bytes) / (1 << 30),
                                static_cast<double>(memory_kib) / (1 << 20)));
    for (const os::BlockDevice& leaf : target.leaves) {
        if (is_ram_disk(leaf.disk)) {
            notes.push_back(
                fmt::format("{} is a RAM disk: its figures are those of memory and kernel", leaf.disk));
        }
    }
    if (target.file_system.over_network) {
        notes.push_back(fmt::format("{} is a network file system: the disk is another machine's",
                                    target.file_system.type));
    }
    return notes;
}

}  // namespace assay::storage
