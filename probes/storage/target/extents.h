#pragma once

#include <cstdint>
#include <string>

#include "probes/core/os/file_descriptor.h"

namespace assay::storage {

/// How the blocks of a file lie on its device (FIEMAP).
struct Extents {
    bool known = true;  ///< false: this file system does not tell
    std::uint64_t count = 0;
    std::uint64_t written_bytes = 0;    ///< really on the device
    std::uint64_t unwritten_bytes = 0;  ///< reserved, but reads come out as zeros without touching the device
    std::uint64_t hole_bytes = 0;       ///< nothing there at all
    std::uint64_t encoded_bytes = 0;    ///< compressed or encrypted: the device moves other bytes
    bool complete() const { return unwritten_bytes == 0 && hole_bytes == 0; }
};

/// Of the first `bytes` of a file, dirty data written out before. Throws std::system_error.
Extents read_extents(const os::FileDescriptor& file, std::uint64_t bytes);

/// "12 extents, 4096 bytes of holes": what is wrong, for a message.
std::string describe(const Extents& extents);

}  // namespace assay::storage
