#include "probes/core/os/counters.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "probes/core/os/sysfs.h"
#include "probes/core/os/text.h"

namespace assay::os {
namespace {

constexpr std::uint64_t sector_bytes = 512;  // of diskstats, whatever the device's own

std::uint64_t since(std::uint64_t later, std::uint64_t earlier) {
    return later > earlier ? later - earlier : 0;
}

bool has_entries(const std::filesystem::path& folder) {
    std::error_code ignored;
    return std::filesystem::directory_iterator(folder, ignored) != std::filesystem::directory_iterator();
}

/// Whether this is a whole device that nothing is stacked upon, neither on it nor on a partition of it.
bool is_topmost(const std::string& name) {
    if (name.starts_with("loop")) return false;
    const std::filesystem::path folder = std::filesystem::path("/sys/block") / name;
    std::error_code missing;
    if (!std::filesystem::exists(folder, missing)) return false;  // a partition
    if (read_integer(folder / "hidden").value_or(0) != 0) return false;
    if (has_entries(folder / "holders")) return false;
    for (const std::filesystem::directory_entry& entry :
         std::filesystem::directory_iterator(folder, missing)) {
        if (has_entries(entry.path() / "holders") && entry.path().filename() != "holders") return false;
    }
    return true;
}

}  // namespace

CpuTicks operator-(const CpuTicks& later, const CpuTicks& earlier) {
    return {since(later.user, earlier.user),       since(later.nice, earlier.nice),
            since(later.system, earlier.system),   since(later.idle, earlier.idle),
            since(later.iowait, earlier.iowait),   since(later.irq, earlier.irq),
            since(later.softirq, earlier.softirq), since(later.steal, earlier.steal)};
}

std::optional<CpuTicks> parse_cpu_ticks(std::string_view proc_stat) {
    for (const std::string_view line : split(proc_stat, '\n')) {
        const std::vector<std::string_view> words = split(line, ' ');
        if (words.empty() || words[0] != "cpu" || words.size() < 9) continue;
        std::array<std::uint64_t, 8> ticks{};
        for (std::size_t i = 0; i < ticks.size(); ++i) {
            const std::optional<std::uint64_t> value = parse_number(words[i + 1]);
            if (!value) return std::nullopt;
            ticks[i] = *value;
        }
        // Guests' time, the two last columns, is part of user and nice.
        return CpuTicks{ticks[0], ticks[1], ticks[2], ticks[3], ticks[4], ticks[5], ticks[6], ticks[7]};
    }
    return std::nullopt;
}

std::optional<std::uint64_t> parse_stalled_microseconds(std::string_view pressure) {
    for (const std::string_view line : split(pressure, '\n')) {
        if (!line.starts_with("some ")) continue;
        const std::size_t total = line.find("total=");
        if (total != std::string_view::npos) return parse_number(line.substr(total + 6));
    }
    return std::nullopt;
}

std::uint64_t parse_device_bytes(std::string_view diskstats,
                                 const std::function<bool(std::string_view name)>& counted) {
    std::uint64_t bytes = 0;
    for (const std::string_view line : split(diskstats, '\n')) {
        const std::vector<std::string_view> words = split(line, ' ');
        // major minor name reads merged sectors-read ms writes merged sectors-written ...
        if (words.size() < 10 || !counted(words[2])) continue;
        bytes += (parse_number(words[5]).value_or(0) + parse_number(words[9]).value_or(0)) * sector_bytes;
    }
    return bytes;
}

std::optional<std::uint64_t> physical_device_bytes() {
    const std::optional<std::string> text = read_text("/proc/diskstats");
    if (!text || text->empty()) return std::nullopt;
    return parse_device_bytes(*text, [](std::string_view name) {
        std::string folder(name);
        std::replace(folder.begin(), folder.end(), '/', '!');  // cciss/c0d0 is cciss!c0d0 in sysfs
        return is_topmost(folder);
    });
}

std::optional<std::uint64_t> parse_own_bytes(std::string_view proc_self_io) {
    const std::optional<std::uint64_t> read = value_of(proc_self_io, "read_bytes:");
    const std::optional<std::uint64_t> written = value_of(proc_self_io, "write_bytes:");
    if (!read || !written) return std::nullopt;
    return *read + since(*written, value_of(proc_self_io, "cancelled_write_bytes:").value_or(0));
}

std::optional<std::uint64_t> own_device_bytes() {
    return parse_own_bytes(read_text("/proc/self/io").value_or(""));
}

}  // namespace assay::os
