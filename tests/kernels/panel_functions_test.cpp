#include "kernels/matrix/panel_functions.h"

#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/cpu/features.h"
#include "kernels/cpu/fp8.h"

namespace assay::kernels {
namespace {

struct Named {
    Isa isa;
    const PanelFunctions* functions;
};

std::vector<Named> tables() {
    std::vector<Named> all = {{Isa::portable, &portable::panel_functions}};
#if defined(__x86_64__)
    if (supports(Isa::avx2)) all.push_back({Isa::avx2, &avx2::panel_functions});
    if (supports(Isa::avx512)) all.push_back({Isa::avx512, &avx512::panel_functions});
#elif defined(__aarch64__)
    if (supports(Isa::neon)) all.push_back({Isa::neon, &neon::panel_functions});
#endif
    return all;
}

class PanelFunctionsTest : public testing::TestWithParam<Named> {
  protected:
    const PanelFunctions& functions = *GetParam().functions;
};

constexpr std::size_t k = 64;

/// Where value `l` of `column` stands in a micro-kernel's panels of `extent` columns and groups of `values`.
std::size_t at(std::size_t l, std::size_t column, std::size_t extent, std::size_t values) {
    return column / extent * k * extent + l / values * extent * values + column % extent * values +
           l % values;
}

/// Words of 32 columns of E4M3, as kernels/matrix/panel_functions.h says: every byte there is, eight times.
std::vector<std::uint8_t> fp8_panel() {
    std::vector<std::uint8_t> bytes(k * stored_columns);
    for (std::size_t l = 0; l < k; ++l)
        for (std::size_t column = 0; column < stored_columns; ++column)
            bytes[(l / 4 * stored_columns + column) * 4 + l % 4] =
                static_cast<std::uint8_t>(l * stored_columns + column + l / 8);
    return bytes;
}
float fp8_value(std::size_t l, std::size_t column) {
    return fp8_to_float(static_cast<std::uint8_t>(l * stored_columns + column + l / 8));
}

TEST_P(PanelFunctionsTest, EveryByteOfE4m3BecomesItsFloat) {
    const std::vector<std::uint8_t> bytes = fp8_panel();
    for (const std::size_t extent : {16u, 32u}) {
        std::vector<float> out(k * stored_columns + 1, -7.25f);
        functions.fp8_to_f32(reinterpret_cast<const std::uint32_t*>(bytes.data()), k, extent, out.data());
        for (std::size_t l = 0; l < k; ++l)
            for (std::size_t column = 0; column < stored_columns; ++column) {
                const float expected = fp8_value(l, column), got = out[at(l, column, extent, 1)];
                if (std::isnan(expected))
                    ASSERT_TRUE(std::isnan(got)) << l << ", " << column;
                else
                    ASSERT_EQ(got, expected) << extent << ": " << l << ", " << column;
                ASSERT_EQ(std::signbit(got), std::signbit(expected)) << l << ", " << column;
            }
        EXPECT_EQ(out.back(), -7.25f);
    }
}

/// Of 32 columns of int4 the nibbles of which all sixteen occur in every column and place of a word.
struct Int4Panel {
    Int4Panel() : words(k / 4 * 16), scales(k / group * stored_columns) {
        std::mt19937 random(5);
        for (std::uint32_t& word : words) word = static_cast<std::uint32_t>(random());
        for (float& scale : scales) scale = std::ldexp(1.0f, static_cast<int>(random() % 9) - 4) * 1.25f;
    }
    int value(std::size_t l, std::size_t column) const {
        const std::uint32_t nibble = words[l / 4 * 16 + column % 16] >> (l % 4 * 8 + column / 16 * 4) & 15;
        return static_cast<int>(nibble ^ 8u) - 8;
    }
    float scale(std::size_t l, std::size_t column) const {
        return scales[l / group * stored_columns + column];
    }
    static constexpr std::size_t group = 32;
    std::vector<std::uint32_t> words;
    std::vector<float> scales;
};

TEST_P(PanelFunctionsTest, NibblesBecomeFloatsTimesTheirGroupsScales) {
    const Int4Panel panel;
    for (const std::size_t extent : {16u, 32u}) {
        std::vector<float> out(k * stored_columns + 1, -7.25f);
        functions.int4_to_f32(panel.words.data(), panel.scales.data(), panel.group, k, extent, out.data());
        for (std::size_t l = 0; l < k; ++l)
            for (std::size_t column = 0; column < stored_columns; ++column)
                ASSERT_EQ(out[at(l, column, extent, 1)],
                          static_cast<float>(panel.value(l, column)) * panel.scale(l, column))
                    << extent << ": " << l << ", " << column;
        EXPECT_EQ(out.back(), -7.25f);
    }
}

TEST_P(PanelFunctionsTest, NibblesBecomeBytesAndTheirGroupsSums) {
    const Int4Panel panel;
    for (const std::size_t extent : {16u, 32u}) {
        std::vector<std::uint32_t> out(k / 4 * stored_columns + 1, 0x12345678u);
        std::vector<std::int32_t> sums(k / panel.group * stored_columns + 1, -7);
        functions.int4_to_s8(panel.words.data(), panel.group, k, extent, out.data(), sums.data());
        const std::int8_t* const bytes = reinterpret_cast<const std::int8_t*>(out.data());
        std::vector<std::int32_t> expected(sums.size(), 0);
        for (std::size_t l = 0; l < k; ++l)
            for (std::size_t column = 0; column < stored_columns; ++column) {
                ASSERT_EQ(bytes[at(l, column, extent, 4)], panel.value(l, column))
                    << extent << ": " << l << ", " << column;
                expected[l / panel.group * stored_columns + column] += panel.value(l, column);
            }
        expected.back() = -7;
        EXPECT_EQ(sums, expected);
        EXPECT_EQ(out.back(), 0x12345678u);
    }
}

TEST_P(PanelFunctionsTest, SumsAreFiniteWhereTheirProductWithBothScalesIs) {
    struct Given {
        std::int32_t sum;
        float row, column, result;
    };
    constexpr float nan = std::numeric_limits<float>::quiet_NaN();
    const Given given[] = {{0, 1e20f, 1e20f, 0},
                           {1 << 30, 0x1p126f, 0x1p-140f, 0x1p16f},
                           {1 << 30, 0x1p-140f, 0x1p126f, 0x1p16f},
                           {1 << 30, 0x1p-100f, 0x1p-70f, 0x1p-140f},
                           {3, 0x1p-149f, 0x1p-149f, 0},
                           {-7, 0.5f, 4, -14},
                           {5, nan, 1, nan},
                           {5, 1, nan, nan}};
    for (const auto& [sum, row, column, result] : given) {
        const std::vector<std::int32_t> sums(37, sum);
        const std::vector<float> as_floats(37, static_cast<float>(sum)), scales(37, column);
        std::vector<float> integers(38, -7.25f), floats(38, -7.25f);
        functions.finish_integers(sums.data(), row, scales.data(), 37, integers.data());
        functions.finish_floats(as_floats.data(), row, scales.data(), 37, floats.data());
        for (std::size_t i = 0; i < 37; ++i) {
            if (std::isnan(result)) {
                ASSERT_TRUE(std::isnan(integers[i]) && std::isnan(floats[i])) << row << " and " << column;
            } else {
                ASSERT_EQ(integers[i], result) << sum << ", " << row << ", " << column;
                ASSERT_EQ(floats[i], result) << sum << ", " << row << ", " << column;
            }
        }
        EXPECT_EQ(integers.back(), -7.25f);
        EXPECT_EQ(floats.back(), -7.25f);
    }
    const std::int32_t sum = 6;
    float out = 0;
    functions.finish_integers(&sum, 0.25f, nullptr, 1, &out);
    EXPECT_EQ(out, 1.5f);
}

INSTANTIATE_TEST_SUITE_P(AllHere, PanelFunctionsTest, testing::ValuesIn(tables()),
                         [](const testing::TestParamInfo<Named>& chosen) {
                             return std::string(to_string(chosen.param.isa));
                         });

}  // namespace
}  // namespace assay::kernels
