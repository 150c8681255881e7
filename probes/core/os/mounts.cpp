#include "probes/core/os/mounts.h"

#include <algorithm>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "probes/core/os/sysfs.h"
#include "probes/core/os/text.h"

namespace assay::os {
namespace {

/// The file system's options after the mount's. Whether it may be written is said once: a mount can be
/// read-only on a file system that is not.
std::string joined_options(std::string_view of_mount, std::string_view of_file_system) {
    std::string joined = unescape_octal(of_mount);
    const std::vector<std::string_view> said = split(of_mount, ',');
    for (const std::string_view option : split(of_file_system, ',')) {
        if (option == "rw" || std::find(said.begin(), said.end(), option) != said.end()) continue;
        joined += "," + unescape_octal(option);
    }
    return joined;
}

std::optional<dev_t> parse_device(std::string_view text) {
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    const std::optional<std::uint64_t> high = parse_number(text.substr(0, colon));
    const std::optional<std::uint64_t> low = parse_number(text.substr(colon + 1));
    if (!high || !low) return std::nullopt;
    return makedev(static_cast<unsigned>(*high), static_cast<unsigned>(*low));
}

std::optional<Mount> parse_line(std::string_view line) {
    // 36 35 98:0 /root /point options [optional fields] - type source super-options
    const std::size_t dash = line.find(" - ");
    if (dash == std::string_view::npos) return std::nullopt;
    const std::vector<std::string_view> before = split(line.substr(0, dash), ' ');
    const std::vector<std::string_view> after = split(line.substr(dash + 3), ' ');
    if (before.size() < 6 || after.empty()) return std::nullopt;
    const std::optional<std::uint64_t> id = parse_number(before[0]);
    const std::optional<dev_t> device = parse_device(before[2]);
    if (!id || !device) return std::nullopt;
    Mount mount;
    mount.id = *id;
    mount.device = *device;
    mount.root = unescape_octal(before[3]);
    mount.point = unescape_octal(before[4]);
    mount.type = unescape_octal(after[0]);
    // A mount may have an empty source, of which split() makes nothing.
    if (after.size() > 2) mount.source = unescape_octal(after[1]);
    mount.options = joined_options(before[5], after.size() > 1 ? after.back() : std::string_view());
    return mount;
}

bool lies_below(std::string_view path, std::string_view folder) {
    if (folder == "/") return path.starts_with('/');
    return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

}  // namespace

std::vector<Mount> parse_mountinfo(std::string_view mountinfo) {
    std::vector<Mount> mounts;
    for (const std::string_view line : split(mountinfo, '\n')) {
        if (std::optional<Mount> mount = parse_line(line)) mounts.push_back(std::move(*mount));
    }
    return mounts;
}

const Mount* mount_above(const std::vector<Mount>& mounts, const std::filesystem::path& path) {
    const Mount* deepest = nullptr;
    for (const Mount& mount : mounts) {
        if (!lies_below(path.native(), mount.point)) continue;
        if (deepest == nullptr || mount.point.size() >= deepest->point.size()) deepest = &mount;
    }
    return deepest;
}

std::optional<Mount> mount_of(const std::filesystem::path& path) {
    const std::vector<Mount> mounts = parse_mountinfo(read_text("/proc/self/mountinfo").value_or(""));
    struct statx status {};
    if (::statx(AT_FDCWD, path.c_str(), AT_STATX_DONT_SYNC, STATX_MNT_ID, &status) == 0 &&
        (status.stx_mask & STATX_MNT_ID) != 0) {
        for (const Mount& mount : mounts) {
            if (mount.id == status.stx_mnt_id) return mount;
        }
    }
    std::error_code missing;
    const std::filesystem::path whole = std::filesystem::canonical(path, missing);
    if (missing) return std::nullopt;
    const Mount* const mount = mount_above(mounts, whole);
    return mount != nullptr ? std::optional<Mount>(*mount) : std::nullopt;
}

}  // namespace assay::os
