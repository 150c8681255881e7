#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "probes/core/case.h"

namespace assay {

/// Whether the case's parameter `target` is this very path, or has it in its list of paths between commas.
/// The text counts, not what it leads to: a link and its device are two names.
bool names_as_target(const Case& the_case, const std::filesystem::path& path);

/// The paths given with --allow-destroy. Throws InputError for one that leads to no block device and no
/// regular file, is given twice, or is the target of none of the cases: a slip of the pen in such an option
/// shall be noticed.
std::vector<std::filesystem::path> parse_allow_destroy(const std::vector<std::string>& given,
                                                       std::span<const Case> cases);

}  // namespace assay
