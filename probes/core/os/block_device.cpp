#include "probes/core/os/block_device.h"

#include <array>
#include <set>
#include <string_view>
#include <system_error>

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <fmt/format.h>

#include "probes/core/os/mounts.h"
#include "probes/core/os/sysfs.h"
#include "probes/core/os/text.h"

namespace assay::os {
namespace {

constexpr std::uint64_t sector_bytes = 512;  // of the kernel's statistics, whatever the device's own

std::optional<BlockDevice> device_at(const std::filesystem::path& link) {
    std::error_code missing;
    const std::filesystem::path folder = std::filesystem::canonical(link, missing);
    if (missing) return std::nullopt;
    BlockDevice device;
    device.folder = folder;
    device.disk_folder =
        std::filesystem::exists(folder / "partition", missing) ? folder.parent_path() : folder;
    device.name = folder.filename().string();
    device.disk = device.disk_folder.filename().string();
    return device;
}

/// The source of the mount whose made-up device number this is.
std::optional<dev_t> number_of_mount_source(dev_t number) {
    for (const Mount& mount : parse_mountinfo(read_text("/proc/self/mountinfo").value_or(""))) {
        struct stat status {};
        if (mount.device != number || !mount.source.starts_with("/")) continue;
        if (::stat(mount.source.c_str(), &status) == 0 && S_ISBLK(status.st_mode)) return status.st_rdev;
    }
    return std::nullopt;
}

/// How an NVMe namespace is reached; with several paths to it (native multipath), each way once.
std::string nvme_transport(const std::filesystem::path& controller) {
    if (const std::optional<std::string> transport = read_text(controller / "transport")) return *transport;
    std::set<std::string> ways;
    std::error_code missing;
    for (const std::filesystem::directory_entry& path :
         std::filesystem::directory_iterator(controller, missing)) {
        if (const std::optional<std::string> way = read_text(path.path() / "transport")) ways.insert(*way);
    }
    return fmt::format("{}", fmt::join(ways, ","));
}

std::size_t entries_of(const std::filesystem::path& folder) {
    std::size_t count = 0;
    std::error_code missing;
    for ([[maybe_unused]] const std::filesystem::directory_entry& entry :
         std::filesystem::directory_iterator(folder, missing)) {
        ++count;
    }
    return count;
}

void add_leaves(const BlockDevice& device, int depth, std::vector<BlockDevice>& leaves) {
    constexpr int deepest = 16;  // stacks are a handful; a cycle must not hang us
    std::vector<BlockDevice> below;
    if (depth < deepest) {
        std::error_code missing;
        for (const std::filesystem::directory_entry& entry :
             std::filesystem::directory_iterator(device.disk_folder / "slaves", missing)) {
            if (const std::optional<BlockDevice> slave = device_at(entry.path())) below.push_back(*slave);
        }
        if (const std::optional<std::string> file = read_text(device.disk_folder / "loop/backing_file")) {
            struct stat status {};
            if (::stat(file->c_str(), &status) == 0) {
                if (const std::optional<BlockDevice> holder = block_device_of(status.st_dev)) {
                    below.push_back(*holder);
                }
            }
        }
    }
    if (below.empty()) leaves.push_back(device);
    for (const BlockDevice& next : below) add_leaves(next, depth + 1, leaves);
}

}  // namespace

std::optional<BlockDevice> block_device_of(dev_t number) {
    if (major(number) == 0) {
        const std::optional<dev_t> source = number_of_mount_source(number);
        if (!source) return std::nullopt;
        number = *source;
    }
    return device_at(fmt::format("/sys/dev/block/{}:{}", major(number), minor(number)));
}

std::vector<BlockDevice> leaf_devices(const BlockDevice& device) {
    std::vector<BlockDevice> leaves;
    add_leaves(device, 0, leaves);
    return leaves;
}

std::optional<DeviceCounters> read_counters(const std::vector<BlockDevice>& devices) {
    if (devices.empty()) return std::nullopt;
    DeviceCounters sum;
    for (const BlockDevice& device : devices) {
        if (read_integer(device.disk_folder / "queue/iostats") == 0) return std::nullopt;  // switched off
        const std::optional<std::string> text = read_text(device.folder / "stat");
        if (!text) return std::nullopt;
        const std::vector<std::string_view> words = split(*text, ' ');
        if (words.size() < 7) return std::nullopt;
        // reads, merged, sectors, ms, writes, merged, sectors, ms, in flight, ms busy
        sum.reads += parse_number(words[0]).value_or(0);
        sum.read_bytes += parse_number(words[2]).value_or(0) * sector_bytes;
        sum.writes += parse_number(words[4]).value_or(0);
        sum.written_bytes += parse_number(words[6]).value_or(0) * sector_bytes;
        if (words.size() > 9)
            sum.busy_seconds += static_cast<double>(parse_number(words[9]).value_or(0)) * 1e-3;
    }
    return sum;
}

std::map<std::string, std::string> queue_settings(const BlockDevice& device) {
    std::map<std::string, std::string> settings;
    constexpr std::array<const char*, 9> names{"scheduler",    "nr_requests", "rotational",
                                               "wbt_lat_usec", "write_cache", "io_poll",
                                               "nomerges",     "iostats",     "max_sectors_kb"};
    for (const char* const name : names) {
        const std::optional<std::string> value = read_text(device.disk_folder / "queue" / name);
        if (value) settings[name] = *value;
    }
    // "none [mq-deadline] kyber": the one in brackets is in force.
    if (settings.contains("scheduler")) {
        std::string& scheduler = settings["scheduler"];
        const std::size_t open = scheduler.find('[');
        const std::size_t close = scheduler.find(']');
        if (open != std::string::npos && close != std::string::npos && close > open) {
            scheduler = scheduler.substr(open + 1, close - open - 1);
        }
    }
    if (const std::optional<std::string> model = read_text(device.disk_folder / "device/model")) {
        const std::size_t end = model->find_last_not_of(' ');
        if (end != std::string::npos) settings["model"] = model->substr(0, end + 1);
    }
    return settings;
}

std::map<std::string, std::string> device_facts(const BlockDevice& device, const std::filesystem::path& sys) {
    std::map<std::string, std::string> facts;
    if (const std::size_t queues = entries_of(device.disk_folder / "mq"); queues > 0) {
        facts["hardware_queues"] = fmt::format("{}", queues);
    }
    if (!device.disk.starts_with("nvme")) return facts;
    if (const std::optional<std::string> polled = read_text(sys / "module/nvme/parameters/poll_queues")) {
        facts["poll_queues"] = *polled;
    }
    const std::string transport = nvme_transport(device.disk_folder / "device");
    if (!transport.empty()) facts["nvme_transport"] = transport;
    return facts;
}

std::optional<std::uint64_t> disk_bytes(const BlockDevice& device) {
    const std::optional<std::int64_t> sectors = read_integer(device.disk_folder / "size");
    if (!sectors || *sectors <= 0) return std::nullopt;
    return static_cast<std::uint64_t>(*sectors) * sector_bytes;
}

std::uint64_t logical_block_bytes(const BlockDevice& device) {
    const std::int64_t bytes = read_integer(device.disk_folder / "queue/logical_block_size").value_or(512);
    return bytes > 0 ? static_cast<std::uint64_t>(bytes) : 512;
}

}  // namespace assay::os
