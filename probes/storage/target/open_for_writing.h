#pragma once

#include <filesystem>
#include <vector>

#include "probes/core/os/file_descriptor.h"

namespace assay::storage {

/// The only way to open a named target for writing, and the second of two guards (the first,
/// refuse_unasked_write, looks and explains): it holds even where the first was never asked. `flags` are
/// open(2)'s with O_WRONLY or O_RDWR; nothing is ever created or cut. Before the descriptor is handed out,
/// what was really opened is compared with what the very same path in `allowed` leads to; a file that begins
/// with assay's own pattern may be unnamed. A block device is opened with O_EXCL: the kernel refuses one that
/// is mounted, swapped to or held by a stack, and lends it to nobody else that asks so, this process
/// included. Open it once and share the descriptor.
///
/// Throws std::logic_error where the caller was not allowed to (a bug: the first guard was not asked),
/// std::system_error naming path and call where the kernel refuses (EBUSY: somebody holds the device).
os::FileDescriptor open_for_writing(const std::filesystem::path& path, int flags,
                                    const std::vector<std::filesystem::path>& allowed);

}  // namespace assay::storage
