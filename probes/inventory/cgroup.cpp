#include "probes/inventory/cgroup.h"

#include <algorithm>
#include <functional>
#include <sstream>

#include "probes/core/os/sysfs.h"
#include "probes/inventory/tree.h"

namespace assay::inventory {
namespace {

namespace fs = std::filesystem;

struct Hierarchy {
    fs::path mount;       ///< below the root
    std::string group;    ///< the process's group, as /proc/self/cgroup gives it
    std::string version;  ///< "cgroup v2"
};

bool names_controller(const std::string& list, const std::string& controller) {
    std::istringstream parts(list);
    for (std::string part; std::getline(parts, part, ',');) {
        if (part == controller) return true;
    }
    return false;
}

/// Where a controller's hierarchies are mounted, from /proc/self/mounts.
fs::path mount_of(const fs::path& root, const std::string& type, const std::string& controller) {
    for (const std::string& line : lines_of(root / "proc/self/mounts")) {
        const std::vector<std::string> words = split_words(line);  // device, folder, type, options
        if (words.size() < 4 || words[2] != type) continue;
        if (type == "cgroup2" || names_controller(words[3], controller)) {
            return root / fs::path(words[1]).relative_path();
        }
    }
    return {};
}

/// The hierarchies that may limit `controller`: the unified one, and version 1's own.
std::vector<Hierarchy> hierarchies(const fs::path& root, const std::string& controller) {
    std::vector<Hierarchy> found;
    for (const std::string& line : lines_of(root / "proc/self/cgroup")) {  // "4:memory:/a/b", "0::/a/b"
        const std::size_t first = line.find(':');
        const std::size_t second = line.find(':', first == std::string::npos ? first : first + 1);
        if (second == std::string::npos) continue;
        const std::string controllers = line.substr(first + 1, second - first - 1);
        const bool unified = controllers.empty();
        if (!unified && !names_controller(controllers, controller)) continue;
        const fs::path mount = mount_of(root, unified ? "cgroup2" : "cgroup", controller);
        if (!mount.empty()) {
            found.push_back({mount, line.substr(second + 1), unified ? "cgroup v2" : "cgroup v1"});
        }
    }
    return found;
}

/// The least value that `read` finds in the group's folder and its parents up to the mount. In a container
/// the group's path may be the host's, of which only the mount itself is visible: missing folders are passed
/// by.
std::optional<CgroupLimit> tightest(const fs::path& root, const std::string& controller,
                                    const std::function<std::optional<double>(const fs::path&)>& read) {
    std::optional<CgroupLimit> least;
    for (const Hierarchy& hierarchy : hierarchies(root, controller)) {
        fs::path group = fs::path(hierarchy.group).lexically_normal().relative_path();
        while (true) {
            const std::optional<double> value = read(hierarchy.mount / group);
            if (value && (!least || *value < least->value)) least = CgroupLimit{*value, hierarchy.version};
            if (group.empty() || group == ".") break;
            group = group.parent_path();
        }
    }
    return least;
}

std::optional<double> positive(const fs::path& file) {
    const std::optional<std::int64_t> value = os::read_integer(file);  // "max" is no number
    if (!value || *value <= 0) return std::nullopt;
    return static_cast<double>(*value);
}

}  // namespace

std::optional<CgroupLimit> cgroup_memory_limit(const fs::path& root) {
    // Version 1 writes "no limit" as the largest whole number of pages.
    constexpr double unlimited = 0x7000'0000'0000'0000;
    return tightest(root, "memory", [](const fs::path& group) -> std::optional<double> {
        std::optional<double> limit = positive(group / "memory.max");
        if (!limit) limit = positive(group / "memory.limit_in_bytes");
        if (!limit || *limit >= unlimited) return std::nullopt;
        return limit;
    });
}

std::optional<CgroupLimit> cgroup_cpu_quota(const fs::path& root) {
    return tightest(root, "cpu", [](const fs::path& group) -> std::optional<double> {
        const std::vector<std::string> words = split_words(text_of(group / "cpu.max"));  // "150000 100000"
        if (words.size() == 2) {
            const std::optional<long long> quota = leading_integer(words[0]);
            const std::optional<long long> period = leading_integer(words[1]);
            if (quota && period && *period > 0) {
                return static_cast<double>(*quota) / static_cast<double>(*period);
            }
            return std::nullopt;
        }
        const std::optional<double> quota = positive(group / "cpu.cfs_quota_us");
        const std::optional<double> period = positive(group / "cpu.cfs_period_us");
        if (!quota || !period) return std::nullopt;
        return *quota / *period;
    });
}

}  // namespace assay::inventory
