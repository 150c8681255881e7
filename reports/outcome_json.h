#pragma once

#include <nlohmann/json_fwd.hpp>

#include "probes/core/outcome.h"

namespace assay {

/// An outcome as JSON, schema assay.outcome/1 (suites/schemas/outcome.json), and back. Non-finite numbers
/// become null. Reading throws InputError with a JSON pointer to what is wrong.
nlohmann::json outcome_to_json(const Outcome& outcome);
Outcome outcome_from_json(const nlohmann::json& json);

nlohmann::json case_to_json(const Case& the_case);
Case case_from_json(const nlohmann::json& json);

/// Parameter or label values: a canonical decimal number becomes a JSON number, everything else a string.
nlohmann::json value_to_json(const std::string& value);
std::string value_from_json(const nlohmann::json& json);

}  // namespace assay
