#pragma once

#include <nlohmann/json_fwd.hpp>

#include "kernels/device/device.h"

namespace assay {

/// A device as journals and `assay list devices --json` have it. What is empty is left out; a journal older
/// than a field reads as if it were empty.
nlohmann::json device_to_json(const DeviceInfo& device);
/// Throws nlohmann::json::exception.
DeviceInfo device_from_json(const nlohmann::json& value);

/// Adds the keys `devices`, `absences` and `cuda_kernels` to the object.
void add_survey(nlohmann::json& object, const DeviceSurvey& survey);
/// Throws nlohmann::json::exception.
DeviceSurvey survey_from_json(const nlohmann::json& object);

}  // namespace assay
