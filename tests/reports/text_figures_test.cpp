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
