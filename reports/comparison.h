#pragma once

#include <optional>
#include <string_view>

#include "probes/core/metric.h"
#include "reports/requirement.h"

namespace assay {

/// Where an interval lies against a bound: wholly on the side that passes, wholly on the other, or across.
enum class Side { inside, outside, across };

/// A figure without interval is one whose ends are equal. The bound itself is inside for at_least, at_most,
/// between and equals, and outside for above and below.
Side side_of(const Interval& interval, const Bound& bound);

/// How far inside the bound a value is, as a share of the bound (of the nearer one for `between`); negative
/// outside. Nothing where that bound is zero.
std::optional<double> margin_of(double value, const Bound& bound);

/// Versions part by part: runs of digits as numbers, the rest as text, a missing number as zero, so that
/// 11.10 > 11.6 and 11.6 = 11.6.0. A leading "v" is left out. Negative, zero or positive.
int compare_versions(std::string_view left, std::string_view right);

/// Whether a version or text is on the passing side of the bound's text.
bool text_is_inside(std::string_view value, Unit unit, const Bound& bound);

}  // namespace assay
