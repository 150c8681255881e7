#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "reports/requirement.h"

namespace assay {

/// A requirement or contradiction as it stands in a suite file (suites/schemas/suite.json). `where` is the
/// JSON pointer of the value, for the one line of an InputError: unknown keys, missing keys, a unit or
/// comparison that is none.
Requirement requirement_from_json(const nlohmann::json& json, const std::string& where);
Contradiction contradiction_from_json(const nlohmann::json& json, const std::string& where);
nlohmann::json requirement_to_json(const Requirement& requirement);
nlohmann::json contradiction_to_json(const Contradiction& contradiction);

// Parts that other forms share: {"at_least": 500000}, [{"document", "section", "quote"}].
nlohmann::json bound_to_json(const Requirement& requirement);
nlohmann::json sources_to_json(const std::vector<Source>& sources);

}  // namespace assay
