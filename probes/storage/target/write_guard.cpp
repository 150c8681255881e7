#include "probes/storage/target/write_guard.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "probes/core/os/file_descriptor.h"
#include "probes/storage/target/block_pattern.h"

namespace assay::storage {
namespace {

/// The target's path and what the kernel says that it leads to.
struct Named {
    std::string_view where;
    const std::filesystem::path& path;
    struct stat status {};
};

[[noreturn]] void refuse(const Named& named, std::string_view what, std::string_view accepted) {
    throw InputError(fmt::format("{}: {} {}, and is not written to; accepted: {}", named.where,
                                 named.path.string(), what, accepted));
}

bool is_the_same(const struct stat& one, const struct stat& other) {
    if (S_ISBLK(one.st_mode) || S_ISBLK(other.st_mode)) {
        return S_ISBLK(one.st_mode) && S_ISBLK(other.st_mode) && one.st_rdev == other.st_rdev;
    }
    return one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

/// The text of the path must be the same, and what both lead to: what is destroyed is what was written twice.
void refuse_unnamed(const Named& named, const std::vector<std::filesystem::path>& allowed) {
    std::string hint;
    for (const std::filesystem::path& path : allowed) {
        struct stat status {};
        if (::stat(path.c_str(), &status) != 0 || !is_the_same(status, named.status)) continue;
        if (path.native() == named.path.native()) return;
        hint = fmt::format(" (it names {}, another path to the same)", path.string());
    }
    refuse(named, fmt::format("is not named by --allow-destroy{}", hint),
           fmt::format("--allow-destroy {}, after which all data on it is lost", named.path.string()));
}

bool begins_as_ours(const std::filesystem::path& path) {
    const os::FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    std::array<std::byte, pattern_bytes> block{};
    return file && ::pread(file.get(), block.data(), block.size(), 0) == static_cast<ssize_t>(block.size()) &&
           check_block(block, 0) == BlockState::right;
}

void refuse_if(const Named& named, const std::optional<std::string>& used, std::string_view accepted) {
    if (used) refuse(named, *used, accepted);
}

void refuse_used_device(const Named& named, const SystemRoots& roots) {
    constexpr std::string_view free_device = "a device that nothing uses";
    const struct stat& what = named.status;
    refuse_if(named, mounted(what, roots), free_device);
    refuse_if(named, held_by_stack(what, roots), free_device);
    refuse_if(named, swapped_to(what, roots), free_device);
    refuse_if(named, partitioned(what, roots), "a device without partitions, or one of its partitions");
    refuse_if(named, backs_loop(what, roots), free_device);
    refuse_if(named, read_only_device(what, roots), "a device that may be written");
    refuse_if(named, open_elsewhere(what, roots), "a device that no other process has open");

    // What no list shows (a mount in another namespace) the kernel knows: it lends a device to one alone.
    const os::FileDescriptor device(::open(named.path.c_str(), O_RDONLY | O_EXCL | O_CLOEXEC | O_NONBLOCK));
    if (!device) {
        if (errno == EBUSY) refuse(named, "is held by another user of it (EBUSY)", free_device);
        refuse(named, fmt::format("cannot be opened ({})", std::strerror(errno)),
               "a device that this user may open");
    }
    const off_t end = ::lseek(device.get(), 0, SEEK_END);
    refuse_if(named, content_in_use(device.get(), end > 0 ? static_cast<std::uint64_t>(end) : 0),
              "a device without such marks (wipefs -a removes them)");
}

/// The kernel grants a lease for reading only where nobody has the file open for writing, also where this
/// user may not look into the other's process. A file system that knows no leases does not count.
bool is_written_by_somebody(const std::filesystem::path& path) {
    const os::FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    return file && ::fcntl(file.get(), F_SETLEASE, F_RDLCK) != 0 && errno == EAGAIN;
}

void refuse_used_file(const Named& named, const SystemRoots& roots) {
    constexpr std::string_view free_file = "a file that nothing else uses";
    if (named.status.st_nlink > 1) {
        refuse(named, fmt::format("has {} names (hard links)", named.status.st_nlink),
               "a file with one name");
    }
    refuse_if(named, swapped_to(named.status, roots), free_file);
    refuse_if(named, backs_loop(named.status, roots), free_file);
    refuse_if(named, open_elsewhere(named.status, roots), free_file);
    if (is_written_by_somebody(named.path)) refuse(named, "is open for writing", free_file);
}

}  // namespace

void refuse_unasked_write(std::string_view where, const Target& target,
                          const std::vector<std::filesystem::path>& allowed, const SystemRoots& roots) {
    if (target.is_scratch()) return;
    Named named{where, target.path};
    if (::stat(target.path.c_str(), &named.status) != 0) {
        refuse(named, fmt::format("cannot be looked at ({})", std::strerror(errno)),
               "an existing file or block device");
    }
    // By what it is now, whatever it was when the target was looked at.
    if (S_ISBLK(named.status.st_mode)) {
        refuse_unnamed(named, allowed);
        refuse_used_device(named, roots);
    } else if (S_ISREG(named.status.st_mode)) {
        if (!begins_as_ours(target.path)) refuse_unnamed(named, allowed);
        refuse_used_file(named, roots);
    } else {
        refuse(named, "is neither a file nor a block device", "a file or a block device");
    }
}

}  // namespace assay::storage
