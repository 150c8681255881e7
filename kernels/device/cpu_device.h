#pragma once

#include <memory>

#include "kernels/device/device.h"

namespace assay {

DeviceInfo cpu_device_info();
std::unique_ptr<Device> open_cpu_device();

}  // namespace assay
