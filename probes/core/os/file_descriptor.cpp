#include "probes/core/os/file_descriptor.h"

#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>

namespace assay::os {

void FileDescriptor::reset() {
    if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
}

FileDescriptor open_file(const std::filesystem::path& path, int flags, mode_t mode) {
    int descriptor = -1;
    do {
        descriptor = ::open(path.c_str(), flags | O_CLOEXEC, mode);
    } while (descriptor < 0 && errno == EINTR);
    if (descriptor < 0) {
        throw std::system_error(errno, std::generic_category(), fmt::format("open {}", path.string()));
    }
    return FileDescriptor(descriptor);
}

FileDescriptor duplicate(int descriptor, const std::filesystem::path& path) {
    FileDescriptor copy(::fcntl(descriptor, F_DUPFD_CLOEXEC, 0));
    if (!copy)
        throw std::system_error(errno, std::generic_category(), fmt::format("dup of {}", path.string()));
    return copy;
}

}  // namespace assay::os
