#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace assay::os {

/// What a file system says of itself (statfs).
struct FileSystem {
    std::string type;           ///< "ext4", "xfs"; the magic number in hexadecimal where it has no name here
    bool in_memory = false;     ///< tmpfs and its like: what is read there never came from a disk
    bool over_network = false;  ///< the device is another machine's
    bool read_only = false;
    std::uint64_t free_bytes = 0;  ///< available to this user
    std::uint64_t total_bytes = 0;
};

/// Of the file system that holds `path`. Throws std::system_error.
FileSystem file_system_of(const std::filesystem::path& path);

}  // namespace assay::os
