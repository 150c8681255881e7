#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "probes/core/sampling.h"
#include "probes/core/statistics.h"

namespace assay {
namespace {

constexpr MetricDeclaration latency = {"domain.latency", Unit::second, Direction::lower, "a duration"};

struct Slices {
    std::vector<Histogram> histograms;
    std::vector<double> ends;
    std::vector<double> operations;  // seconds, all of them
};

// Exponential durations of 100 µs on average, whose level wanders from slice to slice.
Slices simulated(std::size_t slices, std::size_t operations, double coefficient, double wander,
                 std::uint64_t seed) {
    Slices made;
    std::mt19937_64 random(seed);
    std::normal_distribution<double> gauss;
    std::exponential_distribution<double> exponential;
    double state = gauss(random);
    for (std::size_t slice = 0; slice < slices; ++slice) {
        state = coefficient * state + std::sqrt(1 - coefficient * coefficient) * gauss(random);
        made.histograms.emplace_back();
        made.ends.push_back(0.1 * static_cast<double>(slice + 1));
        for (std::size_t i = 0; i < operations; ++i) {
            const double nanoseconds = 100e3 * std::exp(wander * state) * exponential(random);
            made.histograms.back().record(static_cast<std::uint64_t>(nanoseconds));
            made.operations.push_back(std::floor(nanoseconds) * 1e-9);
        }
    }
    return made;
}

Metric metric_of(const Slices& slices, Statistic statistic = Statistic::mean) {
    return make_latency_metric(latency, slices.histograms, slices.ends, statistic, {{"queue_depth", "1"}});
}

const Percentile& percentile(const Metric& metric, double rank) {
    for (const Percentile& one : metric.summary.percentiles)
        if (one.rank == rank) return one;
    throw std::out_of_range("no such percentile");
}

TEST(LatencyMetric, MergesSlicesIntoPercentilesAndAnExactMean) {
    const Slices slices = simulated(50, 400, 0, 0.1, 1);
    const Metric metric = metric_of(slices);
    const Summary& summary = metric.summary;
    EXPECT_EQ(metric.name, "domain.latency");
    EXPECT_EQ(metric.unit, Unit::second);
    EXPECT_EQ(metric.direction, Direction::lower);
    EXPECT_EQ(metric.labels.at("queue_depth"), "1");
    EXPECT_EQ(metric.statistic, Statistic::mean);
    EXPECT_EQ(summary.samples, 20000u);
    EXPECT_EQ(metric.histogram.value().count(), 20000u);
    EXPECT_NEAR(summary.mean, mean_of(slices.operations), 1e-12);
    EXPECT_EQ(metric.value, summary.mean);
    EXPECT_NEAR(summary.minimum, *std::min_element(slices.operations.begin(), slices.operations.end()),
                1e-15);
    EXPECT_NEAR(summary.maximum, *std::max_element(slices.operations.begin(), slices.operations.end()),
                1e-15);
    EXPECT_NEAR(summary.median, median_of(slices.operations), 0.005 * summary.median);
    EXPECT_NEAR(summary.standard_deviation, standard_deviation_of(slices.operations),
                0.002 * summary.standard_deviation);
    EXPECT_NEAR(summary.median_absolute_deviation, median_absolute_deviation_of(slices.operations),
                0.01 * summary.median_absolute_deviation);
    ASSERT_EQ(summary.percentiles.size(), 6u);
    for (const Percentile& one : summary.percentiles) {
        const double exact = percentile_of(slices.operations, one.rank);
        EXPECT_NEAR(one.value, exact, (one.rank > 99.9 ? 0.15 : 0.008) * exact) << one.rank;
    }
    EXPECT_EQ(summary.interval_method, "block bootstrap of slices");
    EXPECT_TRUE(summary.steady);
    EXPECT_TRUE(summary.converged);
}

TEST(LatencyMetric, KeepsTheHeadlineStatisticOfEachSlice) {
    const Slices slices = simulated(10, 500, 0, 0.1, 2);
    const Metric mean = metric_of(slices);
    const Metric tail = metric_of(slices, Statistic::p99);
    ASSERT_EQ(mean.samples.size(), 10u);
    ASSERT_EQ(tail.series.size(), 10u);
    for (std::size_t i = 0; i < 10; ++i) {
        EXPECT_DOUBLE_EQ(mean.samples[i], slices.histograms[i].mean() * 1e-9);
        EXPECT_DOUBLE_EQ(tail.series[i].value, slices.histograms[i].percentile(99) * 1e-9);
        EXPECT_EQ(tail.series[i].at, slices.ends[i]);
    }
}

TEST(LatencyMetric, HeadlineIsTheStatisticAskedFor) {
    const Slices slices = simulated(10, 5000, 0, 0.1, 3);
    const Histogram all = metric_of(slices).histogram.value();
    EXPECT_DOUBLE_EQ(metric_of(slices, Statistic::median).value, all.percentile(50) * 1e-9);
    EXPECT_DOUBLE_EQ(metric_of(slices, Statistic::p50).value, all.percentile(50) * 1e-9);
    EXPECT_DOUBLE_EQ(metric_of(slices, Statistic::p90).value, all.percentile(90) * 1e-9);
    EXPECT_DOUBLE_EQ(metric_of(slices, Statistic::p95).value, all.percentile(95) * 1e-9);
    EXPECT_DOUBLE_EQ(metric_of(slices, Statistic::p99).value, all.percentile(99) * 1e-9);
    EXPECT_DOUBLE_EQ(metric_of(slices, Statistic::p99_9).value, all.percentile(99.9) * 1e-9);
    EXPECT_DOUBLE_EQ(metric_of(slices, Statistic::p99_99).value, all.percentile(99.99) * 1e-9);
    EXPECT_DOUBLE_EQ(metric_of(slices, Statistic::worst).value, static_cast<double>(all.maximum()) * 1e-9);
}

TEST(LatencyMetric, SustainedIsTheMeanOfTheOperationsInTheLastThird) {
    std::vector<Histogram> slices(9);
    std::vector<double> ends;
    for (std::size_t i = 0; i < 9; ++i) {
        slices[i].record(i < 6 ? 1000 : 3000 + i, i < 6 ? 10 : i);
        ends.push_back(static_cast<double>(i));
    }
    const Metric metric = make_latency_metric(latency, slices, ends, Statistic::sustained);
    const double expected = (6 * 3006.0 + 7 * 3007.0 + 8 * 3008.0) / 21 * 1e-9;
    EXPECT_NEAR(metric.value, expected, 1e-15);
    EXPECT_NEAR(metric.summary.sustained.value(), expected, 1e-15);
    EXPECT_NEAR(metric.summary.sustained_ci95.value().low, expected, 1e-8);
    EXPECT_NEAR(metric.summary.sustained_ci95.value().high, expected, 1e-8);
    const Metric untimed = make_latency_metric(latency, slices, {}, Statistic::sustained);
    EXPECT_FALSE(untimed.summary.sustained.has_value());
    EXPECT_EQ(untimed.value, untimed.summary.mean);
    EXPECT_TRUE(untimed.series.empty());
}

TEST(LatencyMetric, ReportsADriftAsNotSteady) {
    std::vector<Histogram> slices(60);
    for (std::size_t i = 0; i < 60; ++i) slices[i].record(100000 + 500 * i, 100);
    EXPECT_FALSE(make_latency_metric(latency, slices, {}, Statistic::mean).summary.steady);
}

TEST(LatencyMetric, GivesNoIntervalOfAPercentileThatTooFewOperationsTell) {
    const auto has_interval = [](std::size_t operations, double rank) {
        std::vector<Histogram> slices(4);
        for (std::size_t i = 0; i < operations; ++i) slices[i % 4].record(1000 + i);
        return percentile(make_latency_metric(latency, slices, {}, Statistic::p99), rank).ci95.has_value();
    };
    EXPECT_FALSE(has_interval(367, 99));
    EXPECT_TRUE(has_interval(368, 99));
    EXPECT_FALSE(has_interval(3699, 99.9));
    EXPECT_TRUE(has_interval(3700, 99.9));
    EXPECT_FALSE(has_interval(36800, 99.99));
    EXPECT_TRUE(has_interval(36900, 99.99));
    EXPECT_FALSE(has_interval(71, 95));
    EXPECT_TRUE(has_interval(73, 95));
    EXPECT_FALSE(has_interval(5, 50));
    EXPECT_TRUE(has_interval(6, 50));
}

TEST(LatencyMetric, GivesNoIntervalAtAllOfFewerThanThreeSlices) {
    const Metric two = metric_of(simulated(2, 5000, 0, 0, 1));
    EXPECT_FALSE(two.summary.mean_ci95.has_value());
    EXPECT_FALSE(percentile(two, 99).ci95.has_value());
    EXPECT_FALSE(two.summary.median_ci95.has_value());
    EXPECT_EQ(two.summary.interval_method, "none");
    EXPECT_TRUE(metric_of(simulated(3, 5000, 0, 0, 1)).summary.mean_ci95.has_value());
}

TEST(LatencyMetric, PassesOverSlicesWithoutOperations) {
    Slices slices = simulated(6, 1000, 0, 0.1, 4);
    const Metric full = metric_of(slices);
    slices.histograms.insert(slices.histograms.begin() + 3, Histogram());
    slices.ends.insert(slices.ends.begin() + 3, 0.35);
    const Metric gap = metric_of(slices);
    EXPECT_EQ(gap.samples, full.samples);
    EXPECT_EQ(gap.summary.mean_ci95.value().low, full.summary.mean_ci95.value().low);
    EXPECT_EQ(gap.series[3].at, slices.ends[4]);
    const Metric nothing = make_latency_metric(latency, {Histogram()}, {1}, Statistic::p99);
    EXPECT_EQ(nothing.summary.samples, 0u);
    EXPECT_EQ(nothing.value, 0);
    EXPECT_EQ(nothing.summary.interval_method, "none");
}

TEST(LatencyMetric, SpreadOfTwoOperationsIsThatOfTheTextbook) {
    std::vector<Histogram> slices(2);
    slices[0].record(100);
    const Metric one = make_latency_metric(latency, slices, {}, Statistic::mean);
    EXPECT_EQ(one.summary.standard_deviation, 0);
    EXPECT_EQ(one.summary.median_absolute_deviation, 0);
    slices[1].record(200);
    const Metric two = make_latency_metric(latency, slices, {}, Statistic::mean);
    EXPECT_NEAR(two.summary.standard_deviation, 100e-9 / std::sqrt(2.0), 1e-15);
    EXPECT_NEAR(two.summary.mean, 150e-9, 1e-15);
}

TEST(LatencyMetric, SlicesThatAreAllAlikeLeaveTheIntervalOfOrderStatistics) {
    // 2000 operations: the median lies between the 956th and the 1045th, by the normal approximation.
    // 200 operations: between the 87th and the 114th, by the binomial distribution.
    for (const std::size_t operations : {2000u, 200u}) {
        Histogram slice;
        for (std::size_t i = 0; i < operations / 10; ++i) slice.record(100'000 * (i + 1));
        const Metric metric =
            make_latency_metric(latency, std::vector<Histogram>(10, slice), {}, Statistic::mean);
        const Interval interval = percentile(metric, 50).ci95.value();
        const double low = operations == 2000 ? 96 : 9;
        const double high = operations == 2000 ? 105 : 12;
        EXPECT_NEAR(interval.low, low * 1e-4, 0.012 * low * 1e-4) << operations;
        EXPECT_NEAR(interval.high, high * 1e-4, 0.012 * high * 1e-4) << operations;
    }
}

TEST(LatencyMetric, AnIntervalReachesTheEdgesOfItsBuckets) {
    std::vector<Histogram> slices(10);
    for (Histogram& slice : slices) slice.record(1'000'000, 100);
    const Metric metric = make_latency_metric(latency, slices, {}, Statistic::p99);
    const std::size_t bucket = Histogram::bucket_of(1'000'000);
    const Interval interval = percentile(metric, 99).ci95.value();
    EXPECT_DOUBLE_EQ(interval.low, static_cast<double>(Histogram::lower_bound_of(bucket)) * 1e-9);
    EXPECT_DOUBLE_EQ(interval.high, static_cast<double>(Histogram::lower_bound_of(bucket + 1)) * 1e-9);
    EXPECT_DOUBLE_EQ(metric.summary.mean_ci95.value().low, 1e-3);
    EXPECT_DOUBLE_EQ(metric.summary.mean_ci95.value().high, 1e-3);
    EXPECT_EQ(metric.summary.standard_deviation < 3e-6, true);
}

TEST(LatencyMetric, IntervalsOfIndependentOperationsHaveAboutTheTextbookWidth) {
    const Metric metric = metric_of(simulated(60, 1000, 0, 0, 5));
    const Interval mean = metric.summary.mean_ci95.value();
    const double expected = 2 * 1.96 * 100e-6 / std::sqrt(60000.0);
    EXPECT_NEAR(mean.high - mean.low, expected, 0.45 * expected);
    const Interval tail = percentile(metric, 99).ci95.value();
    const double expected_tail = 2 * 1.96 * 100e-6 * std::sqrt(0.99 / 0.01) / std::sqrt(60000.0);
    EXPECT_NEAR(tail.high - tail.low, expected_tail, 0.5 * expected_tail);
    EXPECT_LT(tail.low, percentile(metric, 99).value);
    EXPECT_GT(tail.high, percentile(metric, 99).value);
}

TEST(LatencyMetric, IntervalsCoverTheTruthOfAWanderingLevel) {
    // The truth of the mixture: long-run shares of operations below each value, by a very long simulation.
    const Slices longest = simulated(20000, 100, 0, 0.2, 99);
    const double true_mean = mean_of(longest.operations);
    const double true_median = median_of(longest.operations);
    const double true_tail = percentile_of(longest.operations, 99);
    int mean = 0, middle = 0, tail = 0;
    constexpr int replications = 120;
    for (int seed = 0; seed < replications; ++seed) {
        const Metric metric = metric_of(simulated(40, 25, 0.7, 0.2, static_cast<std::uint64_t>(seed)));
        const auto covers = [](const Interval& interval, double truth) {
            return interval.low <= truth && truth <= interval.high ? 1 : 0;
        };
        mean += covers(metric.summary.mean_ci95.value(), true_mean);
        middle += covers(metric.summary.median_ci95.value(), true_median);
        tail += covers(percentile(metric, 99).ci95.value(), true_tail);
    }
    const double least = replications * (0.93 - 2.5 * std::sqrt(0.93 * 0.07 / replications));
    EXPECT_GE(mean, least);
    EXPECT_GE(middle, least);
    EXPECT_GE(tail, least);
}

}  // namespace
}  // namespace assay
