#include "probes/core/os/file_system.h"

#include <array>
#include <cerrno>
#include <string_view>
#include <system_error>

#include <sys/statfs.h>
#include <sys/statvfs.h>

#include <fmt/format.h>

namespace assay::os {
namespace {

enum class Where { disk, memory, network };
struct Kind {
    std::uint32_t magic;
    std::string_view name;
    Where where = Where::disk;
};

// From linux/magic.h and the file systems' own sources.
constexpr std::array<Kind, 24> kinds{{
    {0xEF53, "ext2/ext3/ext4"},
    {0x58465342, "xfs"},
    {0x9123683E, "btrfs"},
    {0x2FC12FC1, "zfs"},
    {0xF2F52010, "f2fs"},
    {0xCA451A4E, "bcachefs"},
    {0x3153464A, "jfs"},
    {0x4d44, "vfat"},
    {0x2011BAB0, "exfat"},
    {0x5346544e, "ntfs"},
    {0x7366746e, "ntfs3"},
    {0x794c7630, "overlayfs"},
    {0x65735546, "fuse"},
    {0x73717368, "squashfs"},
    {0x01021994, "tmpfs", Where::memory},
    {0x858458f6, "ramfs", Where::memory},
    {0x958458f6, "hugetlbfs", Where::memory},
    {0x9fa0, "proc", Where::memory},
    {0x62656572, "sysfs", Where::memory},
    {0x6969, "nfs", Where::network},
    {0xFF534D42, "cifs", Where::network},
    {0xFE534D42, "smb2", Where::network},
    {0x00c36400, "ceph", Where::network},
    {0x01021997, "9p", Where::network},
}};

}  // namespace

FileSystem file_system_of(const std::filesystem::path& path) {
    struct statfs status {};
    if (::statfs(path.c_str(), &status) != 0) {
        throw std::system_error(errno, std::generic_category(), fmt::format("statfs {}", path.string()));
    }
    FileSystem system;
    const std::uint32_t magic = static_cast<std::uint32_t>(status.f_type);
    system.type = fmt::format("{:#x}", magic);
    for (const Kind& kind : kinds) {
        if (kind.magic != magic) continue;
        system.type = std::string(kind.name);
        system.in_memory = kind.where == Where::memory;
        system.over_network = kind.where == Where::network;
    }
    const std::uint64_t unit =
        static_cast<std::uint64_t>(status.f_frsize > 0 ? status.f_frsize : status.f_bsize);
    system.free_bytes = status.f_bavail * unit;
    system.total_bytes = status.f_blocks * unit;
    system.read_only = (static_cast<unsigned long>(status.f_flags) & ST_RDONLY) != 0;
    return system;
}

}  // namespace assay::os
