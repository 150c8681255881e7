#include "kernels/cpu/quantized.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/cpu/half.h"
#include "kernels/reference/reference.h"

namespace assay::kernels {
namespace {

constexpr WeightFormat formats[] = {WeightFormat::int8, WeightFormat::int4};

std::vector<Isa> runnable() {
    std::vector<Isa> isas;
    for (const Isa isa : {Isa::portable, Isa::avx2, Isa::avx512})
        if (supports(isa)) isas.push_back(isa);
    return isas;
}

std::vector<float> normal(std::size_t count, unsigned seed, float deviation = 1) {
    std::mt19937 generator(seed);
    std::normal_distribution<float> distribution(0, deviation);
    std::vector<float> values(count);
    for (float& value : values) value = distribution(generator);
    return values;
}

/// Weights of a matrix, packed. Buffers have exactly the size needed, so that a sanitizer sees a read beyond.
struct Packed {
    Packed(WeightFormat the_format, std::vector<float> the_weights, std::size_t the_columns)
        : format(the_format),
          rows(the_weights.size() / the_columns),
          columns(the_columns),
          weights(std::move(the_weights)),
          bytes(rows * packed_row_bytes(format, columns)),
          dequantized(rows * columns) {
        quantize_rows(format, weights.data(), rows, columns, bytes.data());
        dequantize_rows(format, bytes.data(), rows, columns, dequantized.data());
    }
    std::vector<float> product(Isa isa, const std::vector<float>& in, std::size_t begin,
                               std::size_t end) const {
        std::vector<float> out(rows, std::numeric_limits<float>::quiet_NaN());
        gemv(isa, format, bytes.data(), columns, in.data(), out.data(), begin, end);
        return out;
    }

