#pragma once

#include <string>
#include <vector>

#include "kernels/opencl/api.h"

namespace assay::opencl {

/// A device as a platform lists it.
struct ListedDevice {
    cl_platform_id platform = nullptr;
    cl_device_id device = nullptr;
    DeviceInfo info;  ///< id opencl:N, counted over all platforms in the loader's order
};

struct Listing {
    std::vector<ListedDevice> devices;
    std::vector<std::string> absences;  ///< no loader, no platform, a platform without devices
};
Listing list_devices();

/// A text of the device; empty where it has none.
std::string device_text(const Api& api, cl_device_id device, cl_device_info what);

}  // namespace assay::opencl
