#include <cstdint>
#include <map>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernels/matrix/quantized_product.h"
#include "probes/core/probe.h"
#include "probes/quantized/quantized.h"
#include "tests/probes/core/address_space_left.h"

namespace assay {
namespace {

using testing::HasSubstr;

SampleSet few_samples(const SamplingPolicy&, const std::function<double()>& take) {
    SampleSet set;
    for (int i = 0; i < 3; ++i) {
        set.values.push_back(take());
        set.at.push_back(i);
    }
    return set;
}

class SteppingClock final : public Clock {
  public:
    Nanoseconds now() override { return now_ += std::chrono::milliseconds(10); }
    void sleep_until(Nanoseconds) override {}

  private:
    Nanoseconds now_{0};
};

class QuantizedGemm : public testing::Test {
  protected:
    Case make(std::map<std::string, std::string> given) { return make_case(probe_, given); }
    Outcome run(std::map<std::string, std::string> given) {
        return execute(probe_, make(std::move(given)), context_);
    }

    SteppingClock clock_;
    Context context_{.clock = clock_, .sample = few_samples};
    Probe probe_ = quantized_gemm_probe();
};

TEST_F(QuantizedGemm, MeasuresAndChecksWhatGoesTogetherAndRefusesTheRest) {
    int measured = 0;
    for (const char* format : {"int8", "int4", "int4_g128", "fp8"})
        for (const char* activations : {"int8", "bf16"})
            for (const char* isa : {"portable", "neon", "avx2", "avx512", "amx"}) {
                const std::map<std::string, std::string> given = {
                    {"format", format}, {"activations", activations}, {"isa", isa}, {"m", "37"}, {"n", "45"},
                    {"k", "256"}};
                if (!kernels::quantized_kernel(kernels::weight_format_from_string(format).value(),
                                               kernels::precision_from_string(activations).value(),
                                               kernels::isa_from_string(isa).value())) {
                    EXPECT_THROW(probe_.check(make(given), context_), InputError);
                    continue;
                }
                const Outcome outcome = run(given);
                ASSERT_EQ(outcome.status, Status::measured) << outcome.reason;
                EXPECT_EQ(outcome.resolved.at("isa"), isa);
                EXPECT_TRUE(outcome.checks.at(0).passed) << outcome.checks[0].detail;
                ++measured;
            }
    EXPECT_GE(measured, 4);
}

TEST_F(QuantizedGemm, CountsOperationsAndBytes) {
    const Outcome outcome = run({{"format", "int4"}, {"m", "10"}, {"n", "20"}, {"k", "320"}});
    ASSERT_EQ(outcome.status, Status::measured) << outcome.reason;
    // A product every 10 ms of this clock.
    EXPECT_DOUBLE_EQ(outcome.metrics.at(0).value, 2.0 * 10 * 20 * 320 / 0.01);
    EXPECT_DOUBLE_EQ(outcome.metrics.at(1).value, 20 * 320 * 4.5 / 8 / 0.01);
    EXPECT_DOUBLE_EQ(outcome.metrics.at(2).value,
                     (20 * 320 * 4.5 / 8 + 4 * (10 * 320 + 10 * 20)) / (2.0 * 10 * 20 * 320));
}

TEST_F(QuantizedGemm, RefusesAndSkips) {
    EXPECT_THROW(make({{"format", "int3"}}), InputError);
    EXPECT_THROW(make({{"n", "0"}}), InputError);
    EXPECT_THROW(make({{"k", "131104"}}), InputError) << "int32 would overflow";
    EXPECT_THROW(probe_.check(make({{"k", "100"}}), context_), InputError);
    EXPECT_THROW(probe_.check(make({{"format", "int4_g128"}, {"k", "160"}}), context_), InputError);
    // Portable kernels widen bytes: 2 × 2^35 of weights and as many of activations, 4 × 2^35 of those as
    // given, 4 × 2^36 of the result, and the weights' scales.
    const Outcome outcome = run({{"m", "262144"}, {"n", "262144"}, {"k", "131072"}, {"isa", "portable"}});
    EXPECT_EQ(outcome.status, Status::skipped);
    EXPECT_THAT(outcome.reason, HasSubstr("take 549756862"));
    EXPECT_THAT(outcome.reason, HasSubstr(" bytes (512.0 GiB), and"));
}

TEST_F(QuantizedGemm, IsSkippedWhereOnlyItsPackedCopiesDoNotFit) {
    const kernels::ProductShape shape{16384, 1024, 32768};
    const kernels::MatrixKernel kernel =
        kernels::quantized_kernel(kernels::WeightFormat::int8, kernels::Precision::int8,
                                  kernels::Isa::portable)
            .value();
    const std::uint64_t packed_activations =
        kernels::PackedLayout(kernel, kernels::Side::left, shape.m, shape.k).bytes();
    const std::uint64_t others = 4 * (shape.m * shape.k + shape.m * shape.n) +
                                 kernels::packed_weight_bytes(kernel, kernels::WeightFormat::int8, shape);
    const AddressSpaceLeft limit(others + packed_activations / 2);
    const Outcome outcome = run({{"m", "16384"}, {"n", "1024"}, {"k", "32768"}, {"isa", "portable"}});
    EXPECT_EQ(outcome.status, Status::skipped) << outcome.reason;
    EXPECT_THAT(outcome.reason, HasSubstr("packed copies included"));
}

}  // namespace
}  // namespace assay
