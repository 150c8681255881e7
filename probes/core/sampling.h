#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "probes/core/clock.h"
#include "probes/core/metric.h"

namespace assay {

/// When sampling may end. At least `minimum_samples` and `minimum_time`, then on until the 95 % interval of
/// `statistic` lies within `relative_precision` of it, or `maximum_time` has passed.
struct SamplingPolicy {
    std::size_t minimum_samples = 30;
    Seconds minimum_time{1.0};
    Seconds maximum_time{10.0};
    double relative_precision = 0.01;
    Statistic statistic = Statistic::median;  ///< median or mean
    Seconds maximum_warm_up{
        2.0};  ///< warm-up samples are thrown away until the level is steady or this has passed
    bool fixed_time = false;  ///< true: exactly maximum_time, whatever the interval (`seconds=` given)
};

struct SampleSet {
    std::vector<double> values;
    std::vector<double> at;  ///< seconds since sampling began (end of warm-up), a time for each value
    std::size_t warm_up_samples = 0;
    bool converged = true;
    bool steady = true;
};

/// The product's one timing loop. `take` makes one sample and returns its value (a rate or a duration); where
/// a sample is a time slice of a steady load, `take` waits for the slice to end. `take` throws to abandon.
SampleSet sample(const SamplingPolicy& policy, Clock& clock, const std::function<double()>& take);

/// The metric of a sample set: summary with intervals, samples, series, and the headline value by
/// `statistic`.
Metric make_metric(const MetricDeclaration& declaration, const SampleSet& set,
                   Statistic statistic = Statistic::median, Labels axes = {});

/// The metric of durations of single operations, one histogram a time slice. `slices` merge into the metric's
/// histogram; the mean's and the percentiles' intervals come from resampling slices. Values in seconds.
/// `statistic` mean or a percentile.
Metric make_latency_metric(const MetricDeclaration& declaration, const std::vector<Histogram>& slices,
                           const std::vector<double>& slice_ends, Statistic statistic, Labels axes = {});

/// An exact quantity (cores, bytes): one sample, no interval.
Metric make_exact_metric(const MetricDeclaration& declaration, double value, Labels axes = {});
/// A fact of kind version or text.
Metric make_text_metric(const MetricDeclaration& declaration, std::string text, Labels axes = {});
/// What can be done only once at a time (a cold load), done a few times: the interval is the range, and says
/// so.
Metric make_range_metric(const MetricDeclaration& declaration, const std::vector<double>& values,
                         Labels axes = {});

}  // namespace assay
