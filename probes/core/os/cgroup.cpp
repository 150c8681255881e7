#include "probes/core/os/cgroup.h"

#include <algorithm>
#include <optional>
#include <string>

#include "probes/core/os/sysfs.h"
#include "probes/core/os/text.h"

namespace assay::os {
namespace {

/// A mounted hierarchy: which part of it (root) is seen at which folder (point).
struct Mount {
    std::string root;
    std::string point;
};

/// mountinfo: id parent major:minor root point options [optional ...] - type source super-options
std::optional<Mount> find_mount(std::string_view mountinfo, bool version_two, std::string_view controller) {
    for (const std::string_view line : split(mountinfo, '\n')) {
        const std::size_t dash = line.find(" - ");
        if (dash == std::string_view::npos) continue;
        const std::vector<std::string_view> before = split(line.substr(0, dash), ' ');
        const std::vector<std::string_view> after = split(line.substr(dash + 3), ' ');
        if (before.size() < 5 || after.size() < 3) continue;
        if (version_two ? after[0] != "cgroup2" : after[0] != "cgroup") continue;
        if (!version_two) {
            const std::vector<std::string_view> options = split(after[2], ',');
            if (std::find(options.begin(), options.end(), controller) == options.end()) continue;
        }
        return Mount{std::string(before[3]), std::string(before[4])};
    }
    return std::nullopt;
}

std::vector<std::filesystem::path> folders_up(const Mount& mount, std::string_view path) {
    // Where only a part of the hierarchy is mounted, the path is told from the hierarchy's root, or (cgroup
    // namespaces) from outside of what can be seen: then the mount itself is the nearest known.
    std::string_view inside = path;
    if (mount.root != "/") {
        inside = inside.starts_with(mount.root) ? inside.substr(mount.root.size()) : std::string_view();
    }
    if (inside.starts_with("/..")) inside = {};
    std::vector<std::filesystem::path> folders;
    std::string rest(inside);
    while (!rest.empty() && rest != "/") {
        folders.emplace_back(mount.point + rest);
        rest.resize(rest.rfind('/'));
    }
    folders.emplace_back(mount.point);
    return folders;
}

}  // namespace

std::vector<std::filesystem::path> cgroup_folders(std::string_view controller, std::string_view cgroup,
                                                  std::string_view mountinfo) {
    std::string_view unified;
    for (const std::string_view line : split(cgroup, '\n')) {
        // hierarchy:controllers:path, and the path may hold colons
        const std::size_t first = line.find(':');
        const std::size_t second = first == std::string_view::npos ? first : line.find(':', first + 1);
        if (second == std::string_view::npos) continue;
        const std::string_view controllers = line.substr(first + 1, second - first - 1);
        const std::string_view path = line.substr(second + 1);
        if (controllers.empty()) {
            unified = path;
            continue;
        }
        const std::vector<std::string_view> names = split(controllers, ',');
        if (std::find(names.begin(), names.end(), controller) == names.end()) continue;
        if (const std::optional<Mount> mount = find_mount(mountinfo, false, controller)) {
            return folders_up(*mount, path);
        }
    }
    if (unified.empty()) return {};
    const std::optional<Mount> mount = find_mount(mountinfo, true, controller);
    return mount ? folders_up(*mount, unified) : std::vector<std::filesystem::path>();
}

std::vector<std::filesystem::path> cgroup_folders(std::string_view controller) {
    return cgroup_folders(controller, read_text("/proc/self/cgroup").value_or(""),
                          read_text("/proc/self/mountinfo").value_or(""));
}

}  // namespace assay::os
