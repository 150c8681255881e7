#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

#include "probes/storage/target/occupancy.h"
#include "probes/storage/target/target.h"

namespace assay::storage {

/// The first of two guards of what a user has on his disks (the other is open_for_writing, which asks nobody
/// but the kernel). By looking only, throws InputError, `where` first, for a named target that
/// - is not in `allowed` by the very same path, or
/// - is a device that is mounted, partitioned, part of a RAID, volume group or other stack, swap space, the
///   backing of a loop device, read-only, held by somebody, or open in another process; or says of itself
///   that it is a part of such a thing that is switched off, or
/// - is a file that is swap space, backs a loop device, has a second name, or is open for writing elsewhere.
/// A file that begins with assay's own pattern need not be named. What is no named target (a scratch file) is
/// not looked at. Call it before the target is opened: an own descriptor would count as somebody's.
void refuse_unasked_write(std::string_view where, const Target& target,
                          const std::vector<std::filesystem::path>& allowed, const SystemRoots& roots = {});

}  // namespace assay::storage
