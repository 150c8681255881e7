#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "probes/core/metric.h"
#include "probes/core/random.h"

namespace assay {

/// How a series is resampled: blocks of `block` neighbours, drawn from the series closed to a ring, and how
/// much the deviations of the replicates are widened for what a short series hides (resampling.cpp says why).
struct BlockPlan {
    std::size_t count = 0;         ///< samples in the series
    std::size_t block = 1;         ///< neighbours drawn together
    double correlation_time = 1;   ///< integrated autocorrelation time, corrected for short series
    double effective_samples = 0;  ///< count / correlation_time
    double inflation = 1;          ///< factor on the deviations of replicates from the estimate
};

/// The plan that the autocorrelation of `values` asks for.
BlockPlan plan_blocks(std::span<const double> values);

/// What one replicate is made of: blocks that begin at `starts` (0 .. count − 1) in the series repeated
/// twice, each `block` long but the last, which fills up to `count`.
using Replicate = std::function<double(std::span<const std::size_t> starts)>;

/// `replicates` estimates by `replicate` from randomly drawn blocks, not yet widened.
std::vector<double> resample(const BlockPlan& plan, std::size_t replicates, Random& random,
                             const Replicate& replicate);

/// The central 95 % of replicates, their distance from `estimate` widened by the plan's inflation.
Interval widened_interval(const BlockPlan& plan, double estimate, std::vector<double> replicates);

/// How many replicates an interval rests on.
inline constexpr std::size_t bootstrap_replicates = 1000;

/// Two-sided 97.5 % quantile of Student's t with any positive number of degrees of freedom.
double student_quantile(double degrees_of_freedom);

}  // namespace assay
