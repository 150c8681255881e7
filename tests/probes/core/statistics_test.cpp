#include "probes/core/statistics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "probes/core/resampling.h"

namespace assay {
namespace {

std::vector<double> autoregression(std::size_t count, double coefficient, std::uint64_t seed,
                                   double level = 0, double noise = 1) {
    std::mt19937_64 random(seed);
    std::normal_distribution<double> gauss;
    double state = gauss(random);
    std::vector<double> values;
    for (std::size_t i = 0; i < count; ++i) {
        state = coefficient * state + std::sqrt(1 - coefficient * coefficient) * gauss(random);
        values.push_back(level + noise * state);
    }
    return values;
}

double width(const Interval& interval) {
    return interval.high - interval.low;
}

TEST(Statistics, OfNothingAreZero) {
    EXPECT_EQ(median_of({}), 0);
    EXPECT_EQ(mean_of({}), 0);
    EXPECT_EQ(standard_deviation_of({}), 0);
    EXPECT_EQ(median_absolute_deviation_of({}), 0);
    EXPECT_EQ(percentile_of({}, 99), 0);
    EXPECT_EQ(sustained_of({}, {}), 0);
    EXPECT_EQ(median_interval({}).high, 0);
    EXPECT_EQ(mean_interval({}).high, 0);
    EXPECT_EQ(bootstrap_interval({}, median_of).high, 0);
    EXPECT_EQ(ratio_interval({}, std::vector<double>{1}, median_of).value, 0);
    EXPECT_EQ(ratio_interval(std::vector<double>{1}, {}, median_of).value, 0);
    EXPECT_EQ(ratio_interval({}, std::vector<double>{1}, median_of).ci95.high, 0);
    EXPECT_EQ(ratio_interval(std::vector<double>{1}, {}, median_of).ci95.high, 0);
    EXPECT_EQ(summarise({}, {}).samples, 0u);
}

TEST(Statistics, OfOneAreThatOne) {
    const std::vector<double> one = {7};
    EXPECT_EQ(median_of(one), 7);
    EXPECT_EQ(mean_of(one), 7);
    EXPECT_EQ(standard_deviation_of(one), 0);
    EXPECT_EQ(percentile_of(one, 99), 7);
    EXPECT_EQ(sustained_of(one, std::vector<double>{3}), 7);
    EXPECT_EQ(median_interval(one).low, 7);
    EXPECT_EQ(median_interval(one).high, 7);
    EXPECT_EQ(integrated_autocorrelation_time(one), 1);
}

TEST(Statistics, MedianIsTheMiddleOrTheMeanOfTheTwoMiddleOnes) {
    EXPECT_EQ(median_of(std::vector<double>{5, 1, 9}), 5);
    EXPECT_EQ(median_of(std::vector<double>{5, 1, 9, 2}), 3.5);
}

TEST(Statistics, SpreadOfATextbookCase) {
    const std::vector<double> values = {2, 4, 4, 4, 5, 5, 7, 9};
    EXPECT_DOUBLE_EQ(mean_of(values), 5);
    EXPECT_DOUBLE_EQ(standard_deviation_of(values), std::sqrt(32.0 / 7));
    EXPECT_DOUBLE_EQ(median_absolute_deviation_of(values), 0.5);  // deviations .5 .5 .5 .5 .5 2.5 2.5 4.5
    EXPECT_DOUBLE_EQ(median_absolute_deviation_of(std::vector<double>{1, 1, 2, 2, 4, 6, 9}), 1);
    EXPECT_DOUBLE_EQ(standard_deviation_of(std::vector<double>{1, 3}), std::sqrt(2.0));
}

TEST(Statistics, PercentilesAreLinearBetweenOrderStatistics) {
    const std::vector<double> values = {40, 10, 30, 20, 50};
    EXPECT_DOUBLE_EQ(percentile_of(values, 0), 10);
    EXPECT_DOUBLE_EQ(percentile_of(values, 25), 20);
    EXPECT_DOUBLE_EQ(percentile_of(values, 40), 26);
    EXPECT_DOUBLE_EQ(percentile_of(values, 90), 46);
    EXPECT_DOUBLE_EQ(percentile_of(values, 100), 50);
    EXPECT_DOUBLE_EQ(percentile_of(values, 120), 50);
    EXPECT_DOUBLE_EQ(percentile_of(values, -1), 10);
}

TEST(Statistics, SustainedIsTheMeanOfTheLastThirdOfTheTimeNotOfTheCount) {
    const std::vector<double> values = {100, 100, 100, 100, 100, 100, 40, 20};
    const std::vector<double> at = {0, 1, 2, 3, 4, 5, 21, 30};
    EXPECT_DOUBLE_EQ(sustained_of(values, at), 30);
    // A sample at the very begin of the last third belongs to it.
    EXPECT_DOUBLE_EQ(sustained_of(values, std::vector<double>{0, 1, 2, 3, 4, 20, 21, 30}), 160.0 / 3);
    EXPECT_DOUBLE_EQ(sustained_of(std::vector<double>{1, 2, 9}, std::vector<double>{10, 20, 40}), 9);
}

TEST(AutocorrelationTime, IsOneForIndependentSamples) {
    EXPECT_NEAR(integrated_autocorrelation_time(autoregression(20000, 0, 1)), 1, 0.1);
}

TEST(AutocorrelationTime, IsNineForAnAutoregressionOfFourFifths) {
    EXPECT_NEAR(integrated_autocorrelation_time(autoregression(100000, 0.8, 1)), 9, 0.9);
    EXPECT_NEAR(integrated_autocorrelation_time(autoregression(100000, 0.5, 2)), 3, 0.3);
}

TEST(AutocorrelationTime, IsNeverBelowOne) {
    std::vector<double> alternating;
    for (int i = 0; i < 100; ++i) alternating.push_back(i % 2);
    EXPECT_EQ(integrated_autocorrelation_time(alternating), 1);
    EXPECT_EQ(integrated_autocorrelation_time(std::vector<double>(50, 3)), 1);
}

TEST(AutocorrelationTime, OfASmallCaseIsGeyersSumByHand) {
    // Deviations −3 −1 1 3, twice over: covariances 40, 11, −12 ... so the first pair alone counts.
    const std::vector<double> values = {1, 3, 5, 7, 1, 3, 5, 7};
    const double variance = 40;
    const double lag_one = 3 - 1 + 3 - 9 + 3 - 1 + 3;
    EXPECT_DOUBLE_EQ(integrated_autocorrelation_time(values),
                     std::max(1.0, 2 * (variance + lag_one) / variance - 1));
    // Deviations −3.5 ... 3.5: covariances 42, 26.25, 11.5, ... the second pair counts too.
    const std::vector<double> line = {1, 2, 3, 4, 5, 6, 7, 8};
    EXPECT_DOUBLE_EQ(integrated_autocorrelation_time(line), 2 * (42 + 26.25 + 11.5 - 1.25) / 42 - 1);
}

TEST(StudentQuantile, AgreesWithTheTables) {
    EXPECT_NEAR(student_quantile(2), 4.302653, 0.033);
    EXPECT_NEAR(student_quantile(3), 3.182446, 0.004);
    EXPECT_NEAR(student_quantile(4), 2.776445, 0.0009);
    EXPECT_NEAR(student_quantile(5), 2.570582, 0.0003);
    EXPECT_NEAR(student_quantile(10), 2.228139, 1e-5);
    EXPECT_NEAR(student_quantile(30), 2.042272, 1e-6);
    EXPECT_NEAR(student_quantile(1e9), 1.95996, 0.00001);
}

TEST(Random, DrawsEveryNumberBelowTheBoundEquallyOften) {
    Random random(1);
    std::vector<int> drawn(10);
    for (int i = 0; i < 100000; ++i) ++drawn.at(random.below(10));
    for (const int times : drawn) EXPECT_NEAR(times, 10000, 400);
}

TEST(BlockPlan, TakesIndependentSamplesAlmostOneByOne) {
    const BlockPlan plan = plan_blocks(autoregression(2000, 0, 3));
    EXPECT_LE(plan.block, 8u);
    EXPECT_GT(plan.effective_samples, 1500);
    EXPECT_NEAR(plan.inflation, 1.05, 0.03);
    EXPECT_EQ(plan.count, 2000u);
}

TEST(BlockPlan, TakesCorrelatedSamplesInBlocks) {
    const BlockPlan plan = plan_blocks(autoregression(2000, 0.8, 3));
    EXPECT_NEAR(plan.correlation_time, 9, 2.5);
    EXPECT_NEAR(plan.effective_samples, 2000 / plan.correlation_time, 1e-9);
    EXPECT_NEAR(static_cast<double>(plan.block), 39, 10);  // (6 (0.8 / 0.36)^2 2000)^(1/3)
    EXPECT_GT(plan.inflation, 1.08);
    EXPECT_LT(plan.inflation, 1.3);
}

TEST(BlockPlan, DoesNotUnderestimateTheCorrelationOfShortSeries) {
    double sum = 0;
    for (std::uint64_t seed = 0; seed < 300; ++seed)
        sum += std::min(9.0, plan_blocks(autoregression(40, 0.8, seed)).correlation_time);
    EXPECT_GT(sum / 300, 6);
}

TEST(BlockPlan, ASlopeIsWorthThreeSamplesAndNeverFewer) {
    std::vector<double> slope(60);
    std::iota(slope.begin(), slope.end(), 0);
    const BlockPlan plan = plan_blocks(slope);
    EXPECT_DOUBLE_EQ(plan.effective_samples, 3);
    EXPECT_EQ(plan.block, 20u);
}

TEST(BlockPlan, OfVeryFewSamplesIsStillAPlan) {
    for (std::size_t count = 0; count < 6; ++count) {
        const BlockPlan plan = plan_blocks(autoregression(count, 0, 1));
        EXPECT_EQ(plan.count, count);
        EXPECT_GE(plan.block, 1u);
        EXPECT_TRUE(std::isfinite(plan.inflation));
        EXPECT_GE(plan.inflation, 1);
    }
    EXPECT_EQ(plan_blocks(std::vector<double>(30, 5)).correlation_time, 1);
}

TEST(AutocorrelationTime, OfTooFewSamplesToTellIsThatOfIndependentOnes) {
    const std::vector<double> alternating = {1, 9, 1};
    for (std::size_t count = 0; count <= alternating.size(); ++count)
        EXPECT_EQ(integrated_autocorrelation_time(std::span(alternating).first(count)), 1);
}

TEST(Interval, OfConstantSamplesIsThatConstant) {
    const std::vector<double> values(40, 123.456);
    for (const Interval& interval : {median_interval(values), mean_interval(values)}) {
        EXPECT_DOUBLE_EQ(interval.low, 123.456);
        EXPECT_DOUBLE_EQ(interval.high, 123.456);
    }
}

TEST(Interval, OfAMeanIsThatOfTheTextbook) {
    const std::vector<double> values = autoregression(1000, 0, 11, 50, 4);
    const Interval interval = mean_interval(values);
    const double half = 1.96 * standard_deviation_of(values) / std::sqrt(1000.0);
    EXPECT_NEAR(width(interval), 2 * half, 0.2 * half * 2);
    EXPECT_GT(width(interval), 2 * half * 0.97);
    EXPECT_NEAR((interval.low + interval.high) / 2, mean_of(values), 0.2 * half);
}

TEST(Interval, OfAMedianIsThatOfTheTextbook) {
    const std::vector<double> values = autoregression(1000, 0, 12, 50, 4);
    const Interval interval = median_interval(values);
    const double half = 1.96 * 1.2533 * 4 / std::sqrt(1000.0);  // of normal samples
    EXPECT_NEAR(width(interval), 2 * half, 0.3 * half * 2);
    EXPECT_LT(interval.low, median_of(values));
    EXPECT_GT(interval.high, median_of(values));
}

TEST(Interval, OfCorrelatedSamplesIsWiderByTheRootOfTheCorrelationTime) {
    double sum = 0;
    for (std::uint64_t seed = 0; seed < 20; ++seed)
        sum += width(mean_interval(autoregression(2000, 0.8, seed)));
    EXPECT_NEAR(sum / 20, 2 * 1.96 * 3 / std::sqrt(2000.0), 0.2 * 2 * 1.96 * 3 / std::sqrt(2000.0));
}

TEST(Interval, IsTheSameByTheFastWaysAndByTheGeneralOne) {
    for (const std::size_t count : {5u, 30u, 31u, 500u}) {
        const std::vector<double> values = autoregression(count, 0.6, count, 10);
        EXPECT_DOUBLE_EQ(median_interval(values).low, bootstrap_interval(values, median_of).low);
        EXPECT_DOUBLE_EQ(median_interval(values).high, bootstrap_interval(values, median_of).high);
        EXPECT_NEAR(mean_interval(values).low, bootstrap_interval(values, mean_of).low, 1e-9);
        EXPECT_NEAR(mean_interval(values).high, bootstrap_interval(values, mean_of).high, 1e-9);
    }
}

TEST(Interval, IsDeterministicAndSeeded) {
    const std::vector<double> values = autoregression(100, 0.3, 1);
    EXPECT_EQ(bootstrap_interval(values, median_of, 5).low, bootstrap_interval(values, median_of, 5).low);
    EXPECT_NE(bootstrap_interval(values, mean_of, 5).low, bootstrap_interval(values, mean_of, 6).low);
}

TEST(Interval, OfALongSeriesHoldsTheEstimateAndHasTheRightWidth) {
    const std::vector<double> values = autoregression(40000, 0.8, 9, 100, 2);
    for (const bool of_median : {false, true}) {
        const Interval interval = of_median ? median_interval(values) : mean_interval(values);
        const double estimate = of_median ? median_of(values) : mean_of(values);
        const double expected = 2 * 1.96 * 2 * 3 / std::sqrt(40000.0);
        EXPECT_NEAR((interval.low + interval.high) / 2, estimate, 0.15 * expected);
        EXPECT_NEAR(width(interval), expected, 0.35 * expected);
    }
}

TEST(Interval, OfARateIsNeverNegative) {
    // A machine disturbed half of the time: two levels far apart, in long stretches.
    std::vector<double> rates;
    for (int sample = 0; sample < 32; ++sample) rates.push_back(sample / 8 % 2 == 0 ? 1.0 : 40.0);
    for (const Interval& interval : {median_interval(rates), mean_interval(rates)}) {
        EXPECT_GE(interval.low, 0);
        EXPECT_GT(interval.high, 20);
    }
    // What may be negative keeps its sign.
    for (double& rate : rates) rate -= 20;
    EXPECT_LT(mean_interval(rates).low, -1);
}

TEST(Interval, DoesNotMoveWithTheLevel) {
    const std::vector<double> values = autoregression(60, 0.5, 4);
    std::vector<double> raised = values;
    for (double& value : raised) value = value * 10 + 1000;
    EXPECT_NEAR(mean_interval(raised).low, mean_interval(values).low * 10 + 1000, 1e-8);
    EXPECT_NEAR(median_interval(raised).high, median_interval(values).high * 10 + 1000, 1e-8);
}

TEST(Steady, IsQuietOnNoise) {
    for (const double coefficient : {0.0, 0.8}) {
        for (const std::size_t count : {10u, 30u, 100u, 1000u}) {
            int alarms = 0;
            for (std::uint64_t seed = 0; seed < 200; ++seed)
                alarms += is_steady(autoregression(count, coefficient, seed, 100, 20)) ? 0 : 1;
            EXPECT_LE(alarms, coefficient == 0 ? 4 : 14) << coefficient << ' ' << count;
        }
    }
}

std::vector<double> with(std::vector<double> values, double (*shape)(double)) {
    for (std::size_t i = 0; i < values.size(); ++i)
        values[i] *= shape(static_cast<double>(i) / static_cast<double>(values.size() - 1));
    return values;
}

TEST(Steady, FlagsDriftsStepsAndBurstsThatMatter) {
    using Shape = double (*)(double);
    const Shape rising = [](double share) { return 1 + 0.08 * share; };
    const Shape falling = [](double share) { return 1 - 0.08 * share; };
    const Shape throttled = [](double share) { return share < 0.5 ? 1.0 : 0.9; };
    const Shape burst = [](double share) { return share < 0.25 ? 1.2 : 1.0; };
    for (const Shape shape : {rising, falling, throttled, burst}) {
        for (const std::size_t count : {30u, 100u, 1000u}) {
            int alarms = 0;
            for (std::uint64_t seed = 0; seed < 40; ++seed)
                alarms += is_steady(with(autoregression(count, 0, seed, 100, 0.5), shape)) ? 0 : 1;
            EXPECT_GE(alarms, 36) << count;
        }
    }
    EXPECT_FALSE(is_steady(with(autoregression(600, 0.8, 1, 100, 2), rising)));
    EXPECT_FALSE(is_steady(with(std::vector<double>(60, 5), rising)));
    EXPECT_FALSE(is_steady(with(std::vector<double>(60, 5), throttled)));
    EXPECT_FALSE(is_steady(with(std::vector<double>(60, -5), falling)));
}

TEST(Steady, LeavesADriftOfTwoPercentInPeace) {
    const auto slight = [](double share) { return 1 + 0.02 * share; };
    EXPECT_TRUE(is_steady(with(std::vector<double>(300, 100), slight)));
    EXPECT_TRUE(is_steady(with(autoregression(300, 0, 2, 100, 0.1), slight)));
    const auto plain = [](double share) { return 1 + 0.03 * share; };
    EXPECT_FALSE(is_steady(with(std::vector<double>(300, 100), plain)));
}

TEST(Steady, DoesNotCallAnOutlierADrift) {
    std::vector<double> values = autoregression(60, 0, 3, 100, 0.5);
    values[50] = 900;
    values[55] = 400;
    EXPECT_TRUE(is_steady(values));
}

TEST(Steady, SaysNothingOfFewerThanTenSamples) {
    EXPECT_TRUE(is_steady(std::vector<double>{1, 2, 3, 4, 5, 6, 7, 8, 9}));
    EXPECT_TRUE(is_steady({}));
}

TEST(Summary, HoldsAllThatFollowsFromTheSamples) {
    std::vector<double> values, at;
    for (int i = 0; i < 90; ++i) {
        values.push_back(i < 60 ? 10 + i % 3 : 20 + i % 3);
        at.push_back(i * 0.1);
    }
    const Summary summary = summarise(values, at);
    EXPECT_EQ(summary.samples, 90u);
    EXPECT_EQ(summary.minimum, 10);
    EXPECT_EQ(summary.maximum, 22);
    EXPECT_EQ(summary.median, median_of(values));
    EXPECT_EQ(summary.mean, mean_of(values));
    EXPECT_EQ(summary.standard_deviation, standard_deviation_of(values));
    EXPECT_EQ(summary.median_absolute_deviation, median_absolute_deviation_of(values));
    EXPECT_EQ(summary.median_ci95.value().low, median_interval(values).low);
    EXPECT_EQ(summary.mean_ci95.value().high, mean_interval(values).high);
    EXPECT_DOUBLE_EQ(summary.sustained.value(), 21);
    EXPECT_LE(summary.sustained_ci95.value().low, 21);
    EXPECT_GT(summary.sustained_ci95.value().low, 19);
    EXPECT_GE(summary.sustained_ci95.value().high, 21);
    EXPECT_LT(summary.sustained_ci95.value().high, 23);
    EXPECT_FALSE(summary.steady);
    EXPECT_EQ(summary.interval_method, "block bootstrap");
}

TEST(Summary, HasNoIntervalOfASingleSampleAndNoSustainedWithoutTimes) {
    const Summary single = summarise(std::vector<double>{4}, std::vector<double>{1});
    EXPECT_FALSE(single.median_ci95.has_value());
    EXPECT_FALSE(single.mean_ci95.has_value());
    EXPECT_FALSE(single.sustained_ci95.has_value());
    EXPECT_EQ(single.sustained.value(), 4);
    EXPECT_EQ(single.interval_method, "none");
    const Summary pair = summarise(std::vector<double>{4, 5}, {});
    EXPECT_TRUE(pair.median_ci95.has_value());
    EXPECT_FALSE(pair.sustained.has_value());
}

TEST(Ratio, OfConstantsIsExact) {
    const RatioEstimate ratio =
        ratio_interval(std::vector<double>(30, 6), std::vector<double>(30, 2), median_of);
    EXPECT_DOUBLE_EQ(ratio.value, 3);
    EXPECT_DOUBLE_EQ(ratio.ci95.low, 3);
    EXPECT_DOUBLE_EQ(ratio.ci95.high, 3);
}

TEST(Ratio, HasTheRelativeVariancesOfBothTogether) {
    const std::vector<double> above = autoregression(400, 0, 1, 300, 12);  // 4 %
    const std::vector<double> below = autoregression(900, 0, 2, 100, 9);   // 9 %
    const RatioEstimate ratio = ratio_interval(above, below, mean_of);
    EXPECT_DOUBLE_EQ(ratio.value, mean_of(above) / mean_of(below));
    const double relative = std::sqrt(0.04 * 0.04 / 400 + 0.09 * 0.09 / 900);
    EXPECT_NEAR(width(ratio.ci95), 2 * 1.96 * 3 * relative, 0.25 * 2 * 1.96 * 3 * relative);
    EXPECT_LT(ratio.ci95.low, ratio.value);
    EXPECT_GT(ratio.ci95.high, ratio.value);
}

TEST(Ratio, CoversTheTruth) {
    int covered = 0;
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        const RatioEstimate ratio = ratio_interval(autoregression(60, 0.8, seed, 200, 20),
                                                   autoregression(60, 0.5, seed + 1000, 100, 10), median_of);
        covered += ratio.ci95.low <= 2 && 2 <= ratio.ci95.high ? 1 : 0;
    }
    EXPECT_GE(covered, 183);
}

TEST(Ratio, ToWhatMayBeZeroIsOpen) {
    const RatioEstimate ratio =
        ratio_interval(std::vector<double>(30, 1), autoregression(30, 0, 1, 0.05), mean_of);
    EXPECT_EQ(ratio.ci95.low, std::numeric_limits<double>::lowest());
    EXPECT_EQ(ratio.ci95.high, std::numeric_limits<double>::max());
    EXPECT_EQ(ratio_interval(std::vector<double>{1}, std::vector<double>{0}, mean_of).value, 0);
}

}  // namespace
}  // namespace assay
