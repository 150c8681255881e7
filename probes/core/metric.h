#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "probes/core/histogram.h"
#include "probes/core/unit.h"

namespace assay {

/// Which way is better. `none`: a fact, neither.
enum class Direction { higher, lower, none };
std::string_view to_string(Direction direction);
std::optional<Direction> direction_from_string(std::string_view name);

/// What of a metric's samples a requirement judges. `worst` is the minimum where higher is better and the
/// maximum where lower is; `sustained` the mean of the last third of the time.
enum class Statistic { median, mean, p50, p90, p95, p99, p99_9, p99_99, worst, sustained };
std::string_view to_string(Statistic statistic);  ///< "median", "p99.9"
std::optional<Statistic> statistic_from_string(std::string_view name);
/// 99.9 of p99.9; nothing for what is no percentile.
std::optional<double> percentile_rank(Statistic statistic);

/// Name and value of what tells one metric from another: {"queue_depth": "32"}. Values are canonical: bytes
/// as a plain decimal number of bytes, numbers without leading zeros.
using Labels = std::map<std::string, std::string>;

/// A 95 % interval, or a range where Summary::interval_method says so.
struct Interval {
    double low = 0;
    double high = 0;
};

/// A percentile of single operations. No interval where there were too few operations for one
/// (368 for p99, 3 700 for p99.9).
struct Percentile {
    double rank = 0;  ///< 99.9
    double value = 0;
    std::optional<Interval> ci95;
};

struct Summary {
    std::size_t samples = 0;
    double minimum = 0;
    double median = 0;
    std::optional<Interval> median_ci95;
    double mean = 0;
    std::optional<Interval> mean_ci95;
    double maximum = 0;
    double standard_deviation = 0;
    double median_absolute_deviation = 0;
    std::vector<Percentile> percentiles;  ///< ascending by rank
    std::optional<double> sustained;
    std::optional<Interval> sustained_ci95;
    bool steady = true;           ///< false: the level drifted while it was sampled
    bool converged = true;        ///< false: the time limit came before the precision asked for
    std::string interval_method;  ///< "block bootstrap", "range of 3", "exact"
};

/// A point of a time series or of a curve.
struct SeriesPoint {
    double at = 0;  ///< seconds since the case began, or the curve's own axis
    double value = 0;
};

/// What the figure could at most be, and how that is known.
struct Limit {
    double value = 0;
    std::string source;  ///< "register-only loop", "datasheet", "PCIe 4.0 x16 arithmetic"
};

/// A named quantity with unit, direction and everything that was sampled of it, enough to be judged again.
struct Metric {
    std::string name;  ///< "storage.random_read.iops"
    Unit unit = Unit::count;
    Direction direction = Direction::none;
    Labels labels;                            ///< the case's parameters and the probe's own axes
    Statistic statistic = Statistic::median;  ///< the headline statistic, which `value` is
    double value = 0;                         ///< base SI; meaningless for version and text
    std::string text;                         ///< the value of the kinds version and text
    Summary summary;
    std::vector<double> samples;         ///< all of them, in the order taken
    std::vector<SeriesPoint> series;     ///< the samples over time; empty where time has no meaning
    std::optional<Histogram> histogram;  ///< of single operations (durations)
    std::optional<Limit> limit;
};

/// What a probe says beforehand of a metric that it may report, so that suites can be checked without a run.
struct MetricDeclaration {
    std::string_view name;
    Unit unit;
    Direction direction;
    std::string_view summary;
    std::vector<std::string_view> axes = {};  ///< labels that it adds to the case's parameters
};

}  // namespace assay