    WeightFormat format;
    std::size_t rows, columns;
    std::vector<float> weights;
    std::vector<std::byte> bytes;
    std::vector<float> dequantized;
};

void expect_matches_reference(const Packed& packed, const std::vector<float>& in,
                              const std::vector<float>& out, Isa isa) {
    for (std::size_t row = 0; row < packed.rows; ++row) {
        const reference::Product expected =
            reference::dot(std::span(packed.dequantized).subspan(row * packed.columns, packed.columns), in);
        const double allowed =
            (static_cast<double>(packed.columns) / 16 + 32) * 0x1p-24 * expected.magnitude +
            std::numeric_limits<float>::min();
        ASSERT_NEAR(out[row], expected.value, allowed)
            << to_string(packed.format) << ' ' << to_string(isa) << " row " << row << " of " << packed.rows
            << " x " << packed.columns;
    }
}

TEST(Quantized, EveryInstructionSetMatchesTheReferenceOnOddShapes) {
    for (const WeightFormat format : formats) {
        for (const std::size_t columns : {32u, 64u, 96u, 128u, 160u, 224u, 512u, 544u, 640u, 1056u, 2080u}) {
            for (const std::size_t rows : {1u, 2u, 3u, 4u, 5u, 7u, 13u, 17u}) {
                const Packed packed(format, normal(rows * columns, static_cast<unsigned>(columns + rows)),
                                    columns);
                const std::vector<float> in = normal(columns, 5);
                for (const Isa isa : runnable())
                    expect_matches_reference(packed, in, packed.product(isa, in, 0, rows), isa);
            }
        }
    }
}

TEST(Quantized, EachColumnMeetsItsOwnActivation) {
    // One activation at a time: a permuted layout that both packing and product agree on by accident, or an
    // activation that is skipped, shows.
    const std::size_t columns = 32 * 7;
    for (const WeightFormat format : formats) {
        const Packed packed(format, normal(3 * columns, 11), columns);
        for (std::size_t column = 0; column < columns; ++column) {
            std::vector<float> in(columns, 0.0f);
            in[column] = 2;
            for (const Isa isa : runnable()) {
                const std::vector<float> out = packed.product(isa, in, 0, 3);
                for (std::size_t row = 0; row < 3; ++row)
                    ASSERT_FLOAT_EQ(out[row], 2 * packed.dequantized[row * columns + column])
                        << to_string(format) << ' ' << to_string(isa) << " column " << column;
            }
        }
    }
}

TEST(Quantized, ARowsResultDoesNotDependOnHowRowsAreDivided) {
    const std::size_t rows = 23, columns = 544;
    for (const WeightFormat format : formats) {
        const Packed packed(format, normal(rows * columns, 3), columns);
        const std::vector<float> in = normal(columns, 4);
        for (const Isa isa : runnable()) {
            const std::vector<float> whole = packed.product(isa, in, 0, rows);
            for (std::size_t begin = 0; begin < rows; begin += 3)
                for (std::size_t end = begin; end <= rows; end += 5) {
                    const std::vector<float> part = packed.product(isa, in, begin, end);
                    for (std::size_t row = 0; row < rows; ++row) {
                        if (row >= begin && row < end)
                            ASSERT_EQ(part[row], whole[row]) << to_string(isa) << " row " << row;
                        else
                            ASSERT_TRUE(std::isnan(part[row])) << "row " << row << " is not this range's";
                    }
                }
        }
    }
}

TEST(Quantized, AnEmptyRangeTouchesNothing) {
    for (const WeightFormat format : formats)
        for (const Isa isa : runnable())
            EXPECT_NO_THROW(gemv(isa, format, nullptr, 32, nullptr, nullptr, 3, 3));
}

TEST(Quantized, WeightsComeBackWithinHalfAStep) {
    const std::size_t columns = 512;
    for (const WeightFormat format : formats) {
        const Packed packed(format, normal(8 * columns, 21), columns);
        const std::size_t share = format == WeightFormat::int8 ? columns : 32;
        for (std::size_t first = 0; first < packed.weights.size(); first += share) {
            float largest = 0;
            for (std::size_t i = 0; i < share; ++i)
                largest = std::max(largest, std::abs(packed.weights[first + i]));
            // int4: the side that is opposite to the largest weight ends at 7 of 8 steps, and the f16 scale
            // is itself rounded.
            const float step = format == WeightFormat::int8 ? largest / 127 : largest / 8;
            const float allowed = format == WeightFormat::int8 ? 0.5001f * step : 1.01f * step;
            for (std::size_t i = 0; i < share; ++i) {
                ASSERT_NEAR(packed.dequantized[first + i], packed.weights[first + i], allowed);
                if (format == WeightFormat::int4 && std::abs(packed.weights[first + i]) < 0.8f * largest) {
                    ASSERT_NEAR(packed.dequantized[first + i], packed.weights[first + i], 0.51f * step);
                }
            }
        }
    }
}

TEST(Quantized, RelativeErrorIsThatOfTheFormat) {
    const std::size_t columns = 4096;
    for (const WeightFormat format : formats) {
        const Packed packed(format, normal(8 * columns, 22), columns);
        double difference = 0, norm = 0;
        for (std::size_t i = 0; i < packed.weights.size(); ++i) {
            difference += std::pow(packed.weights[i] - packed.dequantized[i], 2);
            norm += std::pow(packed.weights[i], 2);
        }
        const double error = std::sqrt(difference / norm);
        // Uniform rounding error step/sqrt(12): int8 rows of 4096 normal weights reach about 3.9 deviations,
        // int4 groups of 32 about 2.3.
        const double steps = format == WeightFormat::int8 ? 3.9 / 127 : 2.3 / 8;
        EXPECT_NEAR(error, steps / std::sqrt(12.0), 0.1 * error);
    }
}

TEST(Quantized, ZerosAreKeptExactly) {
    for (const WeightFormat format : formats) {
        std::vector<float> weights(2 * 160, 0.0f);
        // The second row has one group that is not zero.
        for (std::size_t i = 0; i < 32; ++i) weights[160 + 64 + i] = static_cast<float>(i) - 16;
        const Packed packed(format, weights, 160);
        EXPECT_EQ(std::vector<float>(packed.dequantized.begin(), packed.dequantized.begin() + 160),
                  std::vector<float>(160, 0.0f));
        const std::vector<float> in(160, 1e30f);
        for (const Isa isa : runnable()) {
            EXPECT_EQ(packed.product(isa, in, 0, 2)[0], 0) << to_string(isa);
            expect_matches_reference(packed, in, packed.product(isa, in, 0, 2), isa);
        }
    }
}

TEST(Quantized, ExtremeMagnitudesStayFinite) {
    const float extremes[] = {std::numeric_limits<float>::max(),
                              -std::numeric_limits<float>::max(),
                              std::numeric_limits<float>::denorm_min(),
                              1e-41f,
                              -3e-40f,
                              1e-7f,
                              65504.0f * 8};
    for (const WeightFormat format : formats) {
        for (const float extreme : extremes) {
            std::vector<float> weights(96, extreme / 3);
            weights[40] = extreme;
            weights[41] = -extreme;
            const Packed packed(format, weights, 96);
            // Small enough that no product overflows, alike for all.
            const std::vector<float> in(96, 0x1p-20f);
            for (const float value : packed.dequantized) {
                ASSERT_TRUE(std::isfinite(value)) << extreme;
                ASSERT_LE(std::abs(value), std::abs(extreme) * 1.01f + 1e-6f) << extreme;
            }
            for (const Isa isa : runnable()) {
                const std::vector<float> out = packed.product(isa, in, 0, 1);
                ASSERT_TRUE(std::isfinite(out[0])) << to_string(isa) << ' ' << extreme;
                expect_matches_reference(packed, in, out, isa);
            }
        }
    }
}

TEST(Quantized, Int4SaturatesBeyondTheRangeOfItsScale) {
    std::vector<float> weights(32, 0.0f);
    weights[3] = 1e30f;
    weights[4] = -1e30f;
    const Packed packed(WeightFormat::int4, weights, 32);
    EXPECT_EQ(packed.dequantized[3], 65504.0f * 8);
    EXPECT_EQ(packed.dequantized[4], 65504.0f * -7);
    EXPECT_EQ(packed.dequantized[5], 0);
}

TEST(Quantized, RowsTakeTheBytesThatTheFormatsSay) {
    EXPECT_EQ(packed_row_bytes(WeightFormat::int8, 32), 36u);
    EXPECT_EQ(packed_row_bytes(WeightFormat::int8, 4096), 4100u);
    EXPECT_EQ(packed_row_bytes(WeightFormat::int4, 32), 18u);
    // 4.5 bits a weight.
    EXPECT_EQ(packed_row_bytes(WeightFormat::int4, 4096), 4096u * 9 / 16);
    for (const WeightFormat format : formats)
        for (const std::size_t columns : {0u, 1u, 31u, 33u, 48u})
            EXPECT_THROW(packed_row_bytes(format, columns), std::invalid_argument) << columns;
}

TEST(Quantized, PackedBytesAreThoseOfTheDescribedLayout) {
    // Hand-packed int8: weights 127 and -64 of scale 0.5, first and last.
    std::vector<float> row(32, 0.0f);
    row[0] = 63.5f;
    row[31] = -32;
    std::vector<std::byte> packed(packed_row_bytes(WeightFormat::int8, 32));
    quantize_rows(WeightFormat::int8, row.data(), 1, 32, packed.data());
    EXPECT_EQ(packed[0], std::byte{127});
    EXPECT_EQ(packed[31], static_cast<std::byte>(-64));
    float scale = 0;
    std::memcpy(&scale, &packed[32], sizeof scale);
    EXPECT_EQ(scale, 0.5f);

    // int4 of five groups, each with one weight -8 (scale 1) in column 1 and 1, 2 ... 5 in column 17: four
    // groups interleaved, the fifth on its own.
    std::vector<float> wide(160, 0.0f);
    for (std::size_t group = 0; group < 5; ++group) {
        wide[group * 32 + 1] = -8;
        wide[group * 32 + 17] = static_cast<float>(group + 1);
    }
    packed.resize(packed_row_bytes(WeightFormat::int4, 160));
    quantize_rows(WeightFormat::int4, wide.data(), 1, 160, packed.data());
    for (std::size_t group = 0; group < 4; ++group)
        EXPECT_EQ(packed[4 * 1 + group], static_cast<std::byte>(8 | (group + 1) << 4)) << group;
    EXPECT_EQ(packed[64 + 1], static_cast<std::byte>(8 | 5 << 4));
    for (std::size_t group = 0; group < 5; ++group) {
        std::uint16_t half = 0;
        std::memcpy(&half, &packed[80 + 2 * group], sizeof half);
        EXPECT_EQ(half_to_float(half), 1.0f);
    }
}

}  // namespace
}  // namespace assay::kernels
