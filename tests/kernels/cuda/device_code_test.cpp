// The host's forms of what kernels share: against the formats' definitions.

#include <cmath>
#include <cstdint>
#include <cstring>
#include <random>

#include <gtest/gtest.h>

#include "tests/fake_cuda/simt.h"

#include "kernels/cuda/device_code.h"

namespace assay::device {
namespace {

/// sign, `exponent_bits`, then the fraction; NaN and infinities left out.
double value_of(unsigned bits, int exponent_bits, int fraction_bits) {
    const unsigned fraction = bits & ((1u << fraction_bits) - 1);
    const unsigned exponent = bits >> fraction_bits & ((1u << exponent_bits) - 1);
    const int bias = (1 << (exponent_bits - 1)) - 1;
    const double magnitude = exponent == 0 ? std::ldexp(fraction, 1 - bias - fraction_bits)
                                           : std::ldexp((1u << fraction_bits) + fraction,
                                                        static_cast<int>(exponent) - bias - fraction_bits);
    return bits >> (exponent_bits + fraction_bits) != 0 ? -magnitude : magnitude;
}

TEST(DeviceCode, PairsHaveTheLowerValueFirst) {
    for (unsigned low = 0; low < 256; ++low) {
        const unsigned high = 255 - low;
        const Pair pair = fp8s_to_floats(static_cast<std::uint16_t>(high << 8 | low));
        if ((low & 0x7f) == 0x7f) {
            EXPECT_TRUE(std::isnan(pair.low));
        } else {
            EXPECT_EQ(pair.low, value_of(low, 4, 3)) << low;
        }
        if ((high & 0x7f) != 0x7f) {
            EXPECT_EQ(pair.high, value_of(high, 4, 3)) << high;
        }
    }
    for (unsigned low = 0; low < 0x7c00; low += 7) {
        const unsigned high = 0x8000 | low;
        const Pair halves = halves_to_floats(high << 16 | low);
        EXPECT_EQ(halves.low, value_of(low, 5, 10)) << low;
        EXPECT_EQ(halves.high, -halves.low) << low;
        const Pair bfloats = bfloat16s_to_floats(high << 16 | low);
        EXPECT_EQ(bfloats.low, value_of(low, 8, 7)) << low;
        EXPECT_EQ(bfloats.high, -bfloats.low) << low;
    }
}

TEST(DeviceCode, PairsBecomeBfloat16sWithTheLowerOneFirst) {
    // Ties, of which the even neighbour is taken; values on either side of them; signs.
    const float values[] = {0x1.01p0f, 0x1.03p0f, 0x1.010002p0f, 0x1.00fffep0f, -0x1.03p0f, 0x1p-130f, 0.0f};
    const std::uint32_t expected[] = {0x3f80, 0x3f82, 0x3f81, 0x3f80, 0xbf82, 0x0008, 0};
    for (int i = 0; i < 7; ++i)
        for (int j = 0; j < 7; ++j)
            EXPECT_EQ(floats_to_bfloat16s(values[i], values[j]), expected[j] << 16 | expected[i])
                << i << " " << j;
}

TEST(DeviceCode, RoundsThereAndBackToTheSame) {
    for (unsigned bits = 0; bits < 0x7c00; ++bits)
        ASSERT_EQ(float_to_half(half_to_float(static_cast<std::uint16_t>(bits))), bits);
    for (unsigned bits = 0; bits < 0x7f80; ++bits)
        ASSERT_EQ(float_to_bfloat16(bfloat16_to_float(static_cast<std::uint16_t>(bits))), bits);
    for (unsigned bits = 0; bits < 0x7f; ++bits)
        ASSERT_EQ(float_to_fp8(fp8_to_float(static_cast<std::uint8_t>(bits))), bits);
}

TEST(DeviceCode, DotProductsOfBytesAreSigned) {
    std::mt19937 random{std::random_device{}()};
    for (int round = 0; round < 1000; ++round) {
        std::int8_t a[4], b[4];
        int expected = static_cast<int>(random() % 1000) - 500;
        const int sum = expected;
        for (int i = 0; i < 4; ++i) {
            a[i] = static_cast<std::int8_t>(random());
            b[i] = static_cast<std::int8_t>(random());
            expected += a[i] * b[i];
        }
        int a_word = 0, b_word = 0;
        std::memcpy(&a_word, a, 4);
        std::memcpy(&b_word, b, 4);
        ASSERT_EQ(dot4(a_word, b_word, sum), expected);
        ASSERT_EQ(__dp4a(a_word, b_word, sum), expected);
    }
}

TEST(DeviceCode, LoadsAndStoresMoveAllOfIt) {
    const uint4 sent = {1, 2, 3, 4};
    uint4 received = {};
    store_once(&received, load_once(&sent));
    EXPECT_EQ(std::memcmp(&sent, &received, sizeof sent), 0);
    EXPECT_EQ(load_once(&received.w), 4u);
    const uint2 two = load_once(reinterpret_cast<const uint2*>(&received.z));
    EXPECT_EQ(two.x, 3u);
    EXPECT_EQ(two.y, 4u);
}

}  // namespace
}  // namespace assay::device
