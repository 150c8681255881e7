#pragma once

#include <cstdint>
#include <string>

#include "kernels/device/accelerator.h"

namespace assay {

/// What a case may take of an accelerator's own memory.
struct DeviceRoom {
    std::uint64_t bytes = 0;  ///< what is free, where the driver tells; else all of it
    std::string words;        ///< "8589934592 bytes (8 GiB) may be used and 4096 bytes are free now"
};
DeviceRoom room_of(const Accelerator& accelerator);

}  // namespace assay
