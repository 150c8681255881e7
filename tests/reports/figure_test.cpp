#include "reports/figure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/reports/outcome_builders.h"

namespace assay {
namespace {

using building::exact;
using building::in_words;
using building::sampled;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

void expect_interval(const Figure& figure, double low, double high) {
    ASSERT_TRUE(figure.ci95.has_value());
    EXPECT_DOUBLE_EQ(figure.ci95->low, low);
    EXPECT_DOUBLE_EQ(figure.ci95->high, high);
}

/// Every statistic has its own value and interval, so that none can be taken for another.
Metric distinct() {
    Metric metric = sampled("x", 0, std::nullopt, {}, Unit::second, Direction::lower);
    Summary& summary = metric.summary;
    summary.minimum = 1;
    summary.median = 2;
    summary.median_ci95 = Interval{1.9, 2.1};
    summary.mean = 3;
    summary.mean_ci95 = Interval{2.9, 3.1};
    summary.maximum = 9;
    summary.sustained = 4;
    summary.sustained_ci95 = Interval{3.9, 4.1};
    summary.percentiles = {{50, 5, Interval{4.9, 5.1}},   {90, 5.5, Interval{5.4, 5.6}},
                           {95, 6, Interval{5.9, 6.1}},   {99, 7, Interval{6.9, 7.1}},
                           {99.9, 8, Interval{7.9, 8.1}}, {99.99, 8.5, std::nullopt}};
    metric.value = 77;  // the headline, which is none of them here
    return metric;
}

TEST(Figure, TakesTheStatisticThatIsAskedFor) {
    struct Asked {
        Statistic statistic;
        double value, low, high;
    };
    const Asked asked[] = {{Statistic::median, 2, 1.9, 2.1}, {Statistic::mean, 3, 2.9, 3.1},
                           {Statistic::p50, 5, 4.9, 5.1},    {Statistic::p90, 5.5, 5.4, 5.6},
                           {Statistic::p95, 6, 5.9, 6.1},    {Statistic::p99, 7, 6.9, 7.1},
                           {Statistic::p99_9, 8, 7.9, 8.1},  {Statistic::sustained, 4, 3.9, 4.1}};
    for (const Asked& one : asked) {
        const Figure figure = figure_of(distinct(), one.statistic);
        EXPECT_EQ(figure.value, one.value) << to_string(one.statistic);
        expect_interval(figure, one.low, one.high);
        EXPECT_FALSE(figure.stands_alone);
        EXPECT_TRUE(figure.sampled);
        EXPECT_EQ(figure.reason_id, "");
        EXPECT_THAT(figure.notes, IsEmpty());
    }
}

TEST(Figure, GivesTheWorstSampleByDirectionWithoutAnInterval) {
    Metric metric = distinct();
    const Figure slowest = figure_of(metric, Statistic::worst);
    EXPECT_EQ(slowest.value, 9);
    EXPECT_EQ(slowest.ci95, std::nullopt);
    EXPECT_TRUE(slowest.stands_alone);
    EXPECT_EQ(slowest.reason_id, "");
    EXPECT_THAT(slowest.notes, ElementsAre("worst"));
    metric.direction = Direction::higher;
    EXPECT_EQ(figure_of(metric, Statistic::worst).value, 1);
}

TEST(Figure, SaysThatAPercentileOfTooFewOperationsHasNoInterval) {
    const Figure figure = figure_of(distinct(), Statistic::p99_99);
    EXPECT_EQ(figure.value, 8.5);
    EXPECT_EQ(figure.ci95, std::nullopt);
    EXPECT_EQ(figure.reason_id, "too_few_operations");
    EXPECT_EQ(figure.reason, "too few operations for an interval of p99.99");
    EXPECT_FALSE(figure.stands_alone);
}

TEST(Figure, DoesNotMakeUpAStatisticThatIsNotThere) {
    Metric metric = distinct();
    metric.summary.percentiles.clear();
    metric.summary.sustained.reset();
    const Figure percentile = figure_of(metric, Statistic::p99);
    EXPECT_EQ(percentile.value, std::nullopt);
    EXPECT_EQ(percentile.reason_id, "no_statistic");
    EXPECT_EQ(percentile.reason, "the case reports no p99");
    const Figure sustained = figure_of(metric, Statistic::sustained);
    EXPECT_EQ(sustained.value, std::nullopt);
    EXPECT_EQ(sustained.reason_id, "no_statistic");
}

TEST(Figure, NeedsAnIntervalUnlessTheThingIsExact) {
    const Figure open = figure_of(sampled("x", 5, std::nullopt), Statistic::median);
    EXPECT_EQ(open.value, 5);
    EXPECT_EQ(open.reason_id, "no_interval");
    EXPECT_FALSE(open.stands_alone);
    const Figure cores = figure_of(exact("cores", 16), Statistic::median);
    EXPECT_EQ(cores.value, 16);
    EXPECT_EQ(cores.reason_id, "");
    EXPECT_TRUE(cores.stands_alone);
    EXPECT_FALSE(cores.sampled);
}

TEST(Figure, RefusesAnIntervalThatIsNone) {
    for (const Interval wrong : {Interval{nan, 6}, Interval{4, nan}, Interval{-infinity, 6},
                                 Interval{4, infinity}, Interval{6, 4}}) {
        const Figure figure = figure_of(sampled("x", 5, wrong), Statistic::median);
        EXPECT_EQ(figure.ci95, std::nullopt) << wrong.low << " " << wrong.high;
        EXPECT_EQ(figure.reason_id, "no_interval");
    }
    EXPECT_TRUE(figure_of(sampled("x", 5, Interval{5, 5}), Statistic::median).ci95.has_value());
}

TEST(Figure, RefusesWhatIsNotANumberAndWhatHasNoSamples) {
    for (const double wrong : {nan, infinity, -infinity}) {
        const Figure figure = figure_of(sampled("x", wrong, Interval{1, 2}), Statistic::mean);
        EXPECT_EQ(figure.value, std::nullopt);
        EXPECT_EQ(figure.ci95, std::nullopt);
        EXPECT_EQ(figure.reason_id, "not_a_number");
    }
    EXPECT_EQ(figure_of(exact("x", nan), Statistic::median).reason_id, "not_a_number");
    Metric empty = sampled("x", 5, Interval{4, 6});
    empty.summary.samples = 0;
    EXPECT_EQ(figure_of(empty, Statistic::median).value, std::nullopt);
    EXPECT_EQ(figure_of(empty, Statistic::median).reason_id, "no_samples");
}

TEST(Figure, TakesWordsAsTheyStand) {
    const Figure version = figure_of(in_words("driver", "535.154.02", Unit::version), Statistic::median);
    EXPECT_EQ(version.text, "535.154.02");
    EXPECT_EQ(version.value, std::nullopt);
    EXPECT_EQ(version.reason_id, "");
    EXPECT_TRUE(version.stands_alone);
    EXPECT_EQ(figure_of(in_words("driver", "", Unit::text), Statistic::median).reason_id, "no_value");
}

TEST(Figure, NotesDriftMissedPrecisionAndRanges) {
    Metric metric = distinct();
    metric.summary.steady = false;
    EXPECT_THAT(figure_of(metric, Statistic::median).notes, ElementsAre("not_steady"));
    metric.summary.converged = false;
    EXPECT_THAT(figure_of(metric, Statistic::median).notes, ElementsAre("not_steady", "not_converged"));
    Metric loads = distinct();
    loads.summary.interval_method = "range of 3";
    EXPECT_THAT(figure_of(loads, Statistic::median).notes, ElementsAre("range"));
    EXPECT_THAT(figure_of(loads, Statistic::worst).notes, ElementsAre("worst"));
}

std::vector<double> around(double centre, int count) {
    std::vector<double> values;
    for (int i = 0; i < count; ++i) values.push_back(centre * (1 + 0.01 * ((i * 7) % 11 - 5)));
    return values;
}

TEST(RatioFigure, ResamplesBothSeriesOfSamples) {
    Metric of = sampled("of", 300, Interval{299, 301});
    Metric to = sampled("to", 100, Interval{99, 101});
    of.samples = around(300, 44);
    to.samples = around(100, 44);
    for (const Statistic statistic : {Statistic::median, Statistic::mean}) {
        const Figure figure = ratio_figure(of, statistic, to, statistic);
        ASSERT_TRUE(figure.value && figure.ci95);
        EXPECT_DOUBLE_EQ(*figure.value, 3);
        // Samples spread evenly by ±5 % put the ratio's 95 % interval well within ±6 % and not on a point;
        // the quotients of the intervals above would be 299/101 and 301/99.
        EXPECT_GT(figure.ci95->low, 2.82);
        EXPECT_LT(figure.ci95->low, 2.999);
        EXPECT_GT(figure.ci95->high, 3.001);
        EXPECT_LT(figure.ci95->high, 3.18);
        EXPECT_NE(figure.ci95->low, 299.0 / 101);
        EXPECT_TRUE(figure.sampled);
        EXPECT_EQ(figure.reason_id, "");
    }
}

TEST(RatioFigure, SpansTheQuotientsOfTheIntervalsWhereSamplesCannotBeResampled) {
    const Metric of = sampled("of", 300, Interval{290, 310});
    const Metric to = sampled("to", 100, Interval{95, 105});
    // No samples.
    Figure figure = ratio_figure(of, Statistic::median, to, Statistic::median);
    EXPECT_EQ(figure.value, 3);
    expect_interval(figure, 290.0 / 105, 310.0 / 95);
    // Samples, but of different statistics.
    Metric of_samples = of;
    Metric to_samples = to;
    of_samples.samples = around(300, 44);
    to_samples.samples = around(100, 44);
    expect_interval(ratio_figure(of_samples, Statistic::median, to_samples, Statistic::mean), 290.0 / 105,
                    310.0 / 95);
    // A range of three is no series.
    to_samples.summary.interval_method = "range of 3";
    expect_interval(ratio_figure(of_samples, Statistic::median, to_samples, Statistic::median), 290.0 / 105,
                    310.0 / 95);
    to_samples.summary.interval_method = "block bootstrap";
    to_samples.samples.assign(1, 100);
    expect_interval(ratio_figure(of_samples, Statistic::median, to_samples, Statistic::median), 290.0 / 105,
                    310.0 / 95);
    to_samples.samples = {100, nan, 100};
    expect_interval(ratio_figure(of_samples, Statistic::median, to_samples, Statistic::median), 290.0 / 105,
                    310.0 / 95);
}

TEST(RatioFigure, DoesNotResampleTheSlicesOfAHistogram) {
    Metric of = sampled("of", 40, Interval{30, 50});
    Metric to = sampled("to", 10, Interval{8, 10});
    // Slices whose own medians are nowhere near the figure of all operations.
    of.samples = to.samples = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    of.histogram = Histogram();
    const Figure figure = ratio_figure(of, Statistic::median, to, Statistic::median);
    ASSERT_TRUE(figure.ci95);
    EXPECT_DOUBLE_EQ(figure.ci95->low, 3);
    EXPECT_DOUBLE_EQ(figure.ci95->high, 6.25);
}

TEST(RatioFigure, TakesAnExactSideAsAPoint) {
    const Metric of = sampled("of", 300, Interval{290, 310});
    expect_interval(ratio_figure(of, Statistic::median, exact("to", 100), Statistic::median), 2.9, 3.1);
    const Figure turned = ratio_figure(exact("to", 100), Statistic::median, of, Statistic::median);
    expect_interval(turned, 100.0 / 310, 100.0 / 290);
    EXPECT_TRUE(turned.sampled);
    EXPECT_FALSE(turned.stands_alone);
    const Figure both = ratio_figure(exact("of", 3), Statistic::median, exact("to", 4), Statistic::median);
    EXPECT_EQ(both.value, 0.75);
    EXPECT_EQ(both.ci95, std::nullopt);
    EXPECT_TRUE(both.stands_alone);
    EXPECT_FALSE(both.sampled);
    EXPECT_EQ(both.reason_id, "");
}

TEST(RatioFigure, KeepsTheSignsOfItsSidesApart) {
    const Metric of = sampled("of", -2, Interval{-3, 1});
    const Metric to = sampled("to", 2, Interval{1, 4});
    expect_interval(ratio_figure(of, Statistic::median, to, Statistic::median), -3, 1);
    const Metric negative = sampled("to", -2, Interval{-4, -1});
    expect_interval(ratio_figure(of, Statistic::median, negative, Statistic::median), -1, 3);
}

TEST(RatioFigure, HasNoIntervalWhereTheDenominatorMayBeZero) {
    const Metric of = sampled("of", 300, Interval{290, 310});
    for (const Interval interval : {Interval{0, 105}, Interval{-1, 105}, Interval{-105, 0}}) {
        const Figure figure =
            ratio_figure(of, Statistic::median, sampled("to", 50, interval), Statistic::median);
        EXPECT_EQ(figure.value, 6);
        EXPECT_EQ(figure.ci95, std::nullopt);
        EXPECT_EQ(figure.reason_id, "no_interval");
    }
}

TEST(RatioFigure, SaysWhichSideIsMissing) {
    const Metric good = sampled("x", 100, Interval{99, 101});
    EXPECT_EQ(ratio_figure(good, Statistic::median, exact("to", 0), Statistic::median).reason_id,
              "zero_denominator");
    EXPECT_EQ(ratio_figure(good, Statistic::median, exact("to", 0), Statistic::median).value, std::nullopt);
    EXPECT_EQ(
        ratio_figure(good, Statistic::median, sampled("to", nan, std::nullopt), Statistic::median).reason_id,
        "not_a_number");
    EXPECT_EQ(ratio_figure(good, Statistic::sustained, good, Statistic::median).reason_id, "no_statistic");
    EXPECT_EQ(ratio_figure(good, Statistic::median, good, Statistic::sustained).reason_id, "no_statistic");
    EXPECT_EQ(ratio_figure(in_words("v", "1.2", Unit::version), Statistic::median, good, Statistic::median)
                  .reason_id,
              "not_a_number");
    Metric few = good;
    few.summary.percentiles = {{99, 100, std::nullopt}};
    const Figure open = ratio_figure(few, Statistic::p99, good, Statistic::median);
    EXPECT_EQ(open.value, 1);
    EXPECT_EQ(open.reason_id, "too_few_operations");
    EXPECT_EQ(ratio_figure(good, Statistic::median, few, Statistic::p99).reason_id, "too_few_operations");
}

TEST(RatioFigure, JoinsTheNotesOfBothSides) {
    Metric of = sampled("x", 100, Interval{99, 101});
    Metric to = of;
    of.summary.steady = false;
    to.summary.steady = false;
    to.summary.converged = false;
    EXPECT_THAT(ratio_figure(of, Statistic::median, to, Statistic::median).notes,
                ElementsAre("not_steady", "not_converged"));
}

}  // namespace
}  // namespace assay
