#pragma once

#include <string>

#include "reports/report.h"

namespace assay {

/// Every case with its figures as a terminal table: what was sampled in a row with its interval and the share
/// of its limit, exact facts on one line below, and of a case that was not measured its status and reason.
std::string text_figures(const Report& report, Language language, int columns);

}  // namespace assay
