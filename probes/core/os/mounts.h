#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace assay::os {

/// A line of /proc/self/mountinfo (proc(5)), its octal escapes resolved.
struct Mount {
    std::uint64_t id = 0;
    dev_t device = 0;     ///< st_dev of the files in it; made up (major 0) where no one device holds them
    std::string root;     ///< the folder of the file system that is mounted: "/", another in a bind mount
    std::string point;    ///< where it is mounted
    std::string type;     ///< "ext4", "nfs4"
    std::string source;   ///< "/dev/nvme0n1p1", "server:/export"
    std::string options;  ///< of the mount, then of the file system where they say more: "rw,noatime,hard"
};

/// Lines that are no mount are left out.
std::vector<Mount> parse_mountinfo(std::string_view mountinfo);

/// The mount in which an absolute path lies: the deepest mount point above it, of several there the latest,
/// which hides the others. Null where there is none.
const Mount* mount_above(const std::vector<Mount>& mounts, const std::filesystem::path& path);

/// The mount in which an existing file or folder lies, by the kernel's own number of it where it tells one
/// (which also finds a file without a name, behind /proc/self/fd). Nothing where it is not known.
std::optional<Mount> mount_of(const std::filesystem::path& path);

}  // namespace assay::os
