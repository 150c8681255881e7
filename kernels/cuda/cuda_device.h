#pragma once

#include <memory>
#include <variant>

#include "kernels/device/accelerator.h"

namespace assay::cuda {

/// Adds cuda:N for each device of the driver, or why there is none.
void list_devices(DeviceSurvey& survey);

/// cuda:N. What is missing is a reason; a device that is there and cannot be used throws DeviceError.
std::variant<std::unique_ptr<Device>, Absent> open_cuda_device(std::size_t number);

}  // namespace assay::cuda
