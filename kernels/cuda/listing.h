#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "kernels/cuda/driver.h"

namespace assay::cuda {

/// A device as the driver lists it.
struct ListedDevice {
    DeviceNumber number = 0;
    DeviceInfo info;            ///< id cuda:N, N as the driver counts them
    std::string unusable = {};  ///< why this build cannot run on it, or nobody can; empty: it can
};

struct Listing {
    const Driver* driver = nullptr;  ///< null where there is none, or it does not start
    std::vector<ListedDevice> devices;
    std::string absence = {};  ///< why there is no device; empty where there is one
};

/// Asks the driver. Makes no context, so that nothing is taken of any card.
Listing list_cards();

/// "580.65.06", of the driver's module in the kernel; empty where /proc does not tell. `root` stands for "/".
std::string kernel_module_version(const std::filesystem::path& root = "/");

}  // namespace assay::cuda
