#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

namespace assay::cli {

/// Adds the devices, as this process finds them, to the document of `assay list --json`: who asks for it runs
/// in a child, which a driver may end.
void add_devices(nlohmann::json& document);

/// The same for people, as lines of at most `columns`; asked in a child.
std::string devices_text(int columns);

}  // namespace assay::cli
