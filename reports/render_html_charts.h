#pragma once

#include <string>
#include <string_view>

#include "reports/report.h"

// Charts as inline SVG, sized by their viewBox and coloured by the page's style.
namespace assay::html {

/// A bar from zero to the measured value with the bound as a line, its passing side tinted and the interval
/// as a whisker. Empty where there is nothing to draw: no figure, or a bound that is no positive number.
std::string bound_mark(const JudgedRequirement& judged, Language language);

/// Everything drawn of a metric: the histogram of its operations, its samples over time, or where neither is
/// known its samples in the order taken. Empty for a single value. `name` is what the captions call it.
std::string metric_charts(const Metric& metric, std::string_view name, Language language);

}  // namespace assay::html
