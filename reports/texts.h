#pragma once

#include <string>
#include <string_view>

#include "reports/report.h"

namespace assay {

/// A phrase of the reports in a language: texts_en.cpp and texts_zh.cpp hold the same keys (a test compares
/// them).
std::string_view phrase(Language language, std::string_view key);

/// A number with its unit scaled for people: "512 GB", "87.3 µs", "1.24 M operation/s". GB is 10^9; GiB is
/// said where meant.
std::string format_quantity(double value, Unit unit, Language language);
/// The bound as people read it: "≥ 500 K operation/s".
std::string format_bound(const Requirement& requirement, Language language);

}  // namespace assay
