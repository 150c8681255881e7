#include "probes/core/sampling.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "probes/core/statistics.h"
#include "tests/probes/core/fake_clock.h"

namespace assay {
namespace {

using std::chrono::milliseconds;

constexpr MetricDeclaration rate = {"domain.rate", Unit::operation_per_second, Direction::higher, "a rate"};
constexpr MetricDeclaration latency = {"domain.latency", Unit::second, Direction::lower, "a duration"};

// A fake machine: every sample takes `step` of its clock.
struct Machine {
    FakeClock clock;
    Nanoseconds step = milliseconds(100);
    std::size_t taken = 0;
    std::mt19937_64 random{1};
    std::normal_distribution<double> gauss;

    SampleSet run(const SamplingPolicy& policy, const std::function<double(std::size_t)>& value) {
        return sample(policy, clock, [&] {
            clock.advance(step);
            return value(taken++);
        });
    }
    double noisy(double deviation) { return 100 * (1 + deviation * gauss(random)); }
};

TEST(Sampling, TakesAtLeastThirtySamplesAndOneSecond) {
    Machine slow;
    const SampleSet few = slow.run({}, [](std::size_t) { return 5; });
    EXPECT_EQ(few.values.size(), 30u);
    EXPECT_TRUE(few.converged);
    EXPECT_TRUE(few.steady);
    Machine fast;
    fast.step = milliseconds(1);
    EXPECT_EQ(fast.run({}, [](std::size_t) { return 5; }).values.size(), 1000u);
}

TEST(Sampling, GoesOnUntilTheIntervalIsNarrowEnough) {
    for (const Statistic statistic : {Statistic::median, Statistic::mean}) {
        SamplingPolicy policy;
        policy.maximum_time = Seconds(10000);
        policy.statistic = statistic;
        Machine machine;
        const SampleSet set = machine.run(policy, [&](std::size_t) { return machine.noisy(0.05); });
        const bool is_mean = statistic == Statistic::mean;
        const Interval interval = is_mean ? mean_interval(set.values) : median_interval(set.values);
        const double estimate = is_mean ? mean_of(set.values) : median_of(set.values);
        EXPECT_TRUE(set.converged);
        EXPECT_GE(interval.low, estimate * 0.99);
        EXPECT_LE(interval.high, estimate * 1.01);
        // The textbook says (1.96 × 0.05 / 0.01)² = 96 for the mean, half as many again for the median.
        EXPECT_GT(set.values.size(), 96u);
        EXPECT_LE(set.values.size(), 480u);
    }
}

TEST(Sampling, AsksForThePrecisionOnEitherSideOfNegativeLevelsToo) {
    SamplingPolicy policy;
    policy.maximum_time = Seconds(10000);
    Machine machine;
    const SampleSet set = machine.run(policy, [&](std::size_t) { return -machine.noisy(0.05); });
    EXPECT_TRUE(set.converged);
    EXPECT_LE(set.values.size(), 480u);
}

TEST(Sampling, LooksAtTwiceTheCountEachTime) {
    Machine machine;
    SamplingPolicy policy;
    policy.minimum_samples = 7;
    policy.maximum_time = Seconds(10000);
    const std::size_t count =
        machine.run(policy, [&](std::size_t) { return machine.noisy(0.05); }).values.size();
    // The first look is when both minimums are reached: at ten samples of 0.1 s.
    EXPECT_TRUE(count == 160 || count == 320 || count == 640) << count;
}

TEST(Sampling, GoesOnLongerWithCorrelatedSamplesHoweverSmallTheNoise) {
    Machine machine;
    SamplingPolicy policy;
    policy.maximum_time = Seconds(10000);
    double state = 0;
    const SampleSet set = machine.run(policy, [&](std::size_t) {
        state = 0.8 * state + machine.gauss(machine.random);
        return 1000 + 0.1 * state;
    });
    EXPECT_GE(set.values.size(), 120u);
    EXPECT_LE(set.values.size(), 960u);
}

TEST(Sampling, EndsAtTheTimeLimitAndSaysSo) {
    Machine machine;
    SamplingPolicy policy;
    policy.maximum_time = Seconds(5);
    const SampleSet set = machine.run(policy, [&](std::size_t) { return machine.noisy(0.5); });
    EXPECT_EQ(set.values.size(), 50u);
    EXPECT_FALSE(set.converged);
}

TEST(Sampling, HasConvergedAtTheTimeLimitWhereThePrecisionIsReached) {
    Machine machine;
    SamplingPolicy policy;
    policy.maximum_time = Seconds(3.5);
    policy.minimum_time = Seconds(20);
    EXPECT_TRUE(machine.run(policy, [&](std::size_t) { return machine.noisy(0.001); }).converged);
    policy.maximum_time = Seconds(2.9);
    Machine shorter;
    EXPECT_FALSE(shorter.run(policy, [&](std::size_t) { return shorter.noisy(0.001); }).converged);
    policy.maximum_time = Seconds(3.0);
    Machine enough;
    EXPECT_TRUE(enough.run(policy, [&](std::size_t) { return enough.noisy(0.001); }).converged);
}

TEST(Sampling, TakesOneSampleHoweverLongItIs) {
    Machine machine;
    machine.step = std::chrono::seconds(60);
    const SampleSet set = machine.run({}, [](std::size_t) { return 1; });
    EXPECT_EQ(set.values.size(), 1u);
    EXPECT_EQ(set.warm_up_samples, 1u);
    EXPECT_FALSE(set.converged);
}

TEST(Sampling, RunsForExactlyTheTimeThatWasFixed) {
    Machine machine;
    SamplingPolicy policy;
    policy.fixed_time = true;
    policy.maximum_time = Seconds(60);
    const SampleSet set = machine.run(policy, [](std::size_t) { return 3; });
    EXPECT_EQ(set.values.size(), 600u);
    EXPECT_TRUE(set.converged);
    EXPECT_DOUBLE_EQ(set.at.back(), 60);
    Machine noisy;
    EXPECT_FALSE(noisy.run(policy, [&](std::size_t) { return noisy.noisy(0.9); }).converged);
}

TEST(Sampling, StampsTheEndOfEachSampleFromTheEndOfTheWarmUp) {
    Machine machine;
    machine.step = milliseconds(250);
    const SampleSet set = machine.run({}, [](std::size_t) { return 3; });
    ASSERT_EQ(set.at.size(), set.values.size());
    EXPECT_GT(set.warm_up_samples, 0u);
    for (std::size_t i = 0; i < set.at.size(); ++i)
        EXPECT_DOUBLE_EQ(set.at[i], 0.25 * static_cast<double>(i + 1));
}

TEST(Sampling, ThrowsAwayWhatCameBeforeTheLevelWasSteady) {
    Machine machine;
    machine.step = milliseconds(20);
    const SampleSet set =
        machine.run({}, [](std::size_t i) { return 100 * (1 + 2 * std::exp(-static_cast<double>(i) / 5)); });
    EXPECT_GE(set.warm_up_samples, 15u);
    EXPECT_LE(set.warm_up_samples, 65u);
    EXPECT_EQ(set.warm_up_samples + set.values.size(), machine.taken);
    EXPECT_LT(set.values.front(), 112);
    EXPECT_TRUE(set.steady);
}

TEST(Sampling, WarmsUpBrieflyWhereTheLevelIsSteadyFromTheFirst) {
    Machine quiet;
    EXPECT_EQ(quiet.run({}, [](std::size_t) { return 4; }).warm_up_samples, 6u);
    int brief = 0;
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        Machine noisy;
        noisy.random.seed(seed);
        brief += noisy.run({}, [&](std::size_t) { return noisy.noisy(0.1); }).warm_up_samples <= 9 ? 1 : 0;
    }
    EXPECT_GE(brief, 42);
}

TEST(Sampling, LooksAtTheWarmUpAgainAtHalfAsManyMore) {
    // At 6 and at 9 samples the newest six still hold the step; at 13 they are level.
    Machine machine;
    machine.step = milliseconds(1);
    const SampleSet set = machine.run({}, [](std::size_t i) { return i < 4 ? 50 : 100; });
    EXPECT_EQ(set.warm_up_samples, 13u);
}

TEST(Sampling, GivesUpWarmingUpWhenItsTimeHasPassed) {
    Machine machine;
    SamplingPolicy policy;
    policy.maximum_time = Seconds(4);
    const SampleSet set =
        machine.run(policy, [](std::size_t i) { return 100 * std::pow(1.1, static_cast<double>(i)); });
    EXPECT_EQ(set.warm_up_samples, 20u);
    EXPECT_FALSE(set.steady);
    EXPECT_FALSE(set.converged);
}

TEST(Sampling, TakesNoWarmUpWhereNoneIsWanted) {
    Machine machine;
    SamplingPolicy policy;
    policy.maximum_warm_up = Seconds(0);
    EXPECT_EQ(machine.run(policy, [](std::size_t) { return 3; }).warm_up_samples, 0u);
    EXPECT_EQ(machine.taken, 30u);
}

TEST(Sampling, ReportsADriftAsNotSteady) {
    Machine machine;
    SamplingPolicy policy;
    policy.maximum_warm_up = Seconds(0.1);
    policy.fixed_time = true;
    const SampleSet set = machine.run(
        policy, [&](std::size_t i) { return machine.noisy(0.005) * (1 - 0.001 * static_cast<double>(i)); });
    EXPECT_FALSE(set.steady);
    EXPECT_FALSE(make_metric(rate, set).summary.steady);
}

TEST(Sampling, IsAbandonedByWhatTheSampleThrowsAndByWhatIsNoNumber) {
    FakeClock clock;
    EXPECT_THROW(sample({}, clock, []() -> double { throw std::domain_error("no device"); }),
                 std::domain_error);
    for (const double value :
         {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
        EXPECT_THROW(sample({}, clock, [&] { return value; }), std::runtime_error);
        SamplingPolicy cold;
        cold.maximum_warm_up = Seconds(0);
        EXPECT_THROW(sample(cold, clock, [&] { return value; }), std::runtime_error);
    }
}

SampleSet small_set() {
    SampleSet set;
    set.values = {10, 30, 20, 40, 60, 50};
    set.at = {1, 2, 3, 4, 5, 6};
    return set;
}

TEST(Metric, OfSamplesHoldsWhatWasDeclaredAndAllSamples) {
    SampleSet set = small_set();
    set.converged = false;
    const Metric metric = make_metric(rate, set, Statistic::median, {{"queue_depth", "32"}});
    EXPECT_EQ(metric.name, "domain.rate");
    EXPECT_EQ(metric.unit, Unit::operation_per_second);
    EXPECT_EQ(metric.direction, Direction::higher);
    EXPECT_EQ(metric.labels, (Labels{{"queue_depth", "32"}}));
    EXPECT_EQ(metric.statistic, Statistic::median);
    EXPECT_EQ(metric.value, 35);
    EXPECT_EQ(metric.samples, set.values);
    ASSERT_EQ(metric.series.size(), 6u);
    EXPECT_EQ(metric.series[2].at, 3);
    EXPECT_EQ(metric.series[2].value, 20);
    EXPECT_FALSE(metric.summary.converged);
    EXPECT_TRUE(metric.summary.steady);
    EXPECT_EQ(metric.summary.median_ci95.value().low, median_interval(set.values).low);
    EXPECT_EQ(metric.summary.median_ci95.value().high, median_interval(set.values).high);
    EXPECT_EQ(metric.summary.mean_ci95.value().low, mean_interval(set.values).low);
    EXPECT_FALSE(metric.histogram.has_value());
}

TEST(Metric, HeadlineIsTheStatisticAskedFor) {
    const SampleSet set = small_set();
    EXPECT_EQ(make_metric(rate, set, Statistic::mean).value, 35);
    EXPECT_EQ(make_metric(rate, set, Statistic::worst).value, 10);
    EXPECT_EQ(make_metric(latency, set, Statistic::worst).value, 60);
    EXPECT_EQ(make_metric(rate, set, Statistic::sustained).value, 55);
    EXPECT_EQ(make_metric(rate, set, Statistic::p50).value, 35);
    EXPECT_DOUBLE_EQ(make_metric(rate, set, Statistic::p90).value, 55);
    EXPECT_DOUBLE_EQ(make_metric(rate, set, Statistic::p95).value, 57.5);
    EXPECT_DOUBLE_EQ(make_metric(rate, set, Statistic::p99).value, 59.5);
    EXPECT_DOUBLE_EQ(make_metric(rate, set, Statistic::p99_9).value, 59.95);
    EXPECT_DOUBLE_EQ(make_metric(rate, set, Statistic::p99_99).value, 59.995);
    SampleSet skewed = set;
    skewed.values[4] = 600;
    EXPECT_EQ(make_metric(rate, skewed, Statistic::mean).value, 125);
    EXPECT_EQ(make_metric(rate, skewed, Statistic::median).value, 35);
}

TEST(Metric, OfSamplesWithoutTimesHasNoSeries) {
    SampleSet set = small_set();
    set.at.clear();
    const Metric metric = make_metric(rate, set, Statistic::sustained);
    EXPECT_TRUE(metric.series.empty());
    EXPECT_EQ(metric.value, 35);
}

TEST(Metric, OfAnExactThingHasOneSampleAndNoInterval) {
    const Metric metric = make_exact_metric(rate, 16, {{"socket", "0"}});
    EXPECT_EQ(metric.name, "domain.rate");
    EXPECT_EQ(metric.value, 16);
    EXPECT_EQ(metric.samples, std::vector<double>{16});
    EXPECT_EQ(metric.summary.samples, 1u);
    EXPECT_EQ(metric.summary.median, 16);
    EXPECT_EQ(metric.summary.minimum, 16);
    EXPECT_EQ(metric.summary.interval_method, "exact");
    EXPECT_FALSE(metric.summary.median_ci95.has_value());
    EXPECT_FALSE(metric.summary.mean_ci95.has_value());
    EXPECT_EQ(metric.labels.at("socket"), "0");
}

TEST(Metric, OfATextIsThatText) {
    const Metric metric = make_text_metric({"x.version", Unit::version, Direction::none, "v"}, "11.10");
    EXPECT_EQ(metric.text, "11.10");
    EXPECT_EQ(metric.unit, Unit::version);
    EXPECT_EQ(metric.summary.samples, 0u);
    EXPECT_EQ(metric.summary.interval_method, "exact");
}

TEST(Metric, OfAFewRunsHasTheirRangeForAnIntervalAndSaysSo) {
    const Metric metric = make_range_metric(latency, {42, 40, 47}, {{"model", "m"}});
    EXPECT_EQ(metric.value, 42);
    EXPECT_EQ(metric.samples, (std::vector<double>{42, 40, 47}));
    EXPECT_EQ(metric.summary.interval_method, "range of 3");
    EXPECT_EQ(metric.summary.median_ci95.value().low, 40);
    EXPECT_EQ(metric.summary.median_ci95.value().high, 47);
    EXPECT_EQ(metric.summary.mean_ci95.value().low, 40);
    EXPECT_EQ(metric.summary.mean_ci95.value().high, 47);
    EXPECT_EQ(metric.summary.mean, 43);
    EXPECT_EQ(metric.labels.at("model"), "m");
}

}  // namespace
}  // namespace assay
