#include "reports/outcome_json.h"

#include <charconv>
#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "reports/utf8.h"

namespace assay {

using nlohmann::json;

namespace {

/// JSON has no word for a number that is not finite.
json number_to_json(double number) {
    if (!std::isfinite(number)) return nullptr;
    return number;
}

json optional_to_json(const std::optional<double>& number) {
    if (!number) return nullptr;
    return number_to_json(*number);
}

json interval_to_json(const std::optional<Interval>& interval) {
    if (!interval) return nullptr;
    return json::array({number_to_json(interval->low), number_to_json(interval->high)});
}

/// Text from devices and errors may hold anything, a JSON string only UTF-8.
json text_to_json(const std::string& text) {
    return valid_utf8(text);
}

json values_to_json(const std::map<std::string, std::string>& values) {
    json object = json::object();
    for (const auto& [name, value] : values) object[valid_utf8(name)] = value_to_json(value);
    return object;
}

json summary_to_json(const Summary& summary) {
    json percentiles = json::object();
    json intervals = json::object();
    for (const Percentile& percentile : summary.percentiles) {
        const std::string rank = fmt::format("{}", percentile.rank);
        percentiles[rank] = number_to_json(percentile.value);
        if (percentile.ci95) intervals[rank] = interval_to_json(percentile.ci95);
    }
    return json{{"samples", summary.samples},
                {"min", number_to_json(summary.minimum)},
                {"median", number_to_json(summary.median)},
                {"median_ci95", interval_to_json(summary.median_ci95)},
                {"mean", number_to_json(summary.mean)},
                {"mean_ci95", interval_to_json(summary.mean_ci95)},
                {"max", number_to_json(summary.maximum)},
                {"stddev", number_to_json(summary.standard_deviation)},
                {"mad", number_to_json(summary.median_absolute_deviation)},
                {"percentiles", std::move(percentiles)},
                {"percentiles_ci95", std::move(intervals)},
                {"sustained", optional_to_json(summary.sustained)},
                {"sustained_ci95", interval_to_json(summary.sustained_ci95)},
                {"steady", summary.steady},
                {"converged", summary.converged},
                {"interval_method", text_to_json(summary.interval_method)}};
}

json histogram_to_json(const Histogram& histogram) {
    json buckets = json::array();
    for (const auto& [lower_ns, count] : histogram.buckets()) {
        buckets.push_back(json::array({lower_ns, count}));
    }
    return json{{"min_ns", histogram.minimum()},
                {"max_ns", histogram.maximum()},
                {"mean_ns", number_to_json(histogram.mean())},
                {"buckets", std::move(buckets)}};
}

json points_to_json(const std::vector<SeriesPoint>& points) {
    json series = json::array();
    for (const SeriesPoint& point : points)
        series.push_back(json::array({number_to_json(point.at), number_to_json(point.value)}));
    return series;
}

json metric_to_json(const Metric& metric) {
    const bool in_words = metric.unit == Unit::version || metric.unit == Unit::text;
    json samples = json::array();
    for (const double sample : metric.samples) samples.push_back(number_to_json(sample));
    json object{{"name", text_to_json(metric.name)},
                {"unit", to_string(metric.unit)},
                {"direction", to_string(metric.direction)},
                {"labels", values_to_json(metric.labels)},
                {"statistic", to_string(metric.statistic)},
                {"value", in_words ? json(nullptr) : number_to_json(metric.value)},
                {"summary", summary_to_json(metric.summary)},
                {"samples", std::move(samples)},
                {"series", points_to_json(metric.series)},
                {"histogram", metric.histogram ? histogram_to_json(*metric.histogram) : json(nullptr)},
                {"limit", nullptr}};
    if (in_words) object["text"] = text_to_json(metric.text);
    if (metric.limit) {
        object["limit"] = {{"value", number_to_json(metric.limit->value)},
                           {"source", text_to_json(metric.limit->source)}};
    }
    return object;
}

json conditions_to_json(const Conditions& conditions) {
    return json{{"cpu_steal", optional_to_json(conditions.cpu_steal)},
                {"pressure", optional_to_json(conditions.pressure)},
                {"throttled", optional_to_json(conditions.throttled)},
                {"foreign_io", optional_to_json(conditions.foreign_io)},
                {"foreign_cpu", optional_to_json(conditions.foreign_cpu)},
                {"device_throttled", optional_to_json(conditions.device_throttled)}};
}

json telemetry_to_json(const std::vector<TelemetrySeries>& telemetry) {
    json list = json::array();
    for (const TelemetrySeries& series : telemetry) {
        json one{{"name", text_to_json(series.name)},
                 {"unit", to_string(series.unit)},
                 {"points", points_to_json(series.points)}};
        if (!series.reason.empty()) one["reason"] = text_to_json(series.reason);
        list.push_back(std::move(one));
    }
    return list;
}

/// The number that a text is, if writing that number again gives the very same text.
json number_of(const std::string& text) {
    const char* const first = text.data();
    const char* const last = first + text.size();
    std::int64_t whole = 0;
    const std::from_chars_result signed_end = std::from_chars(first, last, whole);
    if (signed_end.ec == std::errc() && signed_end.ptr == last) return whole;
    std::uint64_t large = 0;
    const std::from_chars_result unsigned_end = std::from_chars(first, last, large);
    if (unsigned_end.ec == std::errc() && unsigned_end.ptr == last) return large;
    double real = 0;
    const std::from_chars_result real_end = std::from_chars(first, last, real);
    if (real_end.ec == std::errc() && real_end.ptr == last && std::isfinite(real)) return real;
    return nullptr;
}

}  // namespace

json value_to_json(const std::string& value) {
    const json number = number_of(value);
    if (number.is_number() && value_from_json(number) == value) return number;
    return text_to_json(value);
}

std::string value_from_json(const json& value) {
    if (value.is_string()) return value.get<std::string>();
    if (value.is_number_unsigned()) return fmt::format("{}", value.get<std::uint64_t>());
    if (value.is_number_integer()) return fmt::format("{}", value.get<std::int64_t>());
    if (value.is_number_float()) return fmt::format("{}", value.get<double>());
    if (value.is_boolean()) return value.get<bool>() ? "true" : "false";
    throw InputError("a parameter or label must be a number, a string, true or false, not " + value.dump());
}

json case_to_json(const Case& the_case) {
    return json{{"probe", text_to_json(the_case.probe)}, {"parameters", values_to_json(the_case.parameters)}};
}

json outcome_to_json(const Outcome& outcome) {
    json the_case = case_to_json(outcome.the_case);
    the_case["resolved"] = values_to_json(outcome.resolved);
    json metrics = json::array();
    for (const Metric& metric : outcome.metrics) metrics.push_back(metric_to_json(metric));
    json checks = json::array();
    for (const Check& check : outcome.checks) {
        checks.push_back(json{{"name", text_to_json(check.name)},
                              {"passed", check.passed},
                              {"error", optional_to_json(check.error)},
                              {"detail", text_to_json(check.detail)}});
    }
    json notes = json::array();
    for (const std::string& note : outcome.notes) notes.push_back(text_to_json(note));
    json object{{"schema", "assay.outcome/1"},
                {"case", std::move(the_case)},
                {"status", to_string(outcome.status)},
                {"reason", outcome.reason.empty() ? json(nullptr) : text_to_json(outcome.reason)},
                {"metrics", std::move(metrics)},
                {"checks", std::move(checks)},
                {"conditions", conditions_to_json(outcome.conditions)},
                {"notes", std::move(notes)},
                {"started_at", text_to_json(outcome.started_at)},
                {"duration_seconds", number_to_json(outcome.duration_seconds)}};
    if (!outcome.telemetry.empty()) object["telemetry"] = telemetry_to_json(outcome.telemetry);
    return object;
}

}  // namespace assay
