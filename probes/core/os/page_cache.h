#pragma once

#include <optional>

#include "probes/core/os/file_descriptor.h"

namespace assay::os {

/// Writes a file's dirty pages out and asks the kernel to forget them all. The kernel keeps pages that are
/// mapped or locked: resident_share() tells what is left. Throws std::system_error.
void drop_page_cache(const FileDescriptor& file);

/// The same, again and again until no page has come back for 50 ms, or a second has passed: those that the
/// kernel is still reading ahead cannot be forgotten yet. Returns the share that stayed, 0..1; nothing
/// where the kernel does not tell this user: since Linux 5.2 it tells only a file's owner and who may
/// write to it. Throws std::system_error.
std::optional<double> make_cold(const FileDescriptor& file);

/// Share of a file's pages that are in the page cache, 0..1; 0 for an empty file. Where the kernel does
/// not tell this user, it says 1. Throws std::system_error.
double resident_share(const FileDescriptor& file);

}  // namespace assay::os
