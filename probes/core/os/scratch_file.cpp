#include "probes/core/os/scratch_file.h"

#include <cerrno>
#include <string>
#include <system_error>

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <fmt/format.h>

namespace assay::os {

FileDescriptor make_nameless_file(const std::filesystem::path& folder) {
    FileDescriptor file(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC, 0600));
    if (file) return file;
    // Kernels that do not know O_TMPFILE see a directory opened for writing: EISDIR.
    if (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT && errno != EINVAL) {
        throw std::system_error(errno, std::generic_category(),
                                fmt::format("open O_TMPFILE in {}", folder.string()));
    }
    std::string name = (folder / ".assay-scratch-XXXXXX").string();
    file = FileDescriptor(::mkostemp(name.data(), O_CLOEXEC));
    if (!file) {
        throw std::system_error(errno, std::generic_category(), fmt::format("mkostemp {}", name));
    }
    if (::unlink(name.c_str()) != 0) {
        throw std::system_error(errno, std::generic_category(), fmt::format("unlink {}", name));
    }
    return file;
}

std::filesystem::path path_of(const FileDescriptor& file) {
    return fmt::format("/proc/self/fd/{}", file.get());
}

}  // namespace assay::os
