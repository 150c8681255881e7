#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include <sys/stat.h>

namespace assay::storage {

/// Where the kernel tells of itself. A test has folders of its own for it.
struct SystemRoots {
    std::filesystem::path proc = "/proc";
    std::filesystem::path sys = "/sys";
};

// Who uses a block device or a file, found by looking only. Each function answers in words that go on after
// the path ("is mounted at /data"), or with nothing where it sees no use. `what` is stat's answer.

/// A mount of the device, of one of its partitions, or of the disk that it is a partition of.
std::optional<std::string> mounted(const struct stat& what, const SystemRoots& roots = {});

/// The kernel's partitions of the device.
std::optional<std::string> partitioned(const struct stat& what, const SystemRoots& roots = {});

/// What is stacked upon the device or upon the disk that it is a partition of: RAID, LVM, encryption, bcache.
std::optional<std::string> held_by_stack(const struct stat& what, const SystemRoots& roots = {});

/// The device or file as swap space, or the disk that it is a partition of.
std::optional<std::string> swapped_to(const struct stat& what, const SystemRoots& roots = {});

/// A loop device whose data lies in the device or file.
std::optional<std::string> backs_loop(const struct stat& what, const SystemRoots& roots = {});

/// The kernel's mark that the device is read-only.
std::optional<std::string> read_only_device(const struct stat& what, const SystemRoots& roots = {});

/// Another process that has the device open in any way, or the file open for writing, as far as this user may
/// look. The own process does not count.
std::optional<std::string> open_elsewhere(const struct stat& what, const SystemRoots& roots = {});

/// What the device's content says that it is a part of, in use or not: a partition table, a member of a RAID
/// or volume group, a bcache or Ceph device, swap space. Reads from an open device or file of that size.
std::optional<std::string> content_in_use(int descriptor, std::uint64_t size_bytes);

}  // namespace assay::storage
