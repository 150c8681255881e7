#include <cmath>
#include <cstdint>
#include <map>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/core/probe.h"
#include "probes/quantized/distributions.h"
#include "probes/quantized/quantized.h"
#include "tests/probes/core/address_space_left.h"

namespace assay {
namespace {

using testing::HasSubstr;

class QuantizedAccuracy : public testing::Test {
  protected:
    Case make(std::map<std::string, std::string> given) { return make_case(probe_, given); }
    Outcome run(std::map<std::string, std::string> given) {
        Context context{.clock = clock_};
        const Outcome outcome = execute(probe_, make(std::move(given)), context);
        EXPECT_EQ(outcome.status, Status::measured) << outcome.reason;
        return outcome;
    }
    double error(const std::string& format, const std::string& scheme,
                 const std::string& distribution = "normal") {
        return run({{"format", format}, {"scheme", scheme}, {"distribution", distribution}})
            .metrics.at(0)
            .value;
    }

    SteadyClock clock_;
    Probe probe_ = quantized_accuracy_probe();
};

TEST_F(QuantizedAccuracy, Int8RowsErrAsTheirStepsSay) {
    // The largest of 4096 normal values is about 3.8 deviations: a step of 3.8 / 127, an error of 1/sqrt(12)
    // of it on each side: 0.87 % for weights alone, sqrt(2) as much for both.
    EXPECT_NEAR(error("int8", "weights"), 0.0087, 0.0004);
    EXPECT_NEAR(error("int8", "both"), 0.0124, 0.0005);
    // Of 32 it is about 2.4.
    EXPECT_NEAR(error("int8", "weights_group"), 2.4 / 127 / std::sqrt(12.0), 0.0003);
    EXPECT_NEAR(error("int8", "both_group"), std::sqrt(2) * 2.4 / 127 / std::sqrt(12.0), 0.0005);
}

TEST_F(QuantizedAccuracy, OtherFormatsErrAsTheirBitsSay) {
    EXPECT_NEAR(error("int4", "weights"), 2.3 / 8 / std::sqrt(12.0), 0.012);
    EXPECT_NEAR(error("int4_g128", "weights"), 2.8 / 8 / std::sqrt(12.0), 0.012);
    EXPECT_NEAR(error("fp8", "weights"), 0x1p-3 / std::sqrt(12.0) * 0.72, 0.003);
    EXPECT_NEAR(error("bf16", "both"), std::sqrt(2) * 0x1p-7 / std::sqrt(12.0) * 0.72, 0.0003);
    // Eleven bits, and sums that lose no more than that.
    EXPECT_NEAR(error("f16", "both"), std::sqrt(2) * 0x1p-10 / std::sqrt(12.0) * 0.72, 0.0001);
}

TEST_F(QuantizedAccuracy, TailsAndOutliersCostRowsMoreThanGroups) {
    EXPECT_GT(error("int8", "weights", "heavy_tailed"), 2 * error("int8", "weights"));
    EXPECT_GT(error("int8", "both", "outlier_channels"), 1.5 * error("int8", "weights", "outlier_channels"));
    EXPECT_GT(error("int8", "both", "outlier_channels"),
              1.5 * error("int8", "both_group", "outlier_channels"));
    // Floating formats have a scale in every number.
    EXPECT_NEAR(error("bf16", "both", "heavy_tailed"), error("bf16", "both"), 0.0005);
}

TEST_F(QuantizedAccuracy, BytesAreThoseOfPackedRows) {
    const auto bytes = [&](const char* format, const char* scheme) {
        return run({{"format", format}, {"scheme", scheme}}).metrics.at(1).value;
    };
    EXPECT_DOUBLE_EQ(bytes("int8", "weights"), 1 + 4 / 4096.0);
    EXPECT_DOUBLE_EQ(bytes("int8", "weights_group"), 1 + 4 / 32.0);
    EXPECT_DOUBLE_EQ(bytes("int4", "weights"), 4.5 / 8);
    EXPECT_DOUBLE_EQ(bytes("int4_g128", "weights"), 4.125 / 8);
    EXPECT_DOUBLE_EQ(bytes("f16", "both"), 2);
}

TEST_F(QuantizedAccuracy, TheSameSeedGivesTheSameError) {
    EXPECT_EQ(error("int4", "both"), error("int4", "both"));
}

TEST_F(QuantizedAccuracy, RefusesWhatDoesNotGoTogether) {
    Context context{.clock = clock_};
    const std::map<std::string, std::string> impossible[] = {
        {{"format", "int4"}, {"scheme", "weights_group"}},
        {{"format", "f16"}, {"scheme", "both_group"}},
        {{"format", "f16"}, {"scheme", "weights"}},
        {{"format", "int8"}, {"k", "100"}},
        {{"format", "int4_g128"}, {"k", "160"}}};
    for (const auto& given : impossible) EXPECT_THROW(probe_.check(make(given), context), InputError);
    EXPECT_NO_THROW(probe_.check(make({{"format", "f16"}, {"k", "101"}}), context));
    EXPECT_THROW(make({{"format", "int2"}}), InputError);
}

TEST_F(QuantizedAccuracy, SkipsWhatDoesNotFitWithTheArithmetic) {
    // Of each of 2^28 weights four bytes as drawn, four once quantized, one of int8; activations are 2^15.
    const AddressSpaceLeft limit(std::uint64_t{5} << 28);
    Context context{.clock = clock_};
    const std::map<std::string, std::string> large = {{"m", "1"}, {"n", "8192"}, {"k", "32768"}};
    const auto skip = [&](std::map<std::string, std::string> given) {
        given.insert(large.begin(), large.end());
        const Outcome outcome = execute(probe_, make(given), context);
        EXPECT_EQ(outcome.status, Status::skipped) << outcome.reason;
        return outcome.reason;
    };
    EXPECT_THAT(skip({{"format", "int8"}, {"scheme", "weights"}}),
                HasSubstr("1 x 32768 activations and 8192 x 32768 weights, as drawn and once quantized, take "
                          "2416082944 bytes (2.3 GiB), and "));
    EXPECT_THAT(skip({{"format", "f16"}, {"scheme", "both"}}), HasSubstr("once rounded and packed, take "));
}

TEST(Distributions, HaveTheirMomentsAndOutliers) {
    const std::vector<float> normal = draw_weights(Distribution::normal, 100, 1000, 1);
    double square = 0;
    std::size_t beyond = 0;
    for (const float value : normal) {
        square += static_cast<double>(value) * static_cast<double>(value);
        beyond += std::abs(value) > 1.96f;
    }
    EXPECT_NEAR(square / 1e5, 1, 0.02);
    EXPECT_NEAR(static_cast<double>(beyond) / 1e5, 0.05, 0.004);
    // P(|t3| > 3.182) = 0.05.
    const std::vector<float> tailed = draw_weights(Distribution::heavy_tailed, 100, 1000, 1);
    beyond = 0;
    for (const float value : tailed) beyond += std::abs(value) > 3.182f;
    EXPECT_NEAR(static_cast<double>(beyond) / 1e5, 0.05, 0.004);
    const std::vector<float> outliers = draw_activations(Distribution::outlier_channels, 500, 128, 1);
    square = 0;
    for (std::size_t row = 0; row < 500; ++row) square += std::pow(outliers[row * 128 + 17], 2);
    EXPECT_NEAR(std::sqrt(square / 500), 20, 2);
}

}  // namespace
}  // namespace assay
