#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "probes/core/metric.h"

namespace assay {

// Pure functions of samples. Empty input gives 0.
double median_of(std::span<const double> values);
double mean_of(std::span<const double> values);
double standard_deviation_of(
    std::span<const double> values);  ///< n − 1 in the denominator; 0 for fewer than two
double median_absolute_deviation_of(std::span<const double> values);  ///< unscaled
/// Percentile of plain samples at `rank` percent, linear between order statistics (type 7 of Hyndman and Fan
/// 1996).
double percentile_of(std::span<const double> values, double rank);
/// Mean of the values whose time lies in the last third of the span of `at`.
double sustained_of(std::span<const double> values, std::span<const double> at);

/// Lag-one and longer autocorrelation summed up (Geyer's initial positive sequence): 1 for independent
/// samples, (1+r)/(1−r) for an AR(1) series of coefficient r. An effective sample size is n / this.
double integrated_autocorrelation_time(std::span<const double> values);

/// 95 % interval of `statistic` over samples in the order taken, by a block bootstrap whose block length
/// follows the autocorrelation. Deterministic: seeded by `seed`.
Interval bootstrap_interval(std::span<const double> values,
                            const std::function<double(std::span<const double>)>& statistic,
                            std::uint64_t seed = 1);
Interval median_interval(std::span<const double> values);
Interval mean_interval(std::span<const double> values);

/// True when the series has no trend that matters: see statistics.cpp for the test used and its source.
bool is_steady(std::span<const double> values);

/// Everything of Summary that follows from plain samples in the order taken.
Summary summarise(std::span<const double> values, std::span<const double> at);

/// The ratio of two independent series' statistics, with its interval from resampling both.
struct RatioEstimate {
    double value = 0;
    Interval ci95;
};
RatioEstimate ratio_interval(std::span<const double> numerator, std::span<const double> denominator,
                             const std::function<double(std::span<const double>)>& statistic,
                             std::uint64_t seed = 1);

}  // namespace assay
