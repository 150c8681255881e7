#pragma once

#include <memory>
#include <variant>

#include "kernels/device/accelerator.h"

namespace assay::opencl {

/// opencl:N. What is missing is a reason; a device that is there and cannot be used throws DeviceError.
std::variant<std::unique_ptr<Device>, Absent> open_opencl_device(std::size_t number);

}  // namespace assay::opencl
