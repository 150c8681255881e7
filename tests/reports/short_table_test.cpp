#include "reports/short_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/reports/outcome_builders.h"

namespace assay {
namespace {

using building::exact;
using building::outcome_of;
using building::sampled;
using building::with;
using nlohmann::json;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

/// A product of 750 TFLOP/s on a card whose datasheet says 1000, one that another program did at 800, and a
/// case that was skipped.
Report a_report() {
    Metric metric = sampled("gemm.throughput", 750e12, Interval{740e12, 760e12},
                            {{"device", "cuda:0"}, {"precision", "bf16"}}, Unit::flop_per_second);
    metric.limit = Limit{1000e12, "datasheet of a card"};
    Outcome outcome =
        with(outcome_of("gemm.throughput", {{"device", "cuda:0"}, {"precision", "bf16"}}), metric);
    outcome.metrics.push_back(
        exact("gemm.throughput.bytes_per_operation", 0.001, {}, Unit::byte_per_operation));
    Report report;
    report.outcomes = {outcome,
                       skipped({"gemm.throughput", {{"device", "cuda:0"}, {"precision", "fp8"}}}, "no fp8")};
    report.coverage.measured = 1;
    report.coverage.skipped = 1;
    report.coverage.cases = 2;
    return report;
}

const std::vector<PeerFigure> peers = {
    {"cuda:1", "gemm.throughput", {{"precision", "bf16"}}, 1, "another card"},
    {"cuda:0", "gemm.throughput", {{"precision", "f16"}}, 1, "another precision"},
    {"cuda:0", "gemm.throughput", {{"precision", "bf16"}}, 800e12, "a framework"}};

TEST(ShortTable, HasTheFigureItsLimitTheShareAndThePeers) {
    for (const int columns : {80, 100}) {
        const std::string text = render_table(a_report(), peers, Language::en, columns);
        EXPECT_THAT(text, ContainsRegex("750 TFLOP/s +740–760 TFLOP/s +75 %")) << columns;
        EXPECT_THAT(text, HasSubstr("of 1.00 PFLOP/s")) << columns;
        EXPECT_THAT(text, HasSubstr("0.938 × the peer's 800 TFLOP/s (a framework)")) << columns;
        EXPECT_THAT(text, Not(HasSubstr("another"))) << columns;
        EXPECT_THAT(text, HasSubstr("no fp8")) << columns;
        EXPECT_THAT(text, ContainsRegex("1 measured, 1 skipped")) << columns;
    }
    EXPECT_THAT(render_table(a_report(), peers, Language::zh, 80), HasSubstr("a framework"));
}

TEST(ShortTable, SaysOfWhichMachineAndDeviceItIs) {
    Report report = a_report();
    report.header.suite = "accelerators";
    report.header.machine = "server-7";
    EXPECT_THAT(render_table(report, {}, Language::en, 80), HasSubstr("server-7 · cuda:0"));
    EXPECT_THAT(render_table(report, {}, Language::en, 80), Not(HasSubstr("A quick run")));
    report.header.quick = true;
    EXPECT_THAT(render_table(report, {}, Language::en, 80), HasSubstr("A quick run"));
}

TEST(ShortTable, AsJsonHasNumbersAndCountsByStatus) {
    const json document = json::parse(render_table_json(a_report(), peers));
    EXPECT_EQ(document["schema"], "assay.table/1");
    EXPECT_EQ(document["cases"]["measured"], 1);
    EXPECT_EQ(document["cases"]["skipped"], 1);
    EXPECT_EQ(document["cases"]["failed"], 0);
    ASSERT_EQ(document["rows"].size(), 3u);
    const json& row = document["rows"][0];
    EXPECT_EQ(row["value"], 750e12);
    EXPECT_EQ(row["unit"], "flop/second");
    EXPECT_EQ(row["limit"]["value"], 1000e12);
    EXPECT_EQ(row["limit"]["source"], "datasheet of a card");
    EXPECT_EQ(row["share"], 0.75);
    EXPECT_EQ(row["ci95"], json({740e12, 760e12}));
    EXPECT_EQ(row["peer"]["ratio"], 0.9375);
    EXPECT_TRUE(document["rows"][1]["share"].is_null());
    EXPECT_EQ(document["rows"][2]["status"], "skipped");
    EXPECT_EQ(document["rows"][2]["reason"], "no fp8");
}

}  // namespace
}  // namespace assay
