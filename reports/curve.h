#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "reports/report.h"

namespace assay {

/// A metric of the same outcome that is one place on the curve: the most of x with a statistic of y within a
/// bound.
struct CurveMark {
    std::string_view metric;  ///< "storage.latency_curve.iops_within_100us"
    Statistic statistic;      ///< the line that it lies on
    double y;                 ///< the bound, in y's unit
};

/// A metric of the same outcome that is a value of x to be seen in the drawing: the size of a cache.
struct CurveGuide {
    std::string_view metric;  ///< "memory.latency.l2_claimed"
    std::string_view name;    ///< "L2"
};

/// A family of metrics that a probe reports once for every value of an axis label, and that only together say
/// something: shown as one drawing and one table, and never metric by metric. What depends on which curves
/// there are stands here alone.
struct CurveDeclaration {
    std::string_view probe;
    std::string_view title;       ///< a phrase, like the other titles
    std::string_view axis;        ///< the label in which the points differ: "depth"
    std::string_view axis_title;  ///< heads its column
    std::string_view axis_note;   ///< says of the drawing's small numbers, or of its guides, what they are
    /// The metric along the horizontal axis; empty: the axis label itself, in `axis_unit`. Both axes are
    /// logarithmic.
    std::string_view x;
    std::string_view x_title;
    std::string_view y;  ///< the metric along the vertical axis
    std::string_view y_title;
    std::vector<Statistic> lines;  ///< of y; the first one is the headline and has its interval in the table
    Unit axis_unit = Unit::byte;   ///< of the axis label where it is x itself: sizes in memory, or a count
    std::string_view series =
        {};  ///< a label whose every value has its own lines: "page_bytes"; may be empty
    std::string_view series_name = {};  ///< a phrase for such a line, "{}" is the value as a size in memory
    std::string_view aside = {};        ///< a metric for the table alone; may be empty
    std::string_view aside_title = {};
    // Metrics whose requirement draws a line across: at least so much of x, at most so much of y.
    std::string_view x_reference = {};
    std::string_view y_reference = {};
    std::vector<CurveMark> marks = {};
    std::vector<CurveGuide> guides = {};
};

std::span<const CurveDeclaration> curve_declarations();

/// What was measured at one value of the axis label; null where the outcome lacks it.
struct CurvePoint {
    std::string at;  ///< the label's value: "32"
    const Metric* x = nullptr;
    std::vector<const Metric*> y;  ///< one for each of the curve's series
    const Metric* aside = nullptr;
};

/// What is drawn as one line: a statistic of one series.
struct CurveLine {
    Statistic statistic = Statistic::median;
    std::size_t series = 0;
};

/// A curve as an outcome holds it, and good for as long as the outcome is.
struct Curve {
    const CurveDeclaration* declaration = nullptr;
    const Outcome* outcome = nullptr;
    std::vector<CurvePoint> points;  ///< by the axis label as a number; what is no number comes last
    std::vector<std::string>
        series;  ///< values of the declaration's label, in the order measured; else one, ""

    std::vector<CurveLine> lines() const;  ///< the first series' statistics, then the next one's
};

/// Nothing where the outcome has no point of a curve that is declared for its probe.
std::optional<Curve> curve_of(const Outcome& outcome);

/// The metrics that are no points of the outcome's curve, in their order: those to be shown one by one.
std::vector<const Metric*> metrics_beside_curve(const Outcome& outcome);

/// A point's place along the horizontal axis, where it is a finite number; and its unit.
std::optional<double> curve_x(const Curve& curve, const CurvePoint& point);
Unit curve_x_unit(const Curve& curve);
/// "1.5 MiB": a size that is counted in powers of two.
std::string memory_size(double bytes);
/// The axis label as it is shown: a size in memory ("16 KiB") where it is x itself and that is in bytes.
std::string point_name(const Curve& curve, const CurvePoint& point);
/// The statistic's name, or the series'.
std::string line_name(const Curve& curve, const CurveLine& line, Language language);

/// A statistic of a metric, where it is a finite number.
std::optional<double> finite_statistic(const Metric* metric, Statistic statistic);

/// The first judged requirement that counts for every run and bounds this metric in `direction`: at least or
/// above a value where higher is better, at most or below it where lower is. Null where there is none.
const Requirement* reference_for(std::string_view metric, Direction direction, const Report& report);

}  // namespace assay
