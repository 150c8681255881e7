#pragma once

#include <filesystem>

#include "probes/core/os/file_descriptor.h"

namespace assay::os {

/// An empty file in `folder` that has no name, so that nothing of it is left behind however this process
/// ends. Open for reading and writing. Throws std::system_error.
FileDescriptor make_nameless_file(const std::filesystem::path& folder);

/// Where an open file can be opened again, named or not: /proc/self/fd/N.
std::filesystem::path path_of(const FileDescriptor& file);

}  // namespace assay::os
