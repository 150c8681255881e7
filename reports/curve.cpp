#include "reports/curve.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "reports/figure.h"
#include "reports/texts.h"

namespace assay {

namespace {

const CurveDeclaration* declaration_for(std::string_view probe) {
    for (const CurveDeclaration& declaration : curve_declarations()) {
        if (declaration.probe == probe) return &declaration;
    }
    return nullptr;
}

/// The metric's place among the points, null where it is none: by its name and by having the axis label.
const std::string* place_of(const Metric& metric, const CurveDeclaration& declaration) {
    if (metric.name != declaration.x && metric.name != declaration.y && metric.name != declaration.aside) {
        return nullptr;
    }
    if (!declaration.series.empty() && !metric.labels.contains(std::string(declaration.series)))
        return nullptr;
    const Labels::const_iterator axis = metric.labels.find(std::string(declaration.axis));
    return axis == metric.labels.end() ? nullptr : &axis->second;
}

double number_of(const std::string& text) {
    double number = 0;
    const std::from_chars_result result = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool whole = result.ec == std::errc() && result.ptr == text.data() + text.size();
    return whole && std::isfinite(number) ? number : std::numeric_limits<double>::infinity();
}

/// "2" before "16", which as texts stand the other way round.
bool is_before(const CurvePoint& one, const CurvePoint& other) {
    const double left = number_of(one.at), right = number_of(other.at);
    return left != right ? left < right : one.at < other.at;
}

CurvePoint& point_at(std::vector<CurvePoint>& points, const std::string& place) {
    for (CurvePoint& point : points) {
        if (point.at == place) return point;
    }
    points.push_back({place, nullptr, {}, nullptr});
    return points.back();
}

/// The index of the metric's series, which is added where it is new.
std::size_t series_of(const Metric& metric, Curve& curve) {
    const std::string_view label = curve.declaration->series;
    const std::string value = label.empty() ? std::string() : metric.labels.at(std::string(label));
    const std::vector<std::string>::iterator found =
        std::find(curve.series.begin(), curve.series.end(), value);
    const std::size_t index = static_cast<std::size_t>(found - curve.series.begin());
    if (found == curve.series.end()) curve.series.push_back(value);
    return index;
}

/// A label that is a number of bytes as a size; other text stays as it is.
std::string size_label(const std::string& text) {
    const double bytes = number_of(text);
    return std::isfinite(bytes) && bytes >= 0 ? memory_size(bytes) : text;
}

}  // namespace

std::span<const CurveDeclaration> curve_declarations() {
    static const std::vector<CurveDeclaration> declarations = {
        {.probe = "storage.latency_curve",
         .title = "curve.latency_by_iops",
         .axis = "depth",
         .axis_title = "curve.depth",
         .axis_note = "curve.depth_note",
         .x = "storage.latency_curve.iops",
         .x_title = "curve.iops",
         .y = "storage.latency_curve.latency",
         .y_title = "curve.latency",
         .lines = {Statistic::mean, Statistic::p50, Statistic::p99, Statistic::p99_9},
         .aside = "storage.latency_curve.in_flight",
         .aside_title = "curve.in_flight",
         .x_reference = "storage.random_read.iops",
         .y_reference = "storage.random_read.latency",
         .marks = {{"storage.latency_curve.iops_within_100us", Statistic::mean, 100e-6},
                   {"storage.latency_curve.iops_within_100us_p99", Statistic::p99, 100e-6}}},
        {.probe = "memory.bandwidth",
         .title = "curve.bandwidth_by_threads",
         .axis = "threads",
         .axis_title = "curve.threads",
         .axis_note = "curve.threads_note",
         .x = {},
         .x_title = "curve.threads",
         .y = "memory.bandwidth.scaling",
         .y_title = "curve.bandwidth",
         .lines = {Statistic::median},
         .axis_unit = Unit::count,
         .series = "kernel",
         .series_name = "curve.kernel"},
        {.probe = "memory.latency",
         .title = "curve.latency_by_bytes",
         .axis = "bytes",
         .axis_title = "curve.bytes",
         .axis_note = "curve.bytes_note",
         .x = {},
         .x_title = "curve.bytes",
         .y = "memory.latency",
         .y_title = "curve.latency",
         .lines = {Statistic::median},
         .series = "page_bytes",
         .series_name = "curve.pages",
         .guides = {{"memory.latency.l1_claimed", "L1"},
                    {"memory.latency.l2_claimed", "L2"},
                    {"memory.latency.l3_claimed", "L3"}}},
        {.probe = "memory.loaded_latency",
         .title = "curve.latency_by_bandwidth",
         .axis = "step",
         .axis_title = "curve.step",
         .axis_note = "curve.step_note",
         .x = "memory.loaded_latency.bandwidth",
         .x_title = "curve.bandwidth",
         .y = "memory.loaded_latency.latency",
         .y_title = "curve.latency",
         .lines = {Statistic::median}},
    };
    return declarations;
}

std::vector<CurveLine> Curve::lines() const {
    std::vector<CurveLine> lines;
    for (std::size_t at = 0; at < series.size(); ++at) {
        for (const Statistic statistic : declaration->lines) lines.push_back({statistic, at});
    }
    return lines;
}

std::optional<Curve> curve_of(const Outcome& outcome) {
    Curve curve{declaration_for(outcome.the_case.probe), &outcome, {}, {}};
    if (curve.declaration != nullptr && curve.declaration->series.empty()) curve.series = {""};
    if (curve.declaration == nullptr) return std::nullopt;
    for (const Metric& metric : outcome.metrics) {
        const std::string* const place = place_of(metric, *curve.declaration);
        if (place == nullptr) continue;
        CurvePoint& point = point_at(curve.points, *place);
        if (metric.name == curve.declaration->x) point.x = &metric;
        if (metric.name == curve.declaration->y) {
            const std::size_t series = series_of(metric, curve);
            if (point.y.size() <= series) point.y.resize(series + 1, nullptr);
            point.y[series] = &metric;
        }
        if (metric.name == curve.declaration->aside) point.aside = &metric;
    }
    if (curve.points.empty()) return std::nullopt;
    for (CurvePoint& point : curve.points) point.y.resize(curve.series.size(), nullptr);
    std::stable_sort(curve.points.begin(), curve.points.end(), is_before);
    return curve;
}

std::vector<const Metric*> metrics_beside_curve(const Outcome& outcome) {
    const CurveDeclaration* const declaration = declaration_for(outcome.the_case.probe);
    std::vector<const Metric*> beside;
    for (const Metric& metric : outcome.metrics) {
        if (declaration == nullptr || place_of(metric, *declaration) == nullptr) beside.push_back(&metric);
    }
    return beside;
}

std::optional<double> curve_x(const Curve& curve, const CurvePoint& point) {
    if (!curve.declaration->x.empty()) {
        return point.x == nullptr ? std::nullopt : finite_statistic(point.x, point.x->statistic);
    }
    const double number = number_of(point.at);
    return std::isfinite(number) ? std::optional(number) : std::nullopt;
}

Unit curve_x_unit(const Curve& curve) {
    if (curve.declaration->x.empty()) return curve.declaration->axis_unit;
    for (const CurvePoint& point : curve.points) {
        if (point.x != nullptr) return point.x->unit;
    }
    return Unit::count;
}

std::string memory_size(double bytes) {
    std::string_view unit = "B";
    for (const std::string_view larger : {"KiB", "MiB", "GiB", "TiB"}) {
        if (bytes < 1024) break;
        bytes /= 1024;
        unit = larger;
    }
    return fmt::format("{:.4g} {}", bytes, unit);
}

std::string point_name(const Curve& curve, const CurvePoint& point) {
    const CurveDeclaration& declaration = *curve.declaration;
    return declaration.x.empty() && declaration.axis_unit == Unit::byte ? size_label(point.at) : point.at;
}

std::string line_name(const Curve& curve, const CurveLine& line, Language language) {
    if (curve.declaration->series.empty()) {
        return std::string(phrase(language, fmt::format("statistic.{}", to_string(line.statistic))));
    }
    return phrase_with(language, curve.declaration->series_name, size_label(curve.series[line.series]));
}

std::optional<double> finite_statistic(const Metric* metric, Statistic statistic) {
    if (metric == nullptr) return std::nullopt;
    const std::optional<double> value =
        metric->statistic == statistic ? metric->value : figure_of(*metric, statistic).value;
    return value && std::isfinite(*value) ? value : std::nullopt;
}

const Requirement* reference_for(std::string_view metric, Direction direction, const Report& report) {
    for (const JudgedRequirement& judged : report.requirements) {
        const Requirement& requirement = judged.requirement;
        const std::vector<std::string>& counts_for = requirement.counts_for;
        if (requirement.select.metric != metric || requirement.divided_by) continue;
        if (std::find(counts_for.begin(), counts_for.end(), "poc") == counts_for.end()) continue;
        const Comparison comparison = requirement.bound.comparison;
        const bool bounds = direction == Direction::higher
                                ? comparison == Comparison::at_least || comparison == Comparison::above
                                : comparison == Comparison::at_most || comparison == Comparison::below;
        const double bound = requirement.bound.low;
        if (bounds && std::isfinite(bound) && bound > 0) return &requirement;
    }
    return nullptr;
}

}  // namespace assay
