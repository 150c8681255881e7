#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernels/cpu/thread_team.h"
#include "probes/core/probe.h"
#include "probes/gemm/gemm.h"
#include "probes/gemm/product.h"

namespace assay {
namespace {

using testing::HasSubstr;

/// Takes so many samples, whatever the clock says.
std::function<SampleSet(const SamplingPolicy&, const std::function<double()>&)> samples(int count) {
    return [count](const SamplingPolicy&, const std::function<double()>& take) {
        SampleSet set;
        for (int i = 0; i < count; ++i) {
            set.values.push_back(take());
            set.at.push_back(i);
        }
        return set;
    };
}

class GemmThroughput : public testing::Test {
  protected:
    Case make(std::map<std::string, std::string> given) { return make_case(probe_, given); }
    Outcome run(const Case& the_case) { return execute(probe_, the_case, context_); }

    SteadyClock clock_;
    Context context_{.clock = clock_, .sample = samples(5)};
    Probe probe_ = gemm_throughput_probe();
};

TEST_F(GemmThroughput, MeasuresAndChecksOddShapesInBothPrecisions) {
    for (const char* precision : {"f32", "f64"}) {
        const Outcome outcome = run(make({{"precision", precision}, {"m", "37"}, {"n", "53"}, {"k", "29"}}));
        ASSERT_EQ(outcome.status, Status::measured) << outcome.reason;
        ASSERT_EQ(outcome.metrics.size(), 2u);
        EXPECT_EQ(outcome.metrics[0].name, "gemm.throughput");
        EXPECT_EQ(outcome.metrics[1].name, "gemm.throughput.bytes_per_operation");
        EXPECT_EQ(outcome.metrics[0].unit, Unit::flop_per_second);
        EXPECT_GT(outcome.metrics[0].value, 0);
        EXPECT_EQ(outcome.metrics[0].labels.at("precision"), precision);
        ASSERT_EQ(outcome.checks.size(), 1u);
        EXPECT_TRUE(outcome.checks[0].passed);
        EXPECT_LE(outcome.checks[0].error.value(), 30 * 6e-8);
        EXPECT_EQ(outcome.resolved.at("arithmetic"), precision);
    }
}

TEST_F(GemmThroughput, OneRowAndOneColumnAreMatricesToo) {
    EXPECT_EQ(run(make({{"m", "1"}, {"n", "1"}, {"k", "1"}})).status, Status::measured);
}

TEST_F(GemmThroughput, CountsTwoOperationsAProduct) {
    class SteppingClock final : public Clock {
      public:
        Nanoseconds now() override { return now_ += std::chrono::milliseconds(10); }
        void sleep_until(Nanoseconds) override {}

      private:
        Nanoseconds now_{0};
    } clock;
    Context context{.clock = clock, .sample = samples(5)};
    const Outcome outcome = execute(probe_, make({{"m", "10"}, {"n", "20"}, {"k", "30"}}), context);
    ASSERT_EQ(outcome.status, Status::measured) << outcome.reason;
    // One product every 10 ms of this clock.
    EXPECT_DOUBLE_EQ(outcome.metrics[0].value, 2.0 * 10 * 20 * 30 / 0.01);
}

TEST_F(GemmThroughput, RefusesWhatItCannotDo) {
    EXPECT_THROW(make({{"precision", "fp12"}}), InputError);
    // A product of no size, and what no implementation or instruction set can do.
    const std::map<std::string, std::string> impossible[] = {
        {{"precision", "bf16"}, {"implementation", "openblas"}},
        {{"precision", "f64"}, {"implementation", "own"}},
        {{"precision", "f64"}, {"isa", "portable"}},
        {{"precision", "f32"}, {"implementation", "openblas"}, {"isa", "portable"}},
        {{"precision", "int8"}, {"core", "Haswell"}},
        {{"precision", "f32"}, {"isa", kernels::supports(kernels::Isa::neon) ? "avx2" : "neon"}},
        {{"precision", "f32"}, {"isa", "amx"}}};
    for (const auto& given : impossible) EXPECT_THROW(probe_.check(make(given), context_), InputError);
    EXPECT_THROW(make({{"n", "0"}}), InputError);
    EXPECT_THROW(make({{"implementation", "mkl"}}), InputError);
    const std::string too_many = std::to_string(kernels::allowed_cpus() + 1);
    try {
        probe_.check(make({{"threads", too_many}}), context_);
        FAIL() << "accepted " << too_many << " threads";
    } catch (const InputError& error) {
        EXPECT_THAT(error.what(), HasSubstr("gemm.throughput.threads"));
        EXPECT_THAT(error.what(), HasSubstr("accepted: 1 to"));
    }
}

TEST_F(GemmThroughput, SkipsWhatDoesNotFitWithTheArithmetic) {
    // Two matrices of f64 and their product: 3 × 8 × 2^34.
    const Outcome outcome =
        run(make({{"precision", "f64"}, {"m", "131072"}, {"n", "131072"}, {"k", "131072"}}));
    EXPECT_EQ(outcome.status, Status::skipped);
    EXPECT_THAT(outcome.reason, HasSubstr("take 412316860416 bytes"));
}

TEST_F(GemmThroughput, EveryInstructionSetMultipliesEveryPrecisionRight) {
    int measured = 0;
    for (const char* isa : {"portable", "neon", "avx2", "avx512", "amx"})
        for (const char* precision : {"f32", "bf16", "f16", "int8"}) {
            if (!kernels::best_matrix_kernel(kernels::precision_from_string(precision).value(),
                                             kernels::isa_from_string(isa).value()))
                continue;
            const Outcome outcome =
                run(make({{"precision", precision}, {"isa", isa}, {"m", "37"}, {"n", "53"}, {"k", "129"}}));
            ASSERT_EQ(outcome.status, Status::measured) << outcome.reason;
            EXPECT_EQ(outcome.resolved.at("isa"), isa);
            EXPECT_EQ(outcome.resolved.at("implementation"), "own");
            EXPECT_EQ(outcome.metrics[0].unit,
                      std::string(precision) == "int8" ? Unit::operation_per_second : Unit::flop_per_second);
            ++measured;
        }
    EXPECT_GE(measured, 4);
}

TEST_F(GemmThroughput, BytesAnOperationAreThoseOfOperandsAndResult) {
    const Outcome outcome = run(make({{"precision", "int8"}, {"m", "10"}, {"n", "20"}, {"k", "30"}}));
    ASSERT_EQ(outcome.status, Status::measured) << outcome.reason;
    EXPECT_DOUBLE_EQ(outcome.metrics[1].value, (300 + 600 + 4 * 200) / 12000.0);
}

TEST_F(GemmThroughput, AWrongProductFailsItsCheck) {
    std::variant<std::unique_ptr<Device>, Absent> device = open_device("cpu:0");
    Matrices matrices(*std::get<std::unique_ptr<Device>>(device), kernels::Precision::int8, {5, 7, 9});
    kernels::ThreadTeam team(1);
    matrices.fill(1, team);
    matrices.poison();
    EXPECT_FALSE(matrices.check(kernels::Precision::int8, 1).passed) << "nothing was multiplied";
    const PreparedProduct product = prepare_own(kernels::best_matrix_kernel(kernels::Precision::int8).value(),
                                                matrices, *std::get<std::unique_ptr<Device>>(device), 1);
    product.multiply();
    EXPECT_TRUE(matrices.check(kernels::Precision::int8, 1).passed);
    // The last row is always among those checked.
    reinterpret_cast<std::int32_t*>(matrices.c())[4 * 7 + 3] += 1;
    EXPECT_FALSE(matrices.check(kernels::Precision::int8, 1).passed);
}

TEST_F(GemmThroughput, SkipsDevicesAndCoresThatAreNotThere) {
    const Outcome device = run(make({{"device", "cuda:99"}}));
    EXPECT_EQ(device.status, Status::skipped);
    EXPECT_THAT(device.reason, HasSubstr("cuda"));
    const Outcome core = run(make({{"core", "NoSuchProcessor"}, {"m", "8"}, {"n", "8"}, {"k", "8"}}));
    EXPECT_EQ(core.status, Status::skipped);
    EXPECT_FALSE(core.reason.empty());
}

TEST_F(GemmThroughput, EstimatesItsMemory) {
    const auto estimated = [&](const char* precision, const char* implementation) {
        return probe_
            .estimate(make({{"m", "10"},
                            {"n", "20"},
                            {"k", "30"},
                            {"precision", precision},
                            {"implementation", implementation}}),
                      context_)
            .memory_bytes;
    };
    EXPECT_EQ(estimated("f32", "openblas"), 4u * (300 + 600 + 200));
    EXPECT_EQ(estimated("f64", "auto"), 8u * (300 + 600 + 200));
    EXPECT_GE(estimated("f32", "own"), 4u * (300 + 600 + 200 + 300 + 600)) << "packed copies besides";
}

}  // namespace
}  // namespace assay
