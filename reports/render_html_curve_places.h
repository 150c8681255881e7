#pragma once

#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "reports/curve.h"
#include "reports/render_html_axis.h"
#include "reports/render_html_placement.h"

// Where the parts of a curve's drawing stand, before anything is written.
namespace assay::html {

/// A drawing's own units, about CSS pixels on the page that it is for; left to bottom are the plot's edges.
struct CurveFrame {
    std::string_view style;
    double width, height, left, right, top, bottom;
};

/// The height of a row of text.
constexpr double curve_row = 12.5;

/// What can be drawn of one line: a place for each point that has both coordinates.
struct PlacedLine {
    CurveLine what;
    std::size_t number = 0;                             ///< colour and marker
    std::vector<std::pair<std::size_t, Place>> places;  ///< the point's index, its place
};

struct PlacedMark {
    const CurveMark* mark = nullptr;
    double x = 0;
    std::size_t line = 0;
    std::optional<std::size_t> point;  ///< the measured point that it is; nothing where it was interpolated
    Place place;
};

struct PlacedGuide {
    std::string_view name;
    double x = 0;
};

struct PlacedCurve {
    CurveFrame frame;
    const Requirement* x_bound = nullptr;
    const Requirement* y_bound = nullptr;
    Unit unit_x = Unit::count;
    Unit unit_y = Unit::count;
    Axis x, y;
    double greatest_x = 0;  ///< of what was measured; the axis goes further
    std::vector<PlacedLine> lines;
    std::vector<PlacedMark> marks;
    std::vector<PlacedGuide> guides;  ///< those within the axis
};

/// Nothing where no point can be drawn. The axes hold every point, every mark and both bounds.
std::optional<PlacedCurve> place_curve(const Curve& curve, const Report& report, const CurveFrame& frame);

}  // namespace assay::html
