#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "tests/reports/outcome_builders.h"

namespace assay::building {

/// A latency by the mean of single operations, with percentiles in the ratios of a healthy drive.
inline Metric curve_latency(const std::string& depth, double mean) {
    Metric metric = sampled("storage.latency_curve.latency", mean, Interval{mean * 0.99, mean * 1.01},
                            {{"depth", depth}}, Unit::second, Direction::lower);
    metric.statistic = Statistic::mean;
    metric.histogram.emplace();
    for (const auto& [rank, times] : std::initializer_list<std::pair<double, double>>{
             {50, 0.97}, {90, 1.08}, {95, 1.15}, {99, 1.25}, {99.9, 2.4}, {99.99, 6}}) {
        metric.summary.percentiles.push_back(
            {rank, mean * times, Interval{mean * times * 0.98, mean * times}});
        if (std::isfinite(mean))
            metric.histogram->record(static_cast<std::uint64_t>(1e9 * mean * times), 100);
    }
    return metric;
}

/// What storage.latency_curve reports at one depth, appended.
inline void add_curve_point(Outcome& outcome, const std::string& depth, double iops, double mean) {
    Metric reached =
        sampled("storage.latency_curve.iops", iops, Interval{iops * 0.99, iops * 1.01}, {{"depth", depth}});
    for (int at = 0; at < 30; ++at) {
        reached.samples.push_back(iops * (1 + 0.002 * (at % 7 - 3)));
        reached.series.push_back({0.1 * at, reached.samples.back()});
    }
    outcome.metrics.push_back(std::move(reached));
    outcome.metrics.push_back(curve_latency(depth, mean));
    outcome.metrics.push_back(
        exact("storage.latency_curve.in_flight", std::round(iops * mean), {{"depth", depth}}));
}

/// A drive of 885K IOPS and 75 µs, measured at every power of two and at depths found by bisection, in the
/// order in which a probe comes to them.
inline Outcome latency_curve(double most_iops = 885e3, double least_latency = 75e-6) {
    Outcome outcome = outcome_of("storage.latency_curve", {{"target", "auto"}});
    double within = 0, within_p99 = 0;
    for (const int depth : {1, 2, 4, 8, 16, 32, 64, 128, 256, 96, 80, 72, 76, 78, 24, 28}) {
        const double queued = depth / most_iops;
        const double mean = std::pow(std::pow(least_latency, 4) + std::pow(queued, 4), 0.25);
        const double iops = depth / mean;
        add_curve_point(outcome, std::to_string(depth), iops, mean);
        if (mean <= 100e-6) within = std::max(within, iops);
        if (1.25 * mean <= 100e-6) within_p99 = std::max(within_p99, iops);
    }
    const auto summary = [&](const std::string& name, double value) {
        outcome.metrics.push_back(
            sampled("storage.latency_curve." + name, value, Interval{value * 0.99, value * 1.01}));
    };
    if (within > 0) summary("iops_within_100us", within);
    if (within_p99 > 0) summary("iops_within_100us_p99", within_p99);
    return outcome;
}

}  // namespace assay::building
