#include "reports/derived.h"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reports/derived_text.h"
#include "tests/reports/kernel_builders.h"

namespace assay {
namespace {

using building::ceiling;
using building::ceilings;
using building::dense;
using building::gemv;
using building::kernel_run;
using building::outcome_with_status;
using building::quantized;
using building::rate;
using building::read_bandwidth;
using building::weight_bytes;
using testing::IsEmpty;
using testing::SizeIs;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

std::vector<DerivedFigure> figures_of(const std::vector<Outcome>& outcomes, DerivedKind kind) {
    std::vector<DerivedFigure> figures = derived_figures(outcomes);
    std::erase_if(figures, [&](const DerivedFigure& figure) { return figure.kind != kind; });
    return figures;
}

std::vector<DerivedFigure> shares_of(const Outcome& product, const Outcome& limit) {
    static std::vector<Outcome> outcomes;  // the figures point into it
    outcomes = {product, limit};
    return derived_figures(outcomes);
}

Outcome dense_f32() {
    return dense("f32", 360e9, 512, 512, 512);
}

const building::Parameters shape = {{"m", "512"}, {"n", "1024"}, {"k", "2048"}};

TEST(Derived, AProductIsAShareOfTheCeilingOfItsArithmetic) {
    const std::vector<Outcome> outcomes = {dense_f32(), ceiling("f32", 480e9), ceiling("f64", 240e9)};
    const std::vector<DerivedFigure> shares = derived_figures(outcomes);
    ASSERT_THAT(shares, SizeIs(1));
    EXPECT_EQ(shares[0].kind, DerivedKind::share_of_ceiling);
    EXPECT_NEAR(*shares[0].figure.value, 0.75, 1e-12);
    EXPECT_EQ(shares[0].of.outcome, &outcomes[0]);
    EXPECT_EQ(shares[0].to.outcome, &outcomes[1]);
}

TEST(Derived, TheArithmeticDecidesAndNotTheFormatOrTheUnit) {
    // fp8 weights multiplied in bf16: of the bf16 ceiling, which counts flop and not operations.
    const std::vector<Outcome> outcomes = {quantized("quantized.gemm", "fp8", "bf16", 300e9, shape, 0.01),
                                           ceiling("int8", 1.9e12), ceiling("bf16", 900e9)};
    const std::vector<DerivedFigure> shares = figures_of(outcomes, DerivedKind::share_of_ceiling);
    ASSERT_THAT(shares, SizeIs(1));
    EXPECT_NEAR(*shares[0].figure.value, 1.0 / 3, 1e-12);
}

TEST(Derived, ACeilingOfOtherThreadsIsaDeviceOrArithmeticIsNone) {
    EXPECT_THAT(shares_of(dense_f32(), ceiling("f32", 480e9)), SizeIs(1));
    EXPECT_THAT(shares_of(dense_f32(), ceiling("f32", 480e9, "avx512", "1", "1")), IsEmpty()) << "threads";
    EXPECT_THAT(shares_of(dense_f32(), ceiling("f32", 480e9, "avx2")), IsEmpty()) << "isa";
    EXPECT_THAT(shares_of(dense_f32(), ceiling("f32", 480e9, "avx512", "2", "auto", "opencl:0")), IsEmpty())
        << "device";
    EXPECT_THAT(shares_of(dense_f32(), ceiling("f64", 480e9)), IsEmpty()) << "arithmetic";
}

TEST(Derived, OfACeilingOfAllSetsThatOfTheProductsOwnCounts) {
    const std::vector<Outcome> outcomes = {
        dense("int8", 1.2e12, 512, 512, 512), dense("int8", 3e12, 512, 512, 512, {}, "amx"),
        dense("int8", 1e11, 512, 512, 512, {}, "portable"),
        ceilings("int8", {{"amx", 6e12}, {"avx512", 1.6e12}, {"avx2", 0.8e12}})};
    const std::vector<DerivedFigure> shares = derived_figures(outcomes);
    ASSERT_THAT(shares, SizeIs(2));
    EXPECT_EQ(shares[0].of.outcome, &outcomes[0]);
    EXPECT_NEAR(*shares[0].figure.value, 0.75, 1e-12);
    EXPECT_EQ(isa_of(shares[0].to), "avx512");
    EXPECT_EQ(instruction_of(shares[0].to), "avx512 of int8");
    EXPECT_EQ(ceiling_name(shares[0].to), "int8 avx512");
    EXPECT_NEAR(*shares[1].figure.value, 0.5, 1e-12);
    EXPECT_EQ(ceiling_name(shares[1].to), "int8 amx");
}

TEST(Derived, WhatWasSettledCountsAndNotWhatWasAsked) {
    // Two threads by choice and two by request are the same.
    EXPECT_THAT(shares_of(dense_f32(), ceiling("f32", 480e9, "avx512", "2", "2")), SizeIs(1));
    Outcome silent = dense_f32();
    silent.resolved.erase("threads");
    EXPECT_THAT(shares_of(silent, ceiling("f32", 480e9)), IsEmpty());
    silent = dense_f32();
    silent.resolved.erase("arithmetic");
    EXPECT_THAT(shares_of(silent, ceiling("f32", 480e9)), IsEmpty());
    silent = dense_f32();
    silent.resolved.erase("isa");
    EXPECT_THAT(shares_of(silent, ceiling("f32", 480e9)), IsEmpty());
    Outcome of_any_isa = ceiling("f32", 480e9);
    of_any_isa.resolved.erase("isa");
    EXPECT_THAT(shares_of(dense_f32(), of_any_isa), SizeIs(1)) << "a ceiling that names no instruction set";
    of_any_isa.resolved.erase("threads");
    EXPECT_THAT(shares_of(dense_f32(), of_any_isa), IsEmpty());
    silent = dense_f32();
    silent.resolved.erase("threads");
    EXPECT_THAT(shares_of(silent, of_any_isa), IsEmpty()) << "two that say nothing are not the same";
}

TEST(Derived, OfSeveralCeilingsTheHighestCounts) {
    const std::vector<Outcome> outcomes = {dense_f32(), ceiling("f32", 400e9),
                                           ceiling("f32", 600e9, "avx512", "2", "2"),
                                           ceiling("f32", 900e9, "amx"), ceiling("f32", nan)};
    const std::vector<DerivedFigure> shares = derived_figures(outcomes);
    ASSERT_THAT(shares, SizeIs(1));
    EXPECT_NEAR(*shares[0].figure.value, 0.6, 1e-12);
}

TEST(Derived, AShareAboveOneStaysAboveOne) {
    const std::vector<DerivedFigure> shares = shares_of(dense_f32(), ceiling("f32", 300e9));
    ASSERT_THAT(shares, SizeIs(1));
    EXPECT_NEAR(*shares[0].figure.value, 1.2, 1e-12);
}

TEST(Derived, AFigureHasTheIntervalOfAResampledRatio) {
    const std::vector<DerivedFigure> shares = shares_of(dense_f32(), ceiling("f32", 480e9));
    ASSERT_THAT(shares, SizeIs(1));
    ASSERT_TRUE(shares[0].figure.ci95);
    // Both swing by half a percent, so their quotient by one at most.
    EXPECT_LT(shares[0].figure.ci95->low, 0.75);
    EXPECT_GT(shares[0].figure.ci95->high, 0.75);
    EXPECT_GT(shares[0].figure.ci95->low, 0.75 * 0.99);
    EXPECT_LT(shares[0].figure.ci95->high, 0.75 * 1.01);
}

TEST(Derived, WithoutSamplesTheIntervalSpansEveryQuotient) {
    Outcome product = dense_f32(), limit = ceiling("f32", 480e9);
    product.metrics[0].samples.clear();
    limit.metrics[0].samples.clear();
    const std::vector<DerivedFigure> shares = shares_of(product, limit);
    ASSERT_THAT(shares, SizeIs(1));
    EXPECT_NEAR(shares[0].figure.ci95->low, 0.75 * 0.995 / 1.005, 1e-12);
    EXPECT_NEAR(shares[0].figure.ci95->high, 0.75 * 1.005 / 0.995, 1e-12);
}

TEST(Derived, OnlyMeasuredOutcomesCount) {
    for (const Status status : {Status::failed, Status::skipped, Status::crashed, Status::timed_out}) {
        EXPECT_THAT(shares_of(outcome_with_status(dense_f32(), status, "why"), ceiling("f32", 480e9)),
                    IsEmpty());
        EXPECT_THAT(shares_of(dense_f32(), outcome_with_status(ceiling("f32", 480e9), status, "why")),
                    IsEmpty());
    }
}

TEST(Derived, NoNumberAndNoLimitGiveNoFigure) {
    for (const double none : {nan, std::numeric_limits<double>::infinity(), 0.0, -1.0})
        EXPECT_THAT(shares_of(dense_f32(), ceiling("f32", none)), IsEmpty()) << none;
    EXPECT_THAT(shares_of(dense("f32", nan, 8, 8, 8), ceiling("f32", 480e9)), IsEmpty());
    EXPECT_THAT(shares_of(Outcome{}, Outcome{}), IsEmpty());
    const std::vector<DerivedFigure> nothing_done =
        shares_of(dense("f32", 0, 8, 8, 8), ceiling("f32", 480e9));
    ASSERT_THAT(nothing_done, SizeIs(1));
    EXPECT_EQ(*nothing_done[0].figure.value, 0);
}

TEST(Derived, AVectorProductIsAShareOfWhatMemoryDeliversWhenRead) {
    // 56 GB/s of weights, of 70 read; triad and write_nt stand beside it in the same case.
    const std::vector<DerivedFigure> shares =
        shares_of(gemv("int8", "int8", 112e9, 0.5), read_bandwidth(70e9));
    ASSERT_THAT(shares, SizeIs(1));
    EXPECT_EQ(shares[0].kind, DerivedKind::share_of_memory);
    EXPECT_NEAR(*shares[0].figure.value, 0.8, 1e-12);
    EXPECT_TRUE(shares[0].figure.ci95);
}

TEST(Derived, ReadingMayBeACaseOfItsOwn) {
    Outcome reading = read_bandwidth(70e9);
    reading.the_case.parameters["kernel"] = "read";
    std::erase_if(reading.metrics, [](const Metric& metric) { return metric.labels.at("kernel") != "read"; });
    reading.metrics[0].labels.clear();
    const std::vector<DerivedFigure> shares = shares_of(gemv("int8", "int8", 112e9, 0.5), reading);
    ASSERT_THAT(shares, SizeIs(1));
    EXPECT_NEAR(*shares[0].figure.value, 0.8, 1e-12);
    reading.the_case.parameters["kernel"] = "copy";
    EXPECT_THAT(shares_of(gemv("int8", "int8", 112e9, 0.5), reading), IsEmpty());
}

TEST(Derived, MemoryOfAnotherDeviceOrWithOtherThreadsIsNone) {
    EXPECT_THAT(shares_of(gemv("int8", "int8", 112e9, 0.5), read_bandwidth(70e9, "2", "opencl:0")),
                IsEmpty());
    EXPECT_THAT(shares_of(gemv("int8", "int8", 112e9, 0.5), read_bandwidth(70e9, "1")), IsEmpty());
}

TEST(Derived, AQuantizedProductIsTimesTheFastestF32OfItsShape) {
    const std::vector<Outcome> outcomes = {quantized("quantized.gemm", "int8", "int8", 900e9, shape, 0.01),
                                           dense("f32", 400e9, 512, 1024, 2048),
                                           dense("f32", 450e9, 512, 1024, 2048, {}, "avx2"),
                                           dense("f32", 460e9, 2048, 2048, 2048),
                                           dense("f32", 800e9, 512, 1024, 2048, {}, "avx512", "1"),
                                           dense("bf16", 850e9, 512, 1024, 2048)};
    const std::vector<DerivedFigure> gains = derived_figures(outcomes);
    ASSERT_THAT(gains, SizeIs(1));
    EXPECT_EQ(gains[0].kind, DerivedKind::speed_up_over_f32);
    EXPECT_NEAR(*gains[0].figure.value, 2.0, 1e-12);
    EXPECT_EQ(gains[0].to.outcome, &outcomes[2]);
    EXPECT_FALSE(gains[0].other_shape);
}

TEST(Derived, WithoutF32OfItsShapeTheFastestOneStandsInAndThatIsSaid) {
    // Each differs in another side.
    const std::vector<Outcome> outcomes = {
        quantized("quantized.gemm", "int8", "int8", 900e9, shape, 0.01), dense("f32", 300e9, 513, 1024, 2048),
        dense("f32", 450e9, 512, 1025, 2048), dense("f32", 360e9, 512, 1024, 2049)};
    const std::vector<DerivedFigure> gains = derived_figures(outcomes);
    ASSERT_THAT(gains, SizeIs(1));
    EXPECT_NEAR(*gains[0].figure.value, 2.0, 1e-12);
    EXPECT_EQ(gains[0].to.outcome, &outcomes[2]);
    EXPECT_TRUE(gains[0].other_shape);
}

TEST(Derived, AVectorProductIsOnlyHeldAgainstF32OfItsOwnShape) {
    const Outcome f32 = gemv("f32", "f32", 20e9, 2);
    std::vector<DerivedFigure> gains = shares_of(gemv("int4", "int8", 70e9, 0.28), f32);
    ASSERT_THAT(gains, SizeIs(1));
    EXPECT_NEAR(*gains[0].figure.value, 3.5, 1e-12);
    const Outcome other = quantized("quantized.gemv", "f32", "f32", 20e9, {{"m", "4096"}, {"k", "8192"}}, 2);
    EXPECT_THAT(shares_of(gemv("int4", "int8", 70e9, 0.28), other), IsEmpty());
    // f32 itself has no gain over itself, and no dense product is its peer.
    EXPECT_THAT(shares_of(f32, dense_f32()), IsEmpty());
}

TEST(Derived, BytesAWeightAreSharesOfThoseOfF32AndF16) {
    const std::vector<Outcome> outcomes = {weight_bytes("int4", 0.5625)};
    const std::vector<DerivedFigure> shares = derived_figures(outcomes);
    ASSERT_THAT(shares, SizeIs(2));
    EXPECT_EQ(shares[0].kind, DerivedKind::share_of_f32_bytes);
    EXPECT_NEAR(*shares[0].figure.value, 0.140625, 1e-12);
    EXPECT_EQ(shares[1].kind, DerivedKind::share_of_f16_bytes);
    EXPECT_NEAR(*shares[1].figure.value, 0.28125, 1e-12);
    EXPECT_EQ(shares[0].to.outcome, nullptr);
    EXPECT_EQ(shares[0].figure.ci95, std::nullopt) << "both are exact";
    EXPECT_TRUE(shares[0].figure.stands_alone);
}

TEST(Derived, AnAcceleratorsKernelsAreHeldAgainstItsOwnMemoryAndF32WithoutThreadsToTell) {
    Outcome product = building::gemv("int8", "int8", 2e12, 0.5);
    Outcome plain = building::gemv("f32", "f32", 1e12, 2);
    for (Outcome* outcome : {&product, &plain}) {
        outcome->the_case.parameters["device"] = "cuda:0";
        outcome->resolved.erase("threads");
        outcome->resolved.erase("isa");
    }
    Outcome memory = read_bandwidth(4e12, "2", "cuda:0");
    memory.resolved.clear();
    const std::vector<Outcome> outcomes = {product, plain, read_bandwidth(50e9), memory,
                                           read_bandwidth(9e12, "2", "cuda:1")};
    const std::vector<DerivedFigure> shares = figures_of(outcomes, DerivedKind::share_of_memory);
    ASSERT_THAT(shares, SizeIs(2));
    EXPECT_EQ(shares[0].to.outcome, &outcomes[3]) << "neither the host's memory nor another card's";
    EXPECT_NEAR(*shares[0].figure.value, 0.25, 1e-12);
    const std::vector<DerivedFigure> gains = figures_of(outcomes, DerivedKind::speed_up_over_f32);
    ASSERT_THAT(gains, SizeIs(1));
    EXPECT_NEAR(*gains[0].figure.value, 2, 1e-12);
    // The host's own still need as many threads.
    EXPECT_THAT(shares_of(building::gemv("int8", "int8", 65e9, 0.5), read_bandwidth(50e9, "1")), IsEmpty());
}

TEST(Derived, StandsByKindAndThenInTheOutcomesOrder) {
    const std::vector<Outcome> outcomes = kernel_run();
    const std::vector<DerivedFigure> all = derived_figures(outcomes);
    // Twelve products, five of them with a vector; three dense and four vector products gain on f32; two
    // formats.
    std::map<DerivedKind, int> count;
    for (std::size_t at = 0; at < all.size(); ++at) {
        ++count[all[at].kind];
        if (at == 0) continue;
        EXPECT_LE(all[at - 1].kind, all[at].kind);
        if (all[at - 1].kind == all[at].kind) {
            EXPECT_LT(all[at - 1].of.outcome, all[at].of.outcome);
        }
    }
    EXPECT_EQ(count, (std::map<DerivedKind, int>{{DerivedKind::share_of_ceiling, 12},
                                                 {DerivedKind::share_of_memory, 5},
                                                 {DerivedKind::speed_up_over_f32, 7},
                                                 {DerivedKind::share_of_f32_bytes, 2},
                                                 {DerivedKind::share_of_f16_bytes, 2}}));
}

}  // namespace
}  // namespace assay
