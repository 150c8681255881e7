#include "reports/text_figures.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/reports/outcome_builders.h"

namespace assay {
namespace {

using building::exact;
using building::in_words;
using building::outcome_of;
using building::outcome_with_status;
using building::sampled;
using building::with;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

std::string figures_of(const std::vector<Outcome>& outcomes) {
    Report report;
    report.outcomes = outcomes;
    return text_figures(report, Language::en, 100);
}

TEST(TextFigures, AFigureStandsWithItsIntervalAndShareOfItsLimit) {
    Metric metric = sampled("memory.bandwidth", 30e9, Interval{29e9, 31e9}, {}, Unit::byte_per_second);
    metric.limit = Limit{40e9, "arithmetic"};
    EXPECT_THAT(figures_of({with(outcome_of("memory.bandwidth"), metric)}),
                ContainsRegex(
                    "memory\\.bandwidth +30(\\.0)? GB/s +29(\\.0)?–31(\\.0)? GB/s +75 % of 40(\\.0)? GB/s"));
}

TEST(TextFigures, AShareAboveItsLimitIsExplainedOnceWithTheSourceOfEachSuchLimit) {
    const auto run = [](std::vector<double> values) {
        Report report;
        for (const double value : values) {
            Metric metric =
                sampled("memory.bandwidth", value, Interval{value, value}, {}, Unit::byte_per_second);
            metric.limit = Limit{40e9, "datasheet of a card"};
            report.outcomes.push_back(
                with(outcome_of("memory.bandwidth", {{"bytes", std::to_string(value)}}), metric));
        }
        return report;
    };
    const auto times = [](const std::string& text, const std::string& part) {
        std::size_t count = 0;
        for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
        return count;
    };
    // What is printed as 100 % needs no explanation.
    for (const Language language : {Language::en, Language::zh}) {
        const std::string within = text_figures(run({30e9, 40e9, 40.19e9}), language, 200);
        EXPECT_THAT(within, HasSubstr("100 %"));
        EXPECT_THAT(within, Not(HasSubstr("101 %")));
        EXPECT_EQ(times(within, "datasheet of a card"), 0u) << within;
        for (const int columns : {200, 60}) {
            const std::string above = text_figures(run({30e9, 40.21e9, 60e9}), language, columns);
            EXPECT_THAT(above, HasSubstr("101 %"));
            EXPECT_THAT(above, HasSubstr("150 %"));
            EXPECT_EQ(times(above, "datasheet of a card"), 2u) << above;
            const std::string explained = language == Language::en ? "Shares above 100 %" : "比例超过 100 %";
            EXPECT_EQ(times(above, explained), 1u) << above;
            EXPECT_EQ(times(within, explained), 0u) << within;
        }
    }
}

TEST(TextFigures, CasesOfOneProbeAreToldApartByWhatDiffers) {
    const std::map<std::string, std::string> single = {{"precision", "f32"}, {"n", "64"}};
    const std::map<std::string, std::string> twice = {{"precision", "f64"}, {"n", "64"}};
    const std::string text = figures_of(
        {with(outcome_of("gemm.throughput", single), sampled("gemm.throughput", 2e9, Interval{1e9, 3e9})),
         with(outcome_of("gemm.throughput", twice), sampled("gemm.throughput", 1e9, Interval{1e9, 3e9}))});
    EXPECT_THAT(text, HasSubstr("gemm.throughput{precision=f32}"));
    EXPECT_THAT(text, HasSubstr("gemm.throughput{precision=f64}"));
    EXPECT_THAT(text, Not(HasSubstr("n=64")));
}

TEST(TextFigures, CasesOfGpusThatAreNotThereChangeNoOthersNames) {
    const std::map<std::string, std::string> here = {{"device", "cpu:0"}, {"n", "64"}};
    const std::map<std::string, std::string> nowhere = {{"device", "each:gpu"}, {"n", "8192"}};
    const std::string text = figures_of(
        {with(outcome_of("gemm.throughput", here), sampled("gemm.throughput", 2e9, Interval{1e9, 3e9})),
         skipped({"gemm.throughput", nowhere}, "no GPU found")});
    EXPECT_THAT(text, ContainsRegex("gemm\\.throughput +2"));
    EXPECT_THAT(text, HasSubstr("gemm.throughput{device=each:gpu,n=8192}"));
    EXPECT_THAT(text, Not(HasSubstr("cpu:0")));
}

TEST(TextFigures, AxesAreShownAndARepeatedMetricIsLeftToTheFullReports) {
    Outcome outcome = outcome_of("memory.bandwidth", {{"kernel", "all"}});
    for (const char* kernel : {"copy", "triad"}) {
        outcome.metrics.push_back(sampled("memory.bandwidth", 3, Interval{2, 4}, {{"kernel", kernel}}));
        outcome.metrics.push_back(sampled("memory.bandwidth.plain", 2, Interval{1, 3}, {{"kernel", kernel}}));
    }
    const std::string text = figures_of({outcome});
    EXPECT_THAT(text, HasSubstr("memory.bandwidth{kernel=copy}"));
    EXPECT_THAT(text, HasSubstr("memory.bandwidth{kernel=triad}"));
    EXPECT_THAT(text, Not(HasSubstr("plain")));
}

TEST(TextFigures, InANarrowTerminalLabelsStandBelowTheirMetricAndAreNotCut) {
    Report report;
    for (const char* depth : {"1", "32"}) {
        const std::map<std::string, std::string> parameters = {{"queue_depth", depth}, {"jobs", depth}};
        report.outcomes.push_back(with(outcome_of("storage.random_read", parameters),
                                       sampled("storage.random_read.bandwidth", 3e9, Interval{2.9e9, 3.1e9},
                                               {}, Unit::byte_per_second)));
    }
    const std::string text = text_figures(report, Language::en, 70);
    EXPECT_THAT(text, ContainsRegex("storage\\.random_read\\.bandwidth +3"));
    EXPECT_THAT(text, HasSubstr("\n{jobs=32,queue_depth=32}"));
}

TEST(TextFigures, ExactFactsStandTogetherBelow) {
    Outcome outcome = outcome_of("inventory.system");
    outcome.metrics = {exact("inventory.system.cpu_cores", 8),
                       in_words("inventory.system.kernel_version", "6.1", Unit::version),
                       sampled("inventory.system.cpu_max_clock", 3e9, Interval{2e9, 4e9}, {}, Unit::hertz)};
    const std::string text = figures_of({outcome});
    EXPECT_THAT(text, HasSubstr("cpu_cores 8 · kernel_version 6.1"));
    EXPECT_THAT(text, ContainsRegex("inventory\\.system\\.cpu_max_clock +3(\\.00?)? GHz"));
}

TEST(TextFigures, WhatWasNotMeasuredShowsItsReasonAndNoFigure) {
    for (const Status status : {Status::failed, Status::skipped, Status::crashed, Status::timed_out}) {
        Outcome outcome =
            with(outcome_of("gemm.throughput"), sampled("gemm.throughput", 77, Interval{76, 78}));
        const std::string text = figures_of({outcome_with_status(outcome, status, "because of this")});
        EXPECT_THAT(text, HasSubstr("because of this"));
        EXPECT_THAT(text, Not(HasSubstr("77")));
    }
}

}  // namespace
}  // namespace assay
