#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <span>
#include <utility>

#include "probes/core/resampling.h"
#include "probes/core/sampling.h"
#include "probes/core/statistics.h"

namespace assay {

namespace {

constexpr double second_per_nanosecond = 1e-9;
constexpr std::array<double, 6> reported_ranks = {50, 90, 95, 99, 99.9, 99.99};
// Fewer groups of slices tell nothing of how the level varies; more cost time and tell no more.
constexpr std::size_t fewest_groups = 3;
constexpr std::size_t most_groups = 64;

// A duration is not negative, however wide its interval was made.
Interval scaled(const Interval& nanoseconds) {
    return {std::max(0.0, nanoseconds.low) * second_per_nanosecond, nanoseconds.high * second_per_nanosecond};
}

Interval enclosing(const Interval& first, const Interval& second) {
    return {std::min(first.low, second.low), std::max(first.high, second.high)};
}

// Neighbouring slices that hold operations, merged into at most `most_groups`.
std::vector<Histogram> grouped(const std::vector<Histogram>& slices) {
    std::vector<const Histogram*> filled;
    for (const Histogram& slice : slices)
        if (slice.count() > 0) filled.push_back(&slice);
    const std::size_t count = std::min(filled.size(), most_groups);
    std::vector<Histogram> groups(count);
    for (std::size_t i = 0; i < filled.size(); ++i) groups[i * count / filled.size()].merge(*filled[i]);
    return groups;
}

// The operations of each group by bucket, over those buckets alone that any group fills.
struct Resampler {
    std::vector<double> middles;  // nanoseconds, ascending
    std::vector<std::vector<std::pair<std::size_t, std::uint64_t>>> groups;
    std::vector<double> sums;  // nanoseconds, exact
    std::vector<std::uint64_t> counts;

