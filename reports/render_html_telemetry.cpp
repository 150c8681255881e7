#include <algorithm>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "probes/core/telemetry_series.h"
#include "reports/render_html_charts.h"
#include "reports/render_html_parts.h"
#include "reports/telemetry_text.h"
#include "reports/texts.h"

namespace assay::html {

namespace {

struct Chart {
    std::string_view series;
    std::string_view limit;  ///< another series, whose last value is the limit; empty: none
};
constexpr Chart charts[] = {
    {"power", "power_limit"}, {"temperature", ""}, {"memory_temperature", ""}, {"clock", "maximum_clock"}};
/// Folded: open for every case, they would hide what matters.
constexpr Chart further_charts[] = {
    {"utilisation", ""}, {"memory_clock", ""}, {"ecc_corrected", ""}, {"ecc_uncorrected", ""}};

bool is_steady_count(const TelemetrySeries& series) {
    return series.unit == Unit::count &&
           std::all_of(series.points.begin(), series.points.end(),
                       [&](const SeriesPoint& point) { return point.value == series.points.front().value; });
}

std::string drawings_of(std::span<const Chart> chosen, const Outcome& outcome,
                        const std::vector<Interval>& shaded, Language language) {
    std::string drawn;
    const TelemetrySeries* const events = find_series(outcome.telemetry, "xid");
    for (const Chart& chart : chosen) {
        const TelemetrySeries* const series = find_series(outcome.telemetry, chart.series);
        // Errors that were counted before and did not become more are nothing to draw.
        if (series == nullptr || is_steady_count(*series)) continue;
        SeriesDrawing drawing;
        drawing.caption = phrase(language, fmt::format("telemetry.{}", chart.series));
        drawing.unit = series->unit;
        drawing.points = series->points;
        drawing.shaded = shaded;
        if (events != nullptr) drawing.events = events->points;
        drawing.event_name = "Xid";
        if (const TelemetrySeries* limit = find_series(outcome.telemetry, chart.limit)) {
            drawing.limit = limit->points.back().value;
            drawing.limit_name = phrase(language, fmt::format("telemetry.{}", chart.limit));
        }
        drawn += series_drawing(drawing, language);
    }
    return drawn.empty() ? "" : fmt::format("<div class=\"charts\">\n{}</div>\n", drawn);
}

}  // namespace

void append_telemetry(std::string& out, const Outcome& outcome, Language language) {
    std::string line = telemetry_line(outcome, language);
    if (line.empty()) return;
    const std::optional<ClockLimits> limits = clock_limits(outcome.telemetry);
    const std::vector<Interval> shaded = limits ? limits->hindered_spans : std::vector<Interval>();
    if (!shaded.empty()) line += fmt::format(" · {}", phrase(language, "telemetry.shaded"));
    out += fmt::format("<div class=\"telemetry\"><h5>{}</h5><p class=\"small\">{}</p>\n",
                       phrase(language, "case.telemetry"), escape(line));
    out += drawings_of(charts, outcome, shaded, language);
    const std::string further = drawings_of(further_charts, outcome, shaded, language);
    if (!further.empty())
        out += fmt::format("<details><summary>{}</summary>\n{}</details>\n",
                           phrase(language, "telemetry.further"), further);
    out += "</div>\n";
}

}  // namespace assay::html
