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

/// A machine of 12 cores whose memory is full from 8 threads on.
inline Outcome bandwidth_scaling() {
    Outcome outcome = outcome_of("memory.bandwidth", {{"kernel", "all"}, {"threads", "auto"}});
    for (const auto& [threads, bandwidth] : std::initializer_list<std::pair<const char*, double>>{
             {"1", 14e9}, {"2", 27e9}, {"4", 52e9}, {"8", 90e9}, {"12", 95e9}, {"16", 97e9}, {"24", 93e9}})
        outcome.metrics.push_back(sampled("memory.bandwidth.scaling", bandwidth,
                                          Interval{bandwidth * 0.99, bandwidth * 1.01},
                                          {{"kernel", "read"}, {"threads", threads}}, Unit::byte_per_second));
    return outcome;
}

/// Caches of 48 KiB, 1.25 MiB and 36 MiB, on two kinds of pages.
inline Outcome memory_latency() {
    Outcome outcome = outcome_of("memory.latency", {{"page", "all"}});
    for (const char* const page : {"4096", "2097152"}) {
        const double slower = page == std::string("4096") ? 1.3 : 1;
        for (const double size : {0x1p14, 0x1p15, 0x1p17, 0x1p20, 0x1p22, 0x1p25, 0x1p27, 0x1p29}) {
            const double latency = size < 48e3 ? 1.5e-9 : size < 1.3e6 ? 5e-9 : size < 36e6 ? 22e-9 : 110e-9;
            outcome.metrics.push_back(
                sampled("memory.latency", latency * slower, Interval{latency, latency * 1.4},
                        {{"bytes", std::to_string(static_cast<std::uint64_t>(size))}, {"page_bytes", page}},
                        Unit::second, Direction::lower));
        }
    }
    for (const auto& [level, size] : std::initializer_list<std::pair<const char*, double>>{
             {"l1", 49152}, {"l2", 1310720}, {"l3", 37748736}})
        outcome.metrics.push_back(
            exact(std::string("memory.latency.") + level + "_claimed", size, {}, Unit::byte));
    return outcome;
}

/// Four steps from idle to full load.
inline Outcome loaded_latency() {
    Outcome outcome = outcome_of("memory.loaded_latency", {{"steps", "4"}});
    for (int step = 0; step <= 4; ++step) {
        const Labels labels = {{"step", std::to_string(step)}, {"page_bytes", "2097152"}};
        const double latency = 100e-9 / (1 - 0.15 * step), bandwidth = 0.5e9 + 10e9 * step;
        outcome.metrics.push_back(sampled("memory.loaded_latency.latency", latency, std::nullopt, labels,
                                          Unit::second, Direction::lower));
        outcome.metrics.push_back(sampled("memory.loaded_latency.bandwidth", bandwidth, std::nullopt, labels,
                                          Unit::byte_per_second));
    }
    return outcome;
}

}  // namespace assay::building
