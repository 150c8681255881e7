#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "kernels/device/device.h"

namespace assay {

/// Longer than a server with eight cards takes whose driver is loaded for it; only a hung one needs more.
constexpr std::chrono::seconds survey_time_limit{30};

/// What `PROGRAM list devices --json` tells, run as a child: a vendor's driver may crash or hang who asks it.
/// Then cpu:0 alone is there, and an absence says what became of the others.
DeviceSurvey survey_in_child(const std::filesystem::path& program,
                             std::chrono::duration<double> time_limit = survey_time_limit);

/// Whether it is one of those that `each:gpu` stands for: cards, each once however many ways lead to it.
bool is_gpu(const DeviceInfo& device);

/// Why there is no GPU on the machine: what it has, and what is absent. Nothing where there is one.
std::optional<std::string> no_gpu_reason(const DeviceSurvey& survey);
/// Why there is no device of that id.
std::string no_device_reason(const DeviceSurvey& survey, std::string_view id);

}  // namespace assay
