#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <variant>

#include "kernels/device/accelerator.h"
#include "probes/core/probe.h"

namespace assay::interconnect {

/// What is there beside the device; tests make it up.
struct Surroundings {
    std::filesystem::path root = "/";  ///< of /sys
    std::function<DeviceSurvey()> survey = survey_devices;
    std::function<std::variant<std::unique_ptr<Device>, Absent>(const std::string&)> open = open_device;
};

/// The outcome of interconnect.transfer on `device`.
Outcome measure_device_copies(const Case& the_case, Context& context, Accelerator& device,
                              const Surroundings& surroundings);

}  // namespace assay::interconnect
