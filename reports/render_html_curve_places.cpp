#include "reports/render_html_curve_places.h"

#include <algorithm>
#include <cmath>

namespace assay::html {

namespace {

/// Nothing was done where x is zero, so there is nothing to draw.
std::optional<double> x_of(const Curve& curve, const CurvePoint& point) {
    const std::optional<double> value = curve_x(curve, point);
    return value && *value > 0 ? value : std::nullopt;
}

/// Only what is above zero has a place on a logarithmic axis.
std::optional<double> y_of(const CurvePoint& point, const CurveLine& line) {
    const std::optional<double> value = finite_statistic(point.y[line.series], line.statistic);
    return value && *value > 0 ? value : std::nullopt;
}

struct Range {
    double low = 0, high = 0;
    bool any = false;
    void take(double value) {
        low = any ? std::min(low, value) : value;
        high = any ? std::max(high, value) : value;
        any = true;
    }
};

PlacedLine placed_line(const Curve& curve, std::size_t number, const PlacedCurve& placed) {
    PlacedLine line{curve.lines()[number], number, {}};
    for (std::size_t at = 0; at < curve.points.size(); ++at) {
        const std::optional<double> x = x_of(curve, curve.points[at]);
        const std::optional<double> y = y_of(curve.points[at], line.what);
        if (x && y) line.places.push_back({at, {placed.x.place(*x), placed.y.place(*y)}});
    }
    return line;
}

/// The point that a mark is: one that has its x and keeps within its bound.
std::optional<std::size_t> point_of(const Curve& curve, const CurveMark& mark, double marked_x) {
    for (std::size_t at = 0; at < curve.points.size(); ++at) {
        const std::optional<double> x = x_of(curve, curve.points[at]);
        const std::optional<double> y = y_of(curve.points[at], {mark.statistic, 0});
        if (x && y && std::abs(*x - marked_x) <= 1e-9 * marked_x && *y <= mark.y * (1 + 1e-9)) return at;
    }
    return std::nullopt;
}

/// The marks without their places. A mark of zero says that no point keeps within the bound.
std::vector<PlacedMark> marks_of(const Curve& curve) {
    std::vector<PlacedMark> marks;
    const std::vector<Statistic>& lines = curve.declaration->lines;
    for (const CurveMark& mark : curve.declaration->marks) {
        const std::vector<Statistic>::const_iterator line =
            std::find(lines.begin(), lines.end(), mark.statistic);
        const std::vector<Metric>& metrics = curve.outcome->metrics;
        const std::vector<Metric>::const_iterator metric =
            std::find_if(metrics.begin(), metrics.end(), [&](const Metric& one) {
                return one.name == mark.metric && std::isfinite(one.value) && one.value > 0;
            });
        if (line == lines.end() || metric == metrics.end()) continue;
        marks.push_back({&mark, metric->value, static_cast<std::size_t>(line - lines.begin()),
                         point_of(curve, mark, metric->value), Place{}});
    }
    return marks;
}

std::vector<PlacedGuide> guides_of(const Curve& curve, const Axis& axis) {
    std::vector<PlacedGuide> guides;
    for (const CurveGuide& guide : curve.declaration->guides) {
        for (const Metric& metric : curve.outcome->metrics) {
            const bool is_inside = metric.value > axis.low && metric.value < axis.high;
            if (metric.name == guide.metric && is_inside)
                guides.push_back({guide.name, axis.place(metric.value)});
        }
    }
    return guides;
}

}  // namespace

std::optional<PlacedCurve> place_curve(const Curve& curve, const Report& report, const CurveFrame& frame) {
    const CurveDeclaration& declaration = *curve.declaration;
    PlacedCurve placed;
    placed.frame = frame;
    placed.x_bound = reference_for(declaration.x_reference, Direction::higher, report);
    placed.y_bound = reference_for(declaration.y_reference, Direction::lower, report);
    Range x_range, y_range;
    for (const CurvePoint& point : curve.points) {
        const std::optional<double> x = x_of(curve, point);
        for (const CurveLine& line : curve.lines()) {
            const std::optional<double> y = y_of(point, line);
            if (!x || !y) continue;
            x_range.take(*x);
            y_range.take(*y);
            placed.unit_y = point.y[line.series]->unit;
        }
    }
    if (!x_range.any) return std::nullopt;
    placed.unit_x = curve_x_unit(curve);
    placed.marks = marks_of(curve);
    for (const PlacedMark& mark : placed.marks) {
        x_range.take(mark.x);
        y_range.take(mark.mark->y);
    }
    placed.greatest_x = x_range.high;
    // The lines' names stand to the right of the last points.
    const double share_for_names = 46 / (frame.right - frame.left);
    const double low = x_range.low / 1.2;
    double high = low * std::pow(1.2 * x_range.high / x_range.low, 1 / (1 - share_for_names));
    if (placed.x_bound != nullptr) high = std::max(high, 1.25 * placed.x_bound->bound.low);
    if (placed.y_bound != nullptr) y_range.take(placed.y_bound->bound.low);
    placed.x = {low, high, frame.left, frame.right, true};
    // Below the lowest point stand the points' names, and a row a mark.
    const double reserved = 16 + curve_row * static_cast<double>(placed.marks.size());
    // Above the highest one, the guides' names.
    const double headroom = declaration.guides.empty() ? 1.25 : 1.8;
    placed.y = {y_range.low / 1.12, y_range.high * headroom, frame.bottom - reserved, frame.top, true};
    placed.guides = guides_of(curve, placed.x);
    for (std::size_t number = 0; number < curve.lines().size(); ++number) {
        placed.lines.push_back(placed_line(curve, number, placed));
    }
    for (PlacedMark& mark : placed.marks) {
        const double y =
            mark.point ? *y_of(curve.points[*mark.point], {mark.mark->statistic, 0}) : mark.mark->y;
        mark.place = {placed.x.place(mark.x), placed.y.place(y)};
    }
    return placed;
}

}  // namespace assay::html
