#include "kernels/cpu/half.h"

#include <cmath>
#include <cstdint>
#include <limits>

#include <gtest/gtest.h>

namespace assay::kernels {
namespace {

/// The value of a half by the standard's definition.
double value_of(std::uint16_t half) {
    const int exponent = (half >> 10) & 31;
    const int fraction = half & 1023;
    const double magnitude = exponent == 0    ? std::ldexp(fraction, -24)
                             : exponent == 31 ? (fraction == 0 ? HUGE_VAL : NAN)
                                              : std::ldexp(1024 + fraction, exponent - 25);
    return (half & 0x8000) != 0 ? -magnitude : magnitude;
}

TEST(Half, EveryHalfHasTheValueOfItsDefinitionAndReadsBack) {
    for (unsigned bits = 0; bits < 65536; ++bits) {
        const std::uint16_t half = static_cast<std::uint16_t>(bits);
        const float value = half_to_float(half);
        if (std::isnan(value_of(half))) {
            EXPECT_TRUE(std::isnan(value));
            EXPECT_TRUE(std::isnan(half_to_float(float_to_half(value))));
            continue;
        }
        ASSERT_EQ(static_cast<double>(value), value_of(half)) << bits;
        ASSERT_EQ(float_to_half(value), half) << bits;
    }
}

TEST(Half, RoundsToTheNearestAndTiesToEven) {
    for (unsigned bits = 0; bits < 0x7bff; ++bits) {
        const std::uint16_t low = static_cast<std::uint16_t>(bits);
        const std::uint16_t high = static_cast<std::uint16_t>(bits + 1);
        const float middle = static_cast<float>((value_of(low) + value_of(high)) / 2);
        ASSERT_EQ(float_to_half(middle), bits % 2 == 0 ? low : high) << bits;
        ASSERT_EQ(float_to_half(std::nextafter(middle, 0.0f)), low) << bits;
        ASSERT_EQ(float_to_half(std::nextafter(middle, 1e9f)), high) << bits;
        ASSERT_EQ(float_to_half(-std::nextafter(middle, 1e9f)), high | 0x8000) << bits;
    }
}

TEST(Half, WhatIsTooLargeBecomesInfiniteAndTooSmallZero) {
    EXPECT_EQ(float_to_half(65504.0f), 0x7bff);
    EXPECT_EQ(float_to_half(65519.0f), 0x7bff);
    EXPECT_EQ(float_to_half(65520.0f), 0x7c00);
    EXPECT_EQ(float_to_half(std::numeric_limits<float>::max()), 0x7c00);
    EXPECT_EQ(float_to_half(std::numeric_limits<float>::denorm_min()), 0);
    EXPECT_EQ(float_to_half(-0.0f), 0x8000);
}

}  // namespace
}  // namespace assay::kernels
