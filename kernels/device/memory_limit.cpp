#include "kernels/device/memory_limit.h"

#include <algorithm>
#include <fstream>
#include <limits>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>

#include <sys/resource.h>
#include <unistd.h>

namespace assay {

namespace {

namespace fs = std::filesystem;

std::optional<std::uint64_t> read_number(const fs::path& path) {
    std::ifstream file(path);
    std::uint64_t value = 0;
    // "max" of version 2 is not a number, thus no limit.
    if (!(file >> value)) return std::nullopt;
    return value;
}

/// The number behind `key` in lines "key value" or "key: value kB".
std::optional<std::uint64_t> read_keyed(const fs::path& path, std::string_view key) {
    std::ifstream file(path);
    std::string line;
    while (std::getline(file, line)) {
        std::istringstream words(line);
        std::string name;
        std::uint64_t value = 0;
        if (words >> name >> value && name == key) return value;
    }
    return std::nullopt;
}

/// What one cgroup's folder leaves below its limit.
std::optional<std::uint64_t> headroom(const fs::path& folder, std::string_view limit_file,
                                      std::string_view usage_file, std::string_view droppable_key) {
    const std::optional<std::uint64_t> limit = read_number(folder / limit_file);
    // Version 1 writes "no limit" as a number near 2^63.
    if (!limit || *limit >= (std::uint64_t{1} << 60)) return std::nullopt;
    const std::uint64_t usage = read_number(folder / usage_file).value_or(0);
    const std::uint64_t droppable = read_keyed(folder / "memory.stat", droppable_key).value_or(0);
    const std::uint64_t used = usage > droppable ? usage - droppable : 0;
    return *limit > used ? *limit - used : 0;
}

/// The least headroom of `path` and its parents below `mount`. In a container without its own cgroup
/// namespace the path is the host's and does not exist below the mount: then the mount itself is ours.
std::uint64_t least_headroom(const fs::path& mount, const std::string& path, std::string_view limit_file,
                             std::string_view usage_file, std::string_view droppable_key) {
    std::uint64_t least = std::numeric_limits<std::uint64_t>::max();
    fs::path relative = fs::path(path).relative_path();
    while (true) {
        const std::optional<std::uint64_t> here =
            headroom(mount / relative, limit_file, usage_file, droppable_key);
        if (here) least = std::min(least, *here);
        if (relative.empty()) return least;
        relative = relative.parent_path();
    }
}

/// What `ulimit -v` leaves of this process's address space.
std::uint64_t address_space_left() {
    rlimit limit{};
    if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
        return std::numeric_limits<std::uint64_t>::max();
    const std::uint64_t pages = read_number("/proc/self/statm").value_or(0);
    const std::uint64_t used = pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
    return limit.rlim_cur > used ? limit.rlim_cur - used : 0;
}

}  // namespace

std::uint64_t usable_memory_bytes(const fs::path& root) {
    std::uint64_t usable = std::numeric_limits<std::uint64_t>::max();
    if (const auto available_kib = read_keyed(root / "proc/meminfo", "MemAvailable:"))
        usable = *available_kib * 1024;

    std::ifstream groups(root / "proc/self/cgroup");
    std::string line;
    while (std::getline(groups, line)) {
        // "4:memory:/path" of version 1, "0::/path" of version 2.
        const std::size_t first = line.find(':');
        const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
        if (second == std::string::npos) continue;
        const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
        const std::string path = line.substr(second + 1);
        if (controllers.find(",memory,") != std::string::npos)
            usable =
                std::min(usable, least_headroom(root / "sys/fs/cgroup/memory", path, "memory.limit_in_bytes",
                                                "memory.usage_in_bytes", "total_inactive_file"));
        else if (controllers == ",,")
            usable = std::min(usable, least_headroom(root / "sys/fs/cgroup", path, "memory.max",
                                                     "memory.current", "inactive_file"));
    }
    if (root == "/") usable = std::min(usable, address_space_left());
    // Nothing left is not the same as nothing known.
    return usable == std::numeric_limits<std::uint64_t>::max() ? 0 : std::max<std::uint64_t>(usable, 1);
}

}  // namespace assay
