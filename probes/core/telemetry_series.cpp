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

double duration_of(const std::vector<Interval>& spans) {
    double duration = 0;
    for (const Interval& span : spans) duration += span.high - span.low;
    return duration;
}

std::vector<Interval> common_of(const std::vector<Interval>& some, const std::vector<Interval>& others) {
    std::vector<Interval> common;
    for (const Interval& one : some)
        for (const Interval& other : others) {
            const double low = std::max(one.low, other.low);
            const double high = std::min(one.high, other.high);
            if (low < high) common.push_back({low, high});
        }
    return common;
}

/// Their share of the time `within`; of no time whether they hold at all.
double share_of_any(const std::vector<const TelemetrySeries*>& series, const std::vector<Interval>& within) {
    const std::vector<Interval> spans = spans_of_any(series);
    if (spans.empty()) return 0;
    const double duration = duration_of(within);
    return duration > 0 ? duration_of(common_of(spans, within)) / duration : 1;
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

double mean_over_time(const TelemetrySeries& series, const std::vector<Interval>& within) {
    if (series.points.empty()) return 0;
    double sum = 0, duration = 0;
    for (std::size_t i = 1; i < series.points.size(); ++i) {
        const double held = duration_of(common_of({{series.points[i - 1].at, series.points[i].at}}, within));
        sum += series.points[i].value * held;
        duration += held;
    }
    return duration > 0 ? sum / duration : series.points.back().value;
}

double greatest_value(const TelemetrySeries& series) {
    double greatest = series.points.empty() ? 0 : series.points.front().value;
    for (const SeriesPoint& point : series.points) greatest = std::max(greatest, point.value);
    return greatest;
}

TelemetrySeries measuring_series(const std::vector<Interval>& spans) {
    TelemetrySeries series{"measuring", Unit::ratio, {}};
    for (const Interval& span : spans) {
        series.points.push_back({span.low, 0});
        series.points.push_back({span.high, 1});
    }
    return series;
}

std::vector<Interval> measuring_spans(const std::vector<TelemetrySeries>& telemetry) {
    if (const TelemetrySeries* const told = find_series(telemetry, "measuring")) return spans_of_any({told});
    std::optional<Interval> whole;
    for (const TelemetrySeries& series : telemetry) {
        if (series.points.empty()) continue;
        if (!whole) whole = Interval{series.points.front().at, series.points.back().at};
        whole->low = std::min(whole->low, series.points.front().at);
        whole->high = std::max(whole->high, series.points.back().at);
    }
    if (!whole) return {};
    return {*whole};
}

std::vector<Interval> last_third(const std::vector<Interval>& spans) {
    if (spans.empty()) return {};
    const double end = spans.back().high;
    return common_of(spans, {{end - (end - spans.front().low) / 3, end}});
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
    return clock_limits(telemetry, measuring_spans(telemetry));
}

std::optional<ClockLimits> clock_limits(const std::vector<TelemetrySeries>& telemetry,
                                        const std::vector<Interval>& within) {
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
        const double share = share_of_any({&series}, within);
        if (share <= 0) continue;
        limits.reasons.emplace_back(series.reason, share);
        all.push_back(&series);
        if (series.reason != software_power_cap || limits.power_limit_lowered()) hindering.push_back(&series);
    }
    std::stable_sort(limits.reasons.begin(), limits.reasons.end(),
                     [](const auto& left, const auto& right) { return left.second > right.second; });
    limits.held_down = share_of_any(all, within);
    limits.hindered = share_of_any(hindering, within);
    limits.hindered_spans = spans_of_any(hindering);
    return limits;
}

}  // namespace assay