    Resampler(const std::vector<Histogram>& histograms, const Histogram& all) {
        std::vector<std::uint64_t> lower_bounds;
        for (const std::pair<std::uint64_t, std::uint64_t>& bucket : all.buckets()) {
            lower_bounds.push_back(bucket.first);
            const std::uint64_t next = Histogram::lower_bound_of(Histogram::bucket_of(bucket.first) + 1);
            // As Histogram::percentile has it, so that replicates vary about the estimate.
            middles.push_back(std::clamp(static_cast<double>(bucket.first + next - 1) / 2,
                                         static_cast<double>(all.minimum()),
                                         static_cast<double>(all.maximum())));
        }
        for (const Histogram& histogram : histograms) {
            std::vector<std::pair<std::size_t, std::uint64_t>>& group = groups.emplace_back();
            for (const std::pair<std::uint64_t, std::uint64_t>& bucket : histogram.buckets()) {
                const std::vector<std::uint64_t>::iterator at =
                    std::lower_bound(lower_bounds.begin(), lower_bounds.end(), bucket.first);
                group.emplace_back(static_cast<std::size_t>(at - lower_bounds.begin()), bucket.second);
            }
            sums.push_back(histogram.mean() * static_cast<double>(histogram.count()));
            counts.push_back(histogram.count());
        }
    }
};

// What resampling the groups gives: replicates of the mean and of each reported percentile, in nanoseconds.
struct LatencyReplicates {
    BlockPlan plan;
    std::vector<double> mean;
    std::array<std::vector<double>, reported_ranks.size()> percentiles;
};

BlockPlan plan_of(const std::vector<Histogram>& groups) {
    std::vector<double> means;
    std::vector<double> medians;
    for (const Histogram& group : groups) {
        means.push_back(group.mean());
        medians.push_back(group.percentile(50));
    }
    // One plan serves all statistics: outliers can hide in the means how the bulk is correlated.
    const BlockPlan by_mean = plan_blocks(means);
    const BlockPlan by_median = plan_blocks(medians);
    return by_mean.correlation_time >= by_median.correlation_time ? by_mean : by_median;
}

LatencyReplicates resample_groups(const std::vector<Histogram>& groups, const Histogram& all) {
    const Resampler source(groups, all);
    LatencyReplicates replicates;
    replicates.plan = plan_of(groups);
    std::vector<std::uint64_t> drawn(source.middles.size());
    Random random(1);
    replicates.mean =
        resample(replicates.plan, bootstrap_replicates, random, [&](std::span<const std::size_t> starts) {
            std::fill(drawn.begin(), drawn.end(), 0);
            double sum = 0;
            std::uint64_t count = 0;
            std::size_t left = groups.size();
            for (const std::size_t start : starts) {
                for (std::size_t i = 0; i < replicates.plan.block && left > 0; ++i, --left) {
                    const std::size_t group = (start + i) % groups.size();
                    for (const std::pair<std::size_t, std::uint64_t>& bucket : source.groups[group])
                        drawn[bucket.first] += bucket.second;
                    sum += source.sums[group];
                    count += source.counts[group];
                }
            }
            std::size_t bucket = 0;
            std::uint64_t seen = drawn[0];
            for (std::size_t i = 0; i < reported_ranks.size(); ++i) {
                const double wanted = reported_ranks[i] / 100 * static_cast<double>(count);
                while (static_cast<double>(seen) < wanted * (1 - 1e-12)) seen += drawn[++bucket];
                replicates.percentiles[i].push_back(source.middles[bucket]);
            }
            return sum / static_cast<double>(count);
        });
    return replicates;
}

// Operations without which no interval exists: with fewer, all of them lie below the true percentile more
// often than in 2.5 % of cases. 368 for p99; from a thousand on in full hundreds: 3 700 for p99.9.
double fewest_operations(double rank) {
    const double fewest = std::ceil(std::log(0.025) / std::log(rank / 100));
    return fewest < 1000 ? fewest : std::ceil(fewest / 100) * 100;
}

// 95 % interval of a percentile from order statistics (Wilks 1948), as if operations were independent.
// Resampling cannot go beyond the slowest operation seen and is too narrow where few lie in the tail.
Interval order_statistic_interval(const Histogram& all, double rank) {
    const double count = static_cast<double>(all.count());
    const double above = 1 - rank / 100;
    const double expected = count * above;
    double fewest = std::floor(expected - 1.96 * std::sqrt(expected * rank / 100));
    double most = std::ceil(expected + 1.96 * std::sqrt(expected * rank / 100));
    if (expected < 300) {
        // Exactly, by the binomial distribution of how many operations lie above the true percentile.
        double probability = std::exp(count * std::log1p(-above));
        double cumulative = probability;
        fewest = 0;
        most = 0;
        while (cumulative < 0.975) {
            if (cumulative <= 0.025) fewest = most + 1;
            probability *= (count - most) / (most + 1) * above / (1 - above);
            cumulative += probability;
            ++most;
        }
    }
    // The k-th operation, asked for at the middle of its share of ranks.
    const double low = std::max(1.0, count - most);
    const double high = std::min(count, count - fewest + 1);
    return {all.percentile((low - 0.5) / count * 100), all.percentile((high - 0.5) / count * 100)};
}

// A percentile is known no better than to its bucket.
Interval to_bucket_edges(const Interval& interval) {
    const std::size_t low = Histogram::bucket_of(static_cast<std::uint64_t>(std::max(0.0, interval.low)));
    const std::size_t high = Histogram::bucket_of(static_cast<std::uint64_t>(interval.high));
    return {static_cast<double>(Histogram::lower_bound_of(low)),
            std::max(interval.high, static_cast<double>(Histogram::lower_bound_of(high + 1)))};
}

// Standard deviation and MAD of single operations, from buckets.
void add_spread(Summary& summary, const Histogram& all) {
    const double middle = all.percentile(50);
    std::vector<std::pair<double, std::uint64_t>> deviations;
    double squares = 0;
    for (const std::pair<std::uint64_t, std::uint64_t>& bucket : all.buckets()) {
        const std::uint64_t next = Histogram::lower_bound_of(Histogram::bucket_of(bucket.first) + 1);
        const double value = static_cast<double>(bucket.first + next - 1) / 2;
        deviations.emplace_back(std::abs(value - middle), bucket.second);
        squares += (value - all.mean()) * (value - all.mean()) * static_cast<double>(bucket.second);
    }
    if (all.count() < 2) return;
    summary.standard_deviation =
        std::sqrt(squares / static_cast<double>(all.count() - 1)) * second_per_nanosecond;
    std::sort(deviations.begin(), deviations.end());
    std::uint64_t seen = 0;
    for (const std::pair<double, std::uint64_t>& deviation : deviations) {
        seen += deviation.second;
        if (2 * seen < all.count()) continue;
        summary.median_absolute_deviation = deviation.first * second_per_nanosecond;
        return;
    }
}

void add_sustained(Summary& summary, const std::vector<Histogram>& slices, const std::vector<double>& ends) {
    const double begin = ends.front() + (ends.back() - ends.front()) * 2 / 3;
    std::vector<Histogram> last;
    Histogram merged;
    for (std::size_t i = 0; i < slices.size(); ++i) {
        if (ends[i] < begin || slices[i].count() == 0) continue;
        last.push_back(slices[i]);
        merged.merge(slices[i]);
    }
    if (last.empty()) return;
    summary.sustained = merged.mean() * second_per_nanosecond;
    const std::vector<Histogram> groups = grouped(last);
    if (groups.size() < fewest_groups) return;
    const LatencyReplicates replicates = resample_groups(groups, merged);
    summary.sustained_ci95 = scaled(widened_interval(replicates.plan, merged.mean(), replicates.mean));
}

double value_of(const Histogram& histogram, const Metric& metric) {
    double nanoseconds = histogram.mean();
    switch (metric.statistic) {
        case Statistic::median:
        case Statistic::p50:
            nanoseconds = histogram.percentile(50);
            break;
        case Statistic::p90:
            nanoseconds = histogram.percentile(90);
            break;
        case Statistic::p95:
            nanoseconds = histogram.percentile(95);
            break;
        case Statistic::p99:
            nanoseconds = histogram.percentile(99);
            break;
        case Statistic::p99_9:
            nanoseconds = histogram.percentile(99.9);
            break;
        case Statistic::p99_99:
            nanoseconds = histogram.percentile(99.99);
            break;
        case Statistic::worst:
            nanoseconds = static_cast<double>(histogram.maximum());
            break;
        case Statistic::mean:
        case Statistic::sustained:
            break;
    }
    return nanoseconds * second_per_nanosecond;
}

}  // namespace

Metric make_latency_metric(const MetricDeclaration& declaration, const std::vector<Histogram>& slices,
                           const std::vector<double>& slice_ends, Statistic statistic, Labels axes) {
    Metric metric;
    metric.name = declaration.name;
    metric.unit = declaration.unit;
    metric.direction = declaration.direction;
    metric.labels = std::move(axes);
    metric.statistic = statistic;
    Histogram all;
    std::vector<double> means;
    for (std::size_t i = 0; i < slices.size(); ++i) {
        if (slices[i].count() == 0) continue;
        all.merge(slices[i]);
        means.push_back(slices[i].mean());
        metric.samples.push_back(value_of(slices[i], metric));
        if (i < slice_ends.size()) metric.series.push_back({slice_ends[i], metric.samples.back()});
    }
    Summary& summary = metric.summary;
    summary.samples = all.count();
    summary.interval_method = "none";
    metric.histogram = all;
    if (all.count() == 0) return metric;
    summary.minimum = static_cast<double>(all.minimum()) * second_per_nanosecond;
    summary.maximum = static_cast<double>(all.maximum()) * second_per_nanosecond;
    summary.median = all.percentile(50) * second_per_nanosecond;
    summary.mean = all.mean() * second_per_nanosecond;
    summary.steady = is_steady(means);
    add_spread(summary, all);
    for (const double rank : reported_ranks)
        summary.percentiles.push_back({rank, all.percentile(rank) * second_per_nanosecond, {}});
    const std::vector<Histogram> groups = grouped(slices);
    if (groups.size() >= fewest_groups) {
        summary.interval_method = "block bootstrap of slices";
        const LatencyReplicates replicates = resample_groups(groups, all);
        summary.mean_ci95 = scaled(widened_interval(replicates.plan, all.mean(), replicates.mean));
        for (std::size_t i = 0; i < reported_ranks.size(); ++i) {
            const double rank = reported_ranks[i];
            if (static_cast<double>(all.count()) < fewest_operations(rank)) continue;
            const Interval interval =
                enclosing(widened_interval(replicates.plan, all.percentile(rank), replicates.percentiles[i]),
                          order_statistic_interval(all, rank));
            summary.percentiles[i].ci95 = scaled(to_bucket_edges(interval));
        }
        summary.median_ci95 = summary.percentiles.front().ci95;
    }
    if (slice_ends.size() == slices.size()) add_sustained(summary, slices, slice_ends);
    metric.value =
        statistic == Statistic::sustained ? summary.sustained.value_or(summary.mean) : value_of(all, metric);
    return metric;
}

}  // namespace assay
