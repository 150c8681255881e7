#include <optional>
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
// Load and the memory's clock are in the journal: drawn for every case, they would hide what matters.
constexpr Chart charts[] = {
    {"power", "power_limit"}, {"temperature", ""}, {"memory_temperature", ""}, {"clock", "maximum_clock"}};

}  // namespace

void append_telemetry(std::string& out, const Outcome& outcome, Language language) {
    std::string line = telemetry_line(outcome, language);
    if (line.empty()) return;
    const std::optional<ClockLimits> limits = clock_limits(outcome.telemetry);
    const std::vector<Interval> shaded = limits ? limits->hindered_spans : std::vector<Interval>();
    if (!shaded.empty()) line += fmt::format(" · {}", phrase(language, "telemetry.shaded"));
    out += fmt::format("<div class=\"telemetry\"><h5>{}</h5><p class=\"small\">{}</p>\n",
                       phrase(language, "case.telemetry"), escape(line));
    std::string drawn;
    for (const Chart& chart : charts) {
        const TelemetrySeries* const series = find_series(outcome.telemetry, chart.series);
        if (series == nullptr) continue;
        SeriesDrawing drawing;
        drawing.caption = phrase(language, fmt::format("telemetry.{}", chart.series));
        drawing.unit = series->unit;
        drawing.points = series->points;
        drawing.shaded = shaded;
        if (const TelemetrySeries* limit = find_series(outcome.telemetry, chart.limit)) {
            drawing.limit = limit->points.back().value;
            drawing.limit_name = phrase(language, fmt::format("telemetry.{}", chart.limit));
        }
        drawn += series_drawing(drawing, language);
    }
    if (!drawn.empty()) out += fmt::format("<div class=\"charts\">\n{}</div>\n", drawn);
    out += "</div>\n";
}

}  // namespace assay::html
