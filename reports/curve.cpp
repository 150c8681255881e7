#include "reports/curve.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "reports/figure.h"

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
    points.push_back({place});
    return points.back();
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
    };
    return declarations;
}

std::optional<Curve> curve_of(const Outcome& outcome) {
    Curve curve{declaration_for(outcome.the_case.probe), &outcome, {}};
    if (curve.declaration == nullptr) return std::nullopt;
    for (const Metric& metric : outcome.metrics) {
        const std::string* const place = place_of(metric, *curve.declaration);
        if (place == nullptr) continue;
        CurvePoint& point = point_at(curve.points, *place);
        if (metric.name == curve.declaration->x) point.x = &metric;
        if (metric.name == curve.declaration->y) point.y = &metric;
        if (metric.name == curve.declaration->aside) point.aside = &metric;
    }
    if (curve.points.empty()) return std::nullopt;
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
