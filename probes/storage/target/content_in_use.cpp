#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <system_error>
#include <vector>

#include <unistd.h>

#include "probes/storage/target/occupancy.h"

namespace assay::storage {
namespace {

using namespace std::string_view_literals;

struct Signature {
    std::uint64_t offset = 0;
    std::string_view bytes;
    std::string_view meaning;
};

constexpr std::string_view raid_magic = "\xfc\x4e\x2b\xa9"sv;  // a92b4efc, little endian

// From the formats' own descriptions: UEFI (5.3.2), the kernel's md_p.h, bcache.h and swap.h (4 KiB pages),
// LVM2's label.h (the label lies in one of the first four sectors), Ceph's BlueStore.
constexpr std::array<Signature, 12> at_the_start{{
    {512, "EFI PART"sv, "has a partition table (GPT)"},
    {4096, "EFI PART"sv, "has a partition table (GPT)"},
    {0, raid_magic, "is part of a Linux RAID"},
    {4096, raid_magic, "is part of a Linux RAID"},
    {0, "LABELONE"sv, "is part of an LVM volume group"},
    {512, "LABELONE"sv, "is part of an LVM volume group"},
    {1024, "LABELONE"sv, "is part of an LVM volume group"},
    {1536, "LABELONE"sv, "is part of an LVM volume group"},
    {4120, "\xc6\x85\x73\xf6\x4e\x1a\x45\xca\x82\x65\xf5\x7f\x48\xba\x6d\x81"sv, "belongs to bcache"},
    {4086, "SWAPSPACE2"sv, "is prepared as swap space"},
    {4086, "SWAP-SPACE"sv, "is prepared as swap space"},
    {0, "bluestore block device"sv, "belongs to a Ceph OSD"},
}};

/// What lies there; fewer bytes where the device ends or cannot be read.
std::string read_at(int descriptor, std::uint64_t offset, std::size_t bytes) {
    std::string content(bytes, '\0');
    ssize_t got = -1;
    do {
        got = ::pread(descriptor, content.data(), bytes, static_cast<off_t>(offset));
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
        throw std::system_error(errno, std::generic_category(), "pread of what is to be written over");
    }
    content.resize(static_cast<std::size_t>(got));
    return content;
}

/// A boot sector of FAT bears the same mark at its end: only four entries that may be ones, one of them in
/// use, are a table.
bool is_partition_table(std::string_view sector) {
    constexpr std::size_t table = 446;
    constexpr std::size_t entry_bytes = 16;
    if (sector.size() < 512 || sector.substr(510, 2) != "\x55\xaa"sv) return false;
    bool used = false;
    for (std::size_t i = 0; i < 4; ++i) {
        const std::string_view entry = sector.substr(table + i * entry_bytes, entry_bytes);
        if (entry[0] != '\0' && entry[0] != '\x80') return false;
        used = used || (entry[4] != '\0' && entry.substr(12, 4) != "\0\0\0\0"sv);
    }
    return used;
}

/// The array of uberblocks in the first label, in slots of at least 1 KiB.
bool is_zfs(int descriptor) {
    constexpr std::uint64_t array = 128 << 10;
    const std::string uberblocks = read_at(descriptor, array, 128 << 10);
    for (std::size_t at = 0; at + 8 <= uberblocks.size(); at += 1024) {
        const std::string_view magic = std::string_view(uberblocks).substr(at, 8);
        if (magic == "\x0c\xb1\xba\x00\x00\x00\x00\x00"sv || magic == "\x00\x00\x00\x00\x00\xba\xb1\x0c"sv) {
            return true;
        }
    }
    return false;
}

/// Formats 0.90 and 1.0 of Linux RAID keep their superblock at the end.
bool is_raid_at_the_end(int descriptor, std::uint64_t size_bytes) {
    constexpr std::uint64_t old_alignment = 64 << 10;
    constexpr std::uint64_t alignment = 4 << 10;
    std::vector<std::uint64_t> places;
    if (size_bytes >= 2 * old_alignment) {
        places.push_back(size_bytes / old_alignment * old_alignment - old_alignment);
    }
    if (size_bytes >= 4 * alignment) {
        places.push_back((size_bytes - 2 * alignment) / alignment * alignment);
    }
    for (const std::uint64_t place : places) {
        if (read_at(descriptor, place, raid_magic.size()) == raid_magic) return true;
    }
    return false;
}

}  // namespace

std::optional<std::string> content_in_use(int descriptor, std::uint64_t size_bytes) {
    const std::string start = read_at(descriptor, 0, 8192);
    for (const Signature& signature : at_the_start) {
        if (start.size() < signature.offset + signature.bytes.size()) continue;
        if (start.compare(signature.offset, signature.bytes.size(), signature.bytes) == 0) {
            return std::string(signature.meaning);
        }
    }
    if (is_partition_table(start)) return "has a partition table (MBR)";
    if (is_zfs(descriptor)) return "is part of a ZFS pool";
    if (is_raid_at_the_end(descriptor, size_bytes)) return "is part of a Linux RAID";
    return std::nullopt;
}

}  // namespace assay::storage
