#include "probes/memory/checked/capacity_plan.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <string_view>
#include <system_error>

#include <fmt/format.h>

#include "kernels/device/accelerator.h"
#include "probes/core/accelerator_facts.h"
#include "probes/core/bytes_in_words.h"
#include "probes/core/os/cgroup.h"
#include "probes/core/os/sysfs.h"
#include "probes/core/os/text.h"

namespace assay {

namespace {

constexpr std::uint64_t page = 4096;
constexpr std::uint64_t mebibyte = std::uint64_t{1} << 20;
// Less than this says nothing of a machine's memory.
constexpr std::uint64_t smallest_useful = 16 * mebibyte;
constexpr std::uint64_t smallest_reserve = 64 * mebibyte;
constexpr std::uint64_t largest_reserve = 2048 * mebibyte;
// Chunks are small enough to notice in time that memory runs short, and large enough to time.
constexpr std::uint64_t chunks_at_best = 256;
constexpr std::uint64_t smallest_chunk = 16 * mebibyte;
constexpr std::uint64_t largest_chunk = 1024 * mebibyte;

std::uint64_t rounded_up(std::uint64_t bytes, std::uint64_t multiple) {
    return (bytes + multiple - 1) / multiple * multiple;
}

std::uint64_t chunk_size(std::uint64_t bytes) {
    if (bytes <= smallest_chunk) return rounded_up((bytes + 3) / 4, page);
    return std::clamp(rounded_up(bytes / chunks_at_best, 2 * mebibyte), smallest_chunk, largest_chunk);
}

/// The tightest limit of the control group and its parents; nothing where there is none.
std::optional<std::uint64_t> cgroup_limit() {
    std::optional<std::uint64_t> least;
    for (const std::filesystem::path& folder : os::cgroup_folders("memory"))
        for (const char* const file : {"memory.max", "memory.limit_in_bytes"}) {
            // "max" is no number, and no limit.
            const std::optional<std::int64_t> limit = os::read_integer(folder / file);
            if (limit && *limit > 0)
                least = std::min(least.value_or(std::numeric_limits<std::uint64_t>::max()),
                                 static_cast<std::uint64_t>(*limit));
        }
    return least;
}

/// Datasheets count in powers of 1000, drivers in powers of 1024: a card's claim is often the greater, and
/// then it is what the card must stand by.
LabelledMemory labelled_card(const DeviceInfo& info, const AcceleratorFacts* facts) {
    if (facts == nullptr || facts->memory_bytes == 0) return {info.memory_bytes, "what the device claims"};
    if (facts->memory_bytes < info.memory_bytes)
        return {info.memory_bytes, fmt::format("what the device claims; the datasheet of {} says {}",
                                               facts->product, facts->memory_bytes)};
    return {facts->memory_bytes,
            fmt::format("the datasheet of {}; the device claims {}", facts->product, info.memory_bytes)};
}

}  // namespace

std::uint64_t reserve_bytes(bool is_host, std::uint64_t usable) {
    return is_host ? std::clamp(usable / 20, smallest_reserve, largest_reserve) : usable / 100;
}

CapacitySize size_capacity(std::uint64_t asked, double share, std::uint64_t usable, std::uint64_t reserve) {
    CapacitySize size;
    size.reserve = reserve;
    if (usable == 0) {
        if (asked == 0)
            size.reason =
                "the system does not tell how much memory is free: bytes=N would say how much to check";
        else
            size.reason = fmt::format("{} are checked, as asked for; the system does not tell what is free.",
                                      bytes_in_words(asked));
        size.bytes = asked / page * page;
        size.reserve = 0;
        return size;
    }
    const std::uint64_t most = usable > size.reserve ? usable - size.reserve : 0;
    const std::string left =
        fmt::format("{} may be used, less a reserve of {} leaves {}", bytes_in_words(usable),
                    bytes_in_words(size.reserve), bytes_in_words(most));
    if (asked != 0) {
        if (asked > most) {
            size.reason = fmt::format("{} were asked for: {}", bytes_in_words(asked), left);
            return size;
        }
        size.bytes = asked / page * page;
        size.reason = fmt::format("{} are checked, as asked for ({}).", bytes_in_words(size.bytes), left);
        return size;
    }
    const std::uint64_t wanted = static_cast<std::uint64_t>(static_cast<double>(usable) * share);
    const std::uint64_t bytes = std::min(wanted, most) / page * page;
    if (bytes < smallest_useful) {
        size.reason = fmt::format(
            "{} would be checked ({} of what may be used; {}), and fewer than {} say nothing of a machine",
            bytes_in_words(bytes), share, left, bytes_in_words(smallest_useful));
        return size;
    }
    size.bytes = bytes;
    size.reason = fmt::format("{} are checked: {} of the {} that may be used{}.", bytes_in_words(bytes),
                              share, bytes_in_words(usable),
                              wanted > most ? fmt::format(", or what a reserve of {} leaves, which is less",
                                                          bytes_in_words(size.reserve))
                                            : "");
    return size;
}

LabelledMemory labelled_memory(const Device& device, const AcceleratorFacts* facts,
                               const std::filesystem::path& root) {
    if (device.info().kind != "cpu") return labelled_card(device.info(), facts);
    LabelledMemory labelled;
    const std::string meminfo = os::read_text(root / "proc/meminfo").value_or("");
    labelled.bytes = os::value_of(meminfo, "MemTotal:").value_or(0) * 1024;
    labelled.source = "MemTotal, the memory that the kernel manages";
    const std::optional<std::uint64_t> limit = root == "/" ? cgroup_limit() : std::nullopt;
    if (limit && (labelled.bytes == 0 || *limit < labelled.bytes))
        labelled = {*limit, "the limit of the control group"};
    return labelled;
}

UsableBytes usable_of_card(std::uint64_t all, std::function<std::uint64_t()> host) {
    return [all, host, before = host()](std::uint64_t taken) {
        const std::uint64_t left = all > taken ? all - taken : 1;
        const std::uint64_t now = host();
        if (taken == 0 || now == 0 || before < now || before - now < taken / 2) return left;
        const std::uint64_t kept = reserve_bytes(true, before);
        return std::min(left, now > kept ? now - kept : 1);
    };
}

TakenMemory take_memory(Device& device, const CapacitySize& size, const TakingRules& rules, Clock& clock) {
    TakenMemory taken;
    std::uint64_t chunk = chunk_size(size.bytes);
    const std::uint64_t least_chunk = std::min(chunk, smallest_chunk);
    std::string refusal;
    const auto refused = [&](const char* reason) {
        ++taken.refusals;
        refusal = reason;
        if (chunk / 2 < least_chunk) return false;
        chunk = rounded_up(chunk / 2, page);
        return true;
    };
    const Nanoseconds begin = clock.now();
    while (taken.bytes < size.bytes) {
        const std::uint64_t next = std::min(chunk, size.bytes - taken.bytes);
        const std::uint64_t left = rules.usable(taken.bytes);
        if (left != 0 && left < next + size.reserve) {
            taken.shortage = fmt::format(
                "Stopped at {} of {}: beside these {} may be used, and a reserve of {} is kept.", taken.bytes,
                bytes_in_words(size.bytes), bytes_in_words(left), bytes_in_words(size.reserve));
            return taken;
        }
        const double seconds = seconds_of(clock.now() - begin);
        if (!taken.chunks.empty() && seconds > rules.time_limit.count()) {
            taken.shortage = fmt::format(
                "Stopped at {} of {}: the system took {:.1f} s to hand these out, and {:.1f} s are allowed "
                "for "
                "that (seconds=N allows more).",
                taken.bytes, bytes_in_words(size.bytes), seconds, rules.time_limit.count());
            return taken;
        }
        try {
            std::unique_ptr<DeviceMemory> memory = device.allocate(next, rules.huge_pages);
            if (rules.by_host && memory->host_pointer() == nullptr) {
                taken = {};
                taken.unreachable = true;
                return taken;
            }
            rules.touch(*memory);
            taken.chunks.push_back(std::move(memory));
            taken.bytes += next;
        } catch (const std::system_error& error) {
            if (!refused(error.what())) break;
        } catch (const DeviceError& error) {
            // Drivers that find memory only when it is first written have several words for its lack.
            if (error.lost()) throw;
            if (!refused(error.what())) break;
        }
    }
    if (taken.bytes < size.bytes)
        taken.shortage = fmt::format("Only {} of {} were had: the next {} were refused ({}).", taken.bytes,
                                     bytes_in_words(size.bytes),
                                     bytes_in_words(std::min(chunk, size.bytes - taken.bytes)), refusal);
    return taken;
}

}  // namespace assay
