#include "probes/storage/target/open_for_writing.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <stdexcept>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "probes/core/os/scratch_file.h"
#include "probes/storage/target/block_pattern.h"

namespace assay::storage {
namespace {

[[noreturn]] void refuse(const std::filesystem::path& path, std::string_view why) {
    throw std::logic_error(fmt::format("{} was about to be opened for writing, but {}", path.string(), why));
}

struct stat status_of(const os::FileDescriptor& file, const std::filesystem::path& path) {
    struct stat status {};
    if (::fstat(file.get(), &status) != 0) {
        throw std::system_error(errno, std::generic_category(), fmt::format("fstat {}", path.string()));
    }
    return status;
}

void refuse_unfit_flags(const std::filesystem::path& path, int flags) {
    if ((flags & O_ACCMODE) != O_WRONLY && (flags & O_ACCMODE) != O_RDWR) {
        refuse(path, "its flags say not for writing");
    }
    // O_TMPFILE is bits of its own and O_DIRECTORY.
    if ((flags & (O_CREAT | O_TRUNC | O_APPEND | O_DIRECTORY | O_PATH)) != 0) {
        refuse(path, "its flags would create, cut or extend it");
    }
}

bool is_the_opened(const std::filesystem::path& path, const struct stat& opened) {
    struct stat named {};
    if (::stat(path.c_str(), &named) != 0) return false;
    if ((named.st_mode & S_IFMT) != (opened.st_mode & S_IFMT)) return false;
    if (S_ISBLK(opened.st_mode)) return named.st_rdev == opened.st_rdev;
    return named.st_dev == opened.st_dev && named.st_ino == opened.st_ino;
}

bool is_allowed(const std::filesystem::path& path, const struct stat& opened,
                const std::vector<std::filesystem::path>& allowed) {
    return std::any_of(allowed.begin(), allowed.end(), [&](const std::filesystem::path& one) {
        return one.native() == path.native() && is_the_opened(one, opened);
    });
}

/// Read through the opened file itself, not through the path, which may lead elsewhere by now.
bool begins_as_ours(const os::FileDescriptor& file) {
    const os::FileDescriptor again = os::open_file(os::path_of(file), O_RDONLY);
    std::array<std::byte, pattern_bytes> block{};
    return ::pread(again.get(), block.data(), block.size(), 0) == static_cast<ssize_t>(block.size()) &&
           check_block(block, 0) == BlockState::right;
}

}  // namespace

os::FileDescriptor open_for_writing(const std::filesystem::path& path, int flags,
                                    const std::vector<std::filesystem::path>& allowed) {
    refuse_unfit_flags(path, flags);
    // First only a hold on what the path leads to: no driver is called, nothing can be changed by it.
    const os::FileDescriptor place = os::open_file(path, O_PATH);
    const struct stat before = status_of(place, path);
    const bool is_device = S_ISBLK(before.st_mode);
    if (!is_device && !S_ISREG(before.st_mode)) refuse(path, "it is neither a block device nor a file");
    if (is_device && !is_allowed(path, before, allowed)) refuse(path, "--allow-destroy does not name it");

    const int all_flags = flags | O_CLOEXEC | (is_device ? O_EXCL : 0);
    os::FileDescriptor file(::open(os::path_of(place).c_str(), all_flags));
    if (!file) {
        const int reason = errno;
        const bool is_held = is_device && reason == EBUSY;
        throw std::system_error(
            reason, std::generic_category(),
            fmt::format("open {} for writing{}", path.string(), is_held ? ", which somebody holds" : ""));
    }
    const struct stat opened = status_of(file, path);
    if (is_allowed(path, opened, allowed)) return file;
    if (is_device || !begins_as_ours(file)) refuse(path, "--allow-destroy does not name it");
    return file;
}

}  // namespace assay::storage
