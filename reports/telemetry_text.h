#pragma once

#include <string>

#include "reports/report.h"

namespace assay {

/// What the case's device told of itself, in a line: "power 412 W on average, 698 W at most · 83 °C at most ·
/// clock held down by the power limit (97 % of the time)". Empty where it told nothing.
std::string telemetry_line(const Outcome& outcome, Language language);

}  // namespace assay
