#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "reports/requirement.h"

namespace assay {

/// A requirement or contradiction as it stands in a suite file (suites/schemas/suite.json). `where` is the
/// JSON pointer of the value, for the one line of an InputError: unknown keys, missing keys, a unit or
/// comparison that is none.
Requirement requirement_from_json(const nlohmann::json& json, const std::string& where);
Contradiction contradiction_from_json(const nlohmann::json& json, const std::string& where);
nlohmann::json requirement_to_json(const Requirement& requirement);

}  // namespace assay
