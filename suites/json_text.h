#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace assay {

/// JSON from text. A syntax error is an InputError "FILE:LINE:COLUMN: ..."; so is a key that stands twice in
/// an object.
nlohmann::json parse_json(std::string_view text, const std::string& file);

/// "a, b or c", for the accepted values in an error; more than `most` are cut with "...".
std::string alternatives(const std::vector<std::string>& names, std::size_t most = 64);

}  // namespace assay
