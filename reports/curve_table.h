#pragma once

#include <string>
#include <vector>

#include "reports/curve.h"

namespace assay {

/// A column of a curve's table: its heading, and a cell a point.
struct CurveColumn {
    enum class Kind { axis, x, aside, headline, interval, other_line };
    Kind kind = Kind::axis;
    std::string heading;
    std::vector<std::string> cells;  ///< "–" where there is no finite number
};

/// Everything that is shown of a curve's points: axis label, x, the metric aside, the first statistic of y
/// with its interval, the other statistics. A column without any figure is left out.
std::vector<CurveColumn> curve_columns(const Curve& curve, Language language);

/// The table for a terminal of so many columns. In a narrow one what tells least gives way: the metric aside,
/// then the interval, then the second statistic.
std::string curve_text(const Curve& curve, Language language, int columns);

}  // namespace assay
