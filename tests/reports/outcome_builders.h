#pragma once

#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "reports/report.h"

namespace assay::building {

/// A measured case without metrics.
inline Outcome outcome_of(std::string probe, std::map<std::string, std::string> parameters = {}) {
    Outcome outcome;
    outcome.the_case = {std::move(probe), std::move(parameters)};
    outcome.started_at = "2026-01-02T03:04:05.000Z";
    outcome.duration_seconds = 1.5;
    return outcome;
}

inline Outcome outcome_with_status(Outcome outcome, Status status, std::string reason) {
    outcome.status = status;
    outcome.reason = std::move(reason);
    return outcome;
}

/// A sampled metric whose median and mean are `value`, with one interval for both.
inline Metric sampled(std::string name, double value, std::optional<Interval> ci95, Labels labels = {},
                      Unit unit = Unit::operation_per_second, Direction direction = Direction::higher) {
    Metric metric;
    metric.name = std::move(name);
    metric.unit = unit;
    metric.direction = direction;
    metric.labels = std::move(labels);
    metric.value = value;
    metric.summary.samples = 30;
    metric.summary.minimum = value * 0.5;
    metric.summary.maximum = value * 2;
    metric.summary.median = value;
    metric.summary.mean = value;
    metric.summary.median_ci95 = ci95;
    metric.summary.mean_ci95 = ci95;
    metric.summary.interval_method = "block bootstrap";
    return metric;
}

inline Metric exact(std::string name, double value, Labels labels = {}, Unit unit = Unit::count) {
    Metric metric = sampled(std::move(name), value, std::nullopt, std::move(labels), unit);
    metric.summary.samples = 1;
    metric.summary.interval_method = "exact";
    return metric;
}

inline Metric in_words(std::string name, std::string text, Unit unit) {
    Metric metric = exact(std::move(name), 0, {}, unit);
    metric.direction = Direction::none;
    metric.text = std::move(text);
    return metric;
}

inline Outcome with(Outcome outcome, Metric metric) {
    outcome.metrics.push_back(std::move(metric));
    return outcome;
}

inline Requirement requirement_on(std::string id, std::string metric, Bound bound,
                                  Unit unit = Unit::operation_per_second) {
    Requirement requirement;
    requirement.id = std::move(id);
    requirement.counts_for = {"poc"};
    requirement.select.metric = std::move(metric);
    requirement.bound = std::move(bound);
    requirement.unit = unit;
    requirement.title = {"title of " + requirement.id, requirement.id + " 的标题"};
    requirement.sources = {{"002", "五", "目标值:IOPS≥500K,延迟≤100μs。"}};
    requirement.reading = {"our reading", "我们的理解"};
    return requirement;
}

inline Bound at_least(double bound) {
    return {Comparison::at_least, bound, 0, ""};
}
inline Bound at_most(double bound) {
    return {Comparison::at_most, bound, 0, ""};
}

/// Runs a small python program with `input` on its standard input; its exit status. What it prints goes to
/// the test's standard error.
inline int run_python(const std::string& program, const std::string& input,
                      const std::string& argument = "") {
    const std::string command = "/usr/bin/python3 -c '" + program + "' '" + argument + "' 1>&2";
    std::FILE* pipe = ::popen(command.c_str(), "w");
    if (pipe == nullptr) return -1;
    std::fwrite(input.data(), 1, input.size(), pipe);
    return ::pclose(pipe);
}

inline std::filesystem::path source_tree() {
    return ASSAY_SOURCE_DIR;
}

}  // namespace assay::building
