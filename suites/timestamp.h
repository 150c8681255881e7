#pragma once

#include <string>

namespace assay {

/// Now as ISO 8601 in UTC, to the millisecond: "2025-09-25T08:30:00.125Z".
std::string utc_now();
/// Now as it stands in a folder's name: "20250925T083000Z".
std::string utc_for_names();

}  // namespace assay
