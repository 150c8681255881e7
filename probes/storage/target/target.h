#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "probes/core/os/block_device.h"
#include "probes/core/os/file_descriptor.h"
#include "probes/core/os/file_system.h"
#include "probes/core/probe.h"

namespace assay::storage {

/// What is to be measured: a file or block device that the user names, or a scratch file that assay makes or
/// is handed.
struct Target {
    enum class Kind { named_file, named_device, scratch_folder, shared_scratch };
    Kind kind = Kind::scratch_folder;
    std::filesystem::path path;    ///< of the file, the device or the folder
    std::uint64_t size_bytes = 0;  ///< of what is there; 0 in a scratch folder
    os::FileSystem file_system;    ///< that holds it; of a block device only what lies under it tells
    std::optional<os::BlockDevice> device;
    std::vector<os::BlockDevice> leaves;  ///< the disks whose counters tell what was really read
    std::uint64_t logical_block_bytes = 512;

    bool is_scratch() const { return kind == Kind::scratch_folder || kind == Kind::shared_scratch; }
};

/// Looks at what the case's `target` names (several with commas between them; a folder stands for a scratch
/// file in it), or at the scratch folder, without changing anything. Throws InputError for what cannot be
/// used: missing, unreadable, in memory, read-only, no direct I/O.
std::vector<Target> look_at_targets(std::string_view probe, const Case& the_case, const Context& context);
/// The same where there must be just one.
Target look_at_target(std::string_view probe, const Case& the_case, const Context& context);

/// The bytes that a case reads: its `size`, which `auto` makes 10 GiB of a scratch file and all of a named
/// target. Throws InputError where a named target is smaller than asked for.
std::uint64_t span_bytes(std::string_view probe, const Case& the_case, const Target& target);

/// What of the target a reader of the result must know: device, its queue's settings, file system and mount,
/// the CPU's frequency governor. Only read, never changed.
std::map<std::string, std::string> describe(const Target& target);

/// The part of the disks' whole capacity that a load over `span_bytes` reaches: what is much smaller than the
/// device may be served by its cache. A mirror counts all its disks. Nothing where a disk does not tell.
std::optional<double> share_of_device(const Target& target, std::uint64_t span_bytes);

}  // namespace assay::storage
