#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reports/report.h"

// Charts as inline SVG, sized by their viewBox and coloured by the page's style.
namespace assay::html {

/// A bar from zero to the measured value with the bound as a line, its passing side tinted and the interval
/// as a whisker. Empty where there is nothing to draw: no figure, or a bound that is no positive number.
std::string bound_mark(const JudgedRequirement& judged, Language language);

/// Everything drawn of a metric: the histogram of its operations, its samples over time, or where neither is
/// known its samples in the order taken. Empty for a single value. `name` is what the captions call it.
std::string metric_charts(const Metric& metric, std::string_view name, Language language);

/// A line over time, with what is marked on it.
struct SeriesDrawing {
    std::string caption;
    Unit unit = Unit::count;
    std::vector<SeriesPoint> points;
    std::optional<double> level = {};         ///< a dashed line
    std::optional<Interval> level_ci95 = {};  ///< a band around it
    std::optional<double> limit = {};         ///< a dotted line, where it is near enough to be drawn
    std::string limit_name = {};
    std::vector<Interval> shaded = {};     ///< spans of time
    std::vector<SeriesPoint> events = {};  ///< each a line at its time, named by its value
    std::string event_name = {};           ///< "Xid"
};
/// Empty for fewer than two points.
std::string series_drawing(const SeriesDrawing& drawing, Language language);

}  // namespace assay::html
