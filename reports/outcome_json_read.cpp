#include <algorithm>
#include <charconv>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "reports/json_names.h"
#include "reports/json_reader.h"
#include "reports/outcome_json.h"

namespace assay {

using nlohmann::json;

namespace {

std::optional<double> optional_number(const std::optional<JsonNode>& node) {
    if (!node) return std::nullopt;
    return node->number();
}

Interval read_interval(const JsonNode& node) {
    if (node.expect_array() != 2) node.expected("an array of two numbers");
    return {node.element(0).number_or_nan(), node.element(1).number_or_nan()};
}

std::optional<Interval> optional_interval(const std::optional<JsonNode>& node) {
    if (!node) return std::nullopt;
    return read_interval(*node);
}

std::string optional_text(const std::optional<JsonNode>& node) {
    return node ? node->text() : std::string();
}

std::map<std::string, std::string> read_values(const JsonNode& node) {
    node.expect_object();
    std::map<std::string, std::string> values;
    for (const auto& [name, value] : node.value().items()) {
        if (value.is_structured() || value.is_null()) {
            node.required(name).expected("a number, a string, true or false");
        }
        values.emplace(name, value_from_json(value));
    }
    return values;
}

std::vector<Percentile> read_percentiles(const JsonNode& values, const std::optional<JsonNode>& intervals) {
    values.expect_object();
    std::vector<Percentile> percentiles;
    for (const auto& [rank, ignored] : values.value().items()) {
        const JsonNode node = values.required(rank);
        Percentile percentile;
        const char* const last = rank.data() + rank.size();
        const std::from_chars_result end = std::from_chars(rank.data(), last, percentile.rank);
        if (end.ec != std::errc() || end.ptr != last || percentile.rank < 0 || percentile.rank > 100) {
            node.fail("expected a key from 0 to 100, the percentile's rank");
        }
        percentile.value = node.number_or_nan();
        if (intervals) percentile.ci95 = optional_interval(intervals->find(rank));
        percentiles.push_back(percentile);
    }
    std::sort(percentiles.begin(), percentiles.end(),
              [](const Percentile& left, const Percentile& right) { return left.rank < right.rank; });
    return percentiles;
}

Summary read_summary(const JsonNode& node) {
    Summary summary;
    summary.samples = node.required("samples").whole_number();
    summary.minimum = node.required("min").number_or_nan();
    summary.median = node.required("median").number_or_nan();
    summary.median_ci95 = optional_interval(node.find("median_ci95"));
    summary.mean = node.required("mean").number_or_nan();
    summary.mean_ci95 = optional_interval(node.find("mean_ci95"));
    summary.maximum = node.required("max").number_or_nan();
    summary.standard_deviation = node.required("stddev").number_or_nan();
    summary.median_absolute_deviation = node.required("mad").number_or_nan();
    const std::optional<JsonNode> percentiles = node.find("percentiles");
    const std::optional<JsonNode> intervals = node.find("percentiles_ci95");
    if (percentiles) summary.percentiles = read_percentiles(*percentiles, intervals);
    summary.sustained = optional_number(node.find("sustained"));
    summary.sustained_ci95 = optional_interval(node.find("sustained_ci95"));
    const std::optional<JsonNode> steady = node.find("steady");
    if (steady) summary.steady = steady->boolean();
    const std::optional<JsonNode> converged = node.find("converged");
    if (converged) summary.converged = converged->boolean();
    summary.interval_method = optional_text(node.find("interval_method"));
    return summary;
}

Histogram read_histogram(const JsonNode& node) {
    const JsonNode list = node.required("buckets");
    std::vector<std::pair<std::uint64_t, std::uint64_t>> buckets;
    buckets.reserve(list.expect_array());
    for (std::size_t i = 0; i < list.value().size(); ++i) {
        const JsonNode bucket = list.element(i);
        if (bucket.expect_array() != 2) bucket.expected("[lower bound in ns, count]");
        buckets.emplace_back(bucket.element(0).whole_number(), bucket.element(1).whole_number());
    }
    const std::uint64_t minimum = node.required("min_ns").whole_number();
    const std::uint64_t maximum = node.required("max_ns").whole_number();
    return Histogram::from_buckets(buckets, minimum, maximum, node.required("mean_ns").number());
}

std::vector<double> read_samples(const JsonNode& node) {
    std::vector<double> samples;
    samples.reserve(node.expect_array());
    for (std::size_t i = 0; i < node.value().size(); ++i) samples.push_back(node.element(i).number_or_nan());
    return samples;
}

std::vector<SeriesPoint> read_series(const JsonNode& node) {
    std::vector<SeriesPoint> series;
    series.reserve(node.expect_array());
    for (std::size_t i = 0; i < node.value().size(); ++i) {
        const JsonNode point = node.element(i);
        if (point.expect_array() != 2) point.expected("[seconds, value]");
        series.push_back({point.element(0).number_or_nan(), point.element(1).number_or_nan()});
    }
    return series;
}

Metric read_metric(const JsonNode& node) {
    Metric metric;
    metric.name = node.required("name").text();
    metric.unit = read_name<Unit>(node.required("unit"));
    metric.direction = read_name<Direction>(node.required("direction"));
    metric.labels = read_values(node.required("labels"));
    metric.statistic = read_name<Statistic>(node.required("statistic"));
    if (metric.unit == Unit::version || metric.unit == Unit::text) {
        metric.text = node.required("text").text();
    } else {
        metric.value = node.required("value").number_or_nan();
    }
    metric.summary = read_summary(node.required("summary"));
    metric.samples = read_samples(node.required("samples"));
    const std::optional<JsonNode> series = node.find("series");
    if (series) metric.series = read_series(*series);
    const std::optional<JsonNode> histogram = node.find("histogram");
    if (histogram) metric.histogram = read_histogram(*histogram);
    const std::optional<JsonNode> limit = node.find("limit");
    if (limit) {
        metric.limit = Limit{limit->required("value").number_or_nan(), optional_text(limit->find("source"))};
    }
    return metric;
}

Check read_check(const JsonNode& node) {
    Check check;
    check.name = node.required("name").text();
    check.passed = node.required("passed").boolean();
    check.error = optional_number(node.find("error"));
    check.detail = optional_text(node.find("detail"));
    return check;
}

Conditions read_conditions(const JsonNode& node) {
    Conditions conditions;
    conditions.cpu_steal = optional_number(node.find("cpu_steal"));
    conditions.pressure = optional_number(node.find("pressure"));
    conditions.throttled = optional_number(node.find("throttled"));
    conditions.foreign_io = optional_number(node.find("foreign_io"));
    conditions.foreign_cpu = optional_number(node.find("foreign_cpu"));
    conditions.device_throttled = optional_number(node.find("device_throttled"));
    return conditions;
}

TelemetrySeries read_telemetry_series(const JsonNode& node) {
    TelemetrySeries series;
    series.name = node.required("name").text();
    series.unit = read_name<Unit>(node.required("unit"));
    series.points = read_series(node.required("points"));
    series.reason = optional_text(node.find("reason"));
    return series;
}

Case read_case(const JsonNode& node) {
    Case the_case;
    the_case.probe = node.required("probe").text();
    if (the_case.probe.empty()) node.fail("the probe has no name");
    the_case.parameters = read_values(node.required("parameters"));
    return the_case;
}

}  // namespace

Case case_from_json(const json& value) {
    return read_case(JsonNode(value, "case#"));
}

Outcome outcome_from_json(const json& value) {
    const JsonNode node(value, "outcome#");
    const JsonNode schema = node.required("schema");
    if (schema.text() != "assay.outcome/1") schema.expected("\"assay.outcome/1\"");
    Outcome outcome;
    const JsonNode the_case = node.required("case");
    outcome.the_case = read_case(the_case);
    const std::optional<JsonNode> resolved = the_case.find("resolved");
    if (resolved) outcome.resolved = read_values(*resolved);
    outcome.status = read_name<Status>(node.required("status"));
    outcome.reason = optional_text(node.find("reason"));
    const JsonNode metrics = node.required("metrics");
    outcome.metrics.reserve(metrics.expect_array());
    for (std::size_t i = 0; i < metrics.value().size(); ++i) {
        outcome.metrics.push_back(read_metric(metrics.element(i)));
    }
    const std::optional<JsonNode> checks = node.find("checks");
    for (std::size_t i = 0; checks && i < checks->expect_array(); ++i) {
        outcome.checks.push_back(read_check(checks->element(i)));
    }
    const std::optional<JsonNode> conditions = node.find("conditions");
    if (conditions) outcome.conditions = read_conditions(*conditions);
    const std::optional<JsonNode> telemetry = node.find("telemetry");
    for (std::size_t i = 0; telemetry && i < telemetry->expect_array(); ++i) {
        outcome.telemetry.push_back(read_telemetry_series(telemetry->element(i)));
    }
    const std::optional<JsonNode> notes = node.find("notes");
    for (std::size_t i = 0; notes && i < notes->expect_array(); ++i) {
        outcome.notes.push_back(notes->element(i).text());
    }
    outcome.started_at = optional_text(node.find("started_at"));
    const std::optional<JsonNode> duration = node.find("duration_seconds");
    if (duration) outcome.duration_seconds = duration->number();
    return outcome;
}

}  // namespace assay
