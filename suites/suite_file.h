#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "suites/suite.h"

namespace assay {

/// A suite or tier file as read, before the tier is laid over the suite. `places` say where each entry and
/// requirement stands ("poc.json#/cases/3"), for errors that are found only later.
struct SuiteFile {
    std::string file;
    std::string extends;  ///< of a tier: the suite that it extends; else empty
    Suite suite;
    std::vector<std::string> entry_places;
    std::vector<std::string> requirement_places;
    std::vector<std::string> contradiction_places;
};

/// Checks the form alone: syntax, keys, types. Throws InputError.
SuiteFile read_suite_file(std::string_view content, const std::string& file);

/// Lays a tier's file over its suite: its cases are added, its requirements replace those of the same id or
/// are added. Throws InputError when the tier extends another suite.
SuiteFile lay_over(SuiteFile suite, SuiteFile tier);

/// Checks every name, value, unit and selection against what the catalogue has, makes the selections' label
/// values canonical, and throws InputError for the first thing wrong. `tiers` are the names that counts_for
/// and a case's "tiers" may use.
void check_suite(SuiteFile& file, const Catalogue& catalogue, const std::vector<std::string>& tiers);

/// Suite::json.
std::string suite_to_json(const Suite& suite);

}  // namespace assay
