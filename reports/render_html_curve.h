#pragma once

#include <string>

#include "reports/curve.h"

namespace assay::html {

/// The curve as a drawing, with the bounds of the report's requirements as lines across it, and as a table.
/// The drawing is made twice, for wide pages and for telephones: the style sheet shows one of them. Without a
/// point that can be drawn there is the table alone.
std::string curve_figure(const Curve& curve, const Report& report, Language language);

}  // namespace assay::html
