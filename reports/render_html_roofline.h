#pragma once

#include <string>

#include "reports/report.h"
#include "reports/roofline.h"

namespace assay::html {

/// A device's roofline as one drawing (wide, and narrow for a telephone), what it lacks, and the table of its
/// kernels by the numbers that stand beside their points.
std::string roofline_figure(const Roofline& roofline, const Report& report, Language language);

}  // namespace assay::html
