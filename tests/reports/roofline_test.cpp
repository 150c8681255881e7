#include "reports/roofline.h"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/reports/kernel_builders.h"

namespace assay {
namespace {

using building::ceiling;
using building::ceilings;
using building::dense;
using building::exact;
using building::gemv;
using building::kernel_run;
using building::outcome_of;
using building::outcome_with_status;
using building::rate;
using building::read_bandwidth;
using testing::IsEmpty;
using testing::SizeIs;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

TEST(Roofline, HoldsMemoryCeilingsAndKernelsOfADevice) {
    const std::vector<Outcome> outcomes = kernel_run();
    const std::vector<Roofline> all = rooflines(outcomes);
    ASSERT_THAT(all, SizeIs(1));
    EXPECT_EQ(all[0].device, "cpu:0");
    ASSERT_TRUE(all[0].memory);
    EXPECT_EQ(all[0].memory->metric->value, 35e9) << "reading, not write_nt";
    ASSERT_THAT(all[0].ceilings, SizeIs(4));
    EXPECT_EQ(all[0].ceilings.front().metric->value, 1.9e12) << "the highest first";
    EXPECT_EQ(all[0].ceilings.back().metric->value, 240e9);
    EXPECT_THAT(all[0].points, SizeIs(12));
}

TEST(Roofline, EverySetOfACeilingOfAllIsALine) {
    const std::vector<Outcome> outcomes = {ceilings("int8", {{"amx", 6e12}, {"avx512", 1.6e12}}),
                                           ceiling("int8", 6.1e12, "amx"), ceiling("f32", 480e9)};
    const std::vector<Roofline> all = rooflines(outcomes);
    ASSERT_THAT(all, SizeIs(1));
    ASSERT_THAT(all[0].ceilings, SizeIs(3));
    EXPECT_EQ(all[0].ceilings[0].outcome, &outcomes[1]) << "measured twice, the higher counts";
    EXPECT_EQ(isa_of(all[0].ceilings[1]), "avx512");
    EXPECT_EQ(isa_of(all[0].ceilings[2]), "avx512");
}

TEST(Roofline, IntensityIsTheReciprocalOfTheBytesAnOperation) {
    const std::vector<Outcome> outcomes = {dense("f32", 400e9, 2048, 2048, 2048),
                                           gemv("int8", "int8", 65e9, 0.5)};
    const std::vector<Roofline> all = rooflines(outcomes);
    ASSERT_THAT(all, SizeIs(1));
    ASSERT_THAT(all[0].points, SizeIs(2));
    // 2 n^3 operations, 3 n^2 elements of 4 bytes: n / 6.
    EXPECT_NEAR(all[0].points[0].intensity, 2048.0 / 6, 1e-9);
    EXPECT_EQ(all[0].points[0].rate.metric->name, "gemm.throughput") << "the base itself";
    EXPECT_NEAR(all[0].points[1].intensity, 2, 1e-12);
    EXPECT_EQ(all[0].points[1].rate.metric->name, "quantized.gemv.throughput");
}

TEST(Roofline, AnyProbeIsAKernelThatReportsBothAndNoneThatDoesNot) {
    Outcome outcome = outcome_of("inference.prefill", {{"device", "cpu:0"}});
    outcome.metrics = {exact("inference.prefill.bytes_per_operation", 0.25, {}, Unit::byte_per_operation)};
    EXPECT_THAT(rooflines({outcome}), IsEmpty()) << "no rate";
    outcome.metrics.push_back(rate("inference.prefill.throughput", 50, Unit::token_per_second));
    EXPECT_THAT(rooflines({outcome}), IsEmpty()) << "tokens are no operations";
    outcome.metrics.back().unit = Unit::flop_per_second;
    EXPECT_THAT(rooflines({outcome}), SizeIs(1));
    outcome.metrics.front().unit = Unit::ratio;
    EXPECT_THAT(rooflines({outcome}), IsEmpty()) << "no bytes an operation";
}

TEST(Roofline, ARateBelongsToTheBytesOfTheSameLabels) {
    Outcome outcome = outcome_of("quantized.gemm", {{"device", "cpu:0"}});
    for (const auto& [batch, bytes] : {std::pair{"1", 0.5}, {"8", 0.125}}) {
        outcome.metrics.push_back(
            exact("quantized.gemm.bytes_per_operation", bytes, {{"batch", batch}}, Unit::byte_per_operation));
        outcome.metrics.push_back(rate("quantized.gemm.throughput", 1e9 / bytes, Unit::operation_per_second));
        outcome.metrics.back().labels = {{"batch", batch}};
    }
    const std::vector<Outcome> outcomes = {outcome};
    const std::vector<Roofline> all = rooflines(outcomes);
    ASSERT_THAT(all, SizeIs(1));
    ASSERT_THAT(all[0].points, SizeIs(2));
    EXPECT_EQ(all[0].points[1].rate.metric->value, 8e9);
}

TEST(Roofline, OnlyCeilingsOfAllCoresAreRoofs) {
    const Outcome one_core = ceiling("f32", 240e9, "avx512", "1", "1");
    EXPECT_THAT(rooflines({one_core}), IsEmpty());
    const std::vector<Outcome> both = {one_core, ceiling("f32", 480e9)};
    ASSERT_THAT(rooflines(both), SizeIs(1));
    ASSERT_THAT(rooflines(both)[0].ceilings, SizeIs(1));
    EXPECT_EQ(rooflines(both)[0].ceilings[0].metric->value, 480e9);
    // As many threads as memory.bandwidth took for itself are all.
    const std::vector<Outcome> asked = {ceiling("f32", 480e9, "avx512", "2", "2"), read_bandwidth(35e9)};
    EXPECT_THAT(rooflines(asked), SizeIs(1));
    // What another device has for itself says nothing of this one.
    const std::vector<Outcome> elsewhere = {one_core, read_bandwidth(900e9, "1", "cuda:0")};
    EXPECT_THAT(rooflines(elsewhere), IsEmpty());
}

TEST(Roofline, MemoryOfOneCoreIsNoRoof) {
    Outcome memory = read_bandwidth(35e9, "1");
    memory.the_case.parameters["threads"] = "1";
    const std::vector<Outcome> outcomes = {memory, ceiling("f32", 480e9)};
    ASSERT_THAT(rooflines(outcomes), SizeIs(1));
    EXPECT_FALSE(rooflines(outcomes)[0].memory);
}

TEST(Roofline, ALoopMeasuredTwiceIsOneRoofAndOneOfAnotherIsaAnother) {
    const std::vector<Outcome> outcomes = {ceiling("f32", 470e9), ceiling("f32", 480e9),
                                           ceiling("f32", 475e9), ceiling("f32", 250e9, "avx2")};
    const std::vector<Roofline> all = rooflines(outcomes);
    ASSERT_THAT(all, SizeIs(1));
    ASSERT_THAT(all[0].ceilings, SizeIs(2));
    EXPECT_EQ(all[0].ceilings[0].metric->value, 480e9);
    EXPECT_EQ(all[0].ceilings[1].metric->value, 250e9);
}

TEST(Roofline, DevicesAreApart) {
    const std::vector<Outcome> outcomes = {ceiling("f32", 480e9), read_bandwidth(900e9, "2", "cuda:0"),
                                           ceiling("f32", 60e12, "sm_90", "2", "auto", "cuda:0")};
    const std::vector<Roofline> all = rooflines(outcomes);
    ASSERT_THAT(all, SizeIs(2));
    EXPECT_FALSE(all[0].memory);
    ASSERT_TRUE(all[1].memory);
    EXPECT_EQ(all[1].device, "cuda:0");
    EXPECT_EQ(all[1].memory->metric->value, 900e9);
    EXPECT_THAT(all[1].ceilings, SizeIs(1));
}

TEST(Roofline, WhatHasNoPlaceOnLogarithmicAxesIsLeftOut) {
    for (const double none : {nan, infinity, 0.0, -1.0, 1e-320, 1e300}) {
        EXPECT_THAT(rooflines({ceiling("f32", none)}), IsEmpty()) << none;
        EXPECT_THAT(rooflines({gemv("int8", "int8", none, 0.5)}), IsEmpty()) << none;
        EXPECT_THAT(rooflines({gemv("int8", "int8", 65e9, none)}), IsEmpty()) << none;
        const std::vector<Outcome> outcomes = {ceiling("f32", 480e9), read_bandwidth(none)};
        EXPECT_FALSE(rooflines(outcomes)[0].memory) << none;
    }
}

TEST(Roofline, OnlyWhatWasMeasuredIsInIt) {
    for (const Status status : {Status::failed, Status::skipped, Status::crashed, Status::timed_out}) {
        std::vector<Outcome> outcomes = kernel_run();
        for (Outcome& outcome : outcomes) outcome = outcome_with_status(outcome, status, "why");
        EXPECT_THAT(rooflines(outcomes), IsEmpty());
    }
    EXPECT_THAT(rooflines({read_bandwidth(35e9)}), IsEmpty()) << "memory alone is no roofline";
}

}  // namespace
}  // namespace assay
