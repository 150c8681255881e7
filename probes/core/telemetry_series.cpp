#include "probes/core/telemetry_series.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "kernels/device/telemetry.h"

namespace assay {

namespace {

/// The value that holds at a time: that of the first point not before it.
double value_at(const TelemetrySeries& series, double at) {
    const auto found =
        std::lower_bound(series.points.begin(), series.points.end(), at,
                         [](const SeriesPoint& point, double wanted) { return point.at < wanted; });
    if (found != series.points.end()) return found->value;
    return series.points.empty() ? 0 : series.points.back().value;
}

/// Spans of time in which one of `series` was above a half.
std::vector<Interval> spans_of_any(const std::vector<const TelemetrySeries*>& series) {
    std::set<double> times;
    for (const TelemetrySeries* one : series)
        for (const SeriesPoint& point : one->points) times.insert(point.at);
    std::vector<Interval> spans;
    std::optional<double> before;
    for (const double at : times) {
        const bool holds = std::any_of(series.begin(), series.end(),
                                       [at](const TelemetrySeries* one) { return value_at(*one, at) > 0.5; });
        if (holds && before && !spans.empty() && spans.back().high == *before) {
            spans.back().high = at;
        } else if (holds && (before || times.size() == 1)) {
            spans.push_back({before.value_or(at), at});
        }
        before = at;
    }
    return spans;
}

/// Their share of the time that the first of `series` covers, as all do.
double share_of_any(const std::vector<const TelemetrySeries*>& series) {
    const std::vector<Interval> spans = spans_of_any(series);
    if (spans.empty()) return 0;
    const std::vector<SeriesPoint>& points = series.front()->points;
    const double duration = points.back().at - points.front().at;
    double held = 0;
    for (const Interval& span : spans) held += span.high - span.low;
    return duration > 0 ? held / duration : 1;
}

bool power_limit_lowered(const std::optional<double>& limit, const std::optional<double>& own) {
    // Limits are set in whole watts, and rounded on the way.
    return limit && own && *limit < *own - 1;
}

}  // namespace

const TelemetrySeries* find_series(const std::vector<TelemetrySeries>& telemetry, std::string_view name) {
    for (const TelemetrySeries& series : telemetry)
        if (series.name == name && series.reason.empty() && !series.points.empty()) return &series;
    return nullptr;
}

double mean_over_time(const TelemetrySeries& series) {
    if (series.points.empty()) return 0;
    const double duration = series.points.back().at - series.points.front().at;
    if (duration <= 0) return series.points.back().value;
    double sum = 0;
    for (std::size_t i = 1; i < series.points.size(); ++i)
        sum += series.points[i].value * (series.points[i].at - series.points[i - 1].at);
    return sum / duration;
}

double greatest_value(const TelemetrySeries& series) {
    double greatest = series.points.empty() ? 0 : series.points.front().value;
    for (const SeriesPoint& point : series.points) greatest = std::max(greatest, point.value);
    return greatest;
}

bool ClockLimits::power_limit_lowered() const {
    return assay::power_limit_lowered(power_limit, default_power_limit);
}

std::string ClockLimits::in_words() const {
    std::string words;
    for (const auto& [reason, share] : reasons)
        words += fmt::format("{}{} ({:.0f} % of the time)", words.empty() ? "" : ", ", reason, share * 100);
    if (power_limit_lowered()) {
        words += fmt::format("{}power limit {:.0f} W of {:.0f} W", words.empty() ? "" : ", ", *power_limit,
                             *default_power_limit);
    }
    return words;
}

std::optional<ClockLimits> clock_limits(const std::vector<TelemetrySeries>& telemetry) {
    if (find_series(telemetry, "throttled") == nullptr) return std::nullopt;
    ClockLimits limits;
    if (const TelemetrySeries* series = find_series(telemetry, "power_limit")) {
        limits.power_limit = series->points.front().value;
        for (const SeriesPoint& point : series->points)
            limits.power_limit = std::min(*limits.power_limit, point.value);
    }
    if (const TelemetrySeries* series = find_series(telemetry, "default_power_limit"))
        limits.default_power_limit = series->points.back().value;
    std::vector<const TelemetrySeries*> all, hindering;
    for (const TelemetrySeries& series : telemetry) {
        if (series.name != "throttled" || series.reason.empty()) continue;
        const double share = share_of_any({&series});
        if (share <= 0) continue;
        limits.reasons.emplace_back(series.reason, share);
        all.push_back(&series);
        if (series.reason != software_power_cap || limits.power_limit_lowered()) hindering.push_back(&series);
    }
    std::stable_sort(limits.reasons.begin(), limits.reasons.end(),
                     [](const auto& left, const auto& right) { return left.second > right.second; });
    limits.held_down = share_of_any(all);
    limits.hindered = share_of_any(hindering);
    limits.hindered_spans = spans_of_any(hindering);
    return limits;
}

}  // namespace assay
