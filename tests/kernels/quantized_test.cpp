#include "kernels/cpu/quantized.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/cpu/fp8.h"
#include "kernels/cpu/half.h"
#include "kernels/reference/reference.h"

namespace assay::kernels {
namespace {

constexpr WeightFormat formats[] = {WeightFormat::int8, WeightFormat::int4, WeightFormat::int4_g128,
                                    WeightFormat::fp8,  WeightFormat::bf16, WeightFormat::f32};
constexpr WeightFormat scaled_integers[] = {WeightFormat::int8, WeightFormat::int4};
constexpr WeightFormat integer_formats[] = {WeightFormat::int8, WeightFormat::int4, WeightFormat::int4_g128};

std::vector<Isa> runnable() {
    std::vector<Isa> isas;
    for (const Isa isa : {Isa::portable, Isa::neon, Isa::avx2, Isa::avx512})
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

/// Activations as int8, and the values that they stand for.
struct QuantizedIn {
    QuantizedIn(Isa isa, WeightFormat format, const std::vector<float>& in)
        : bytes(activation_bytes(format, in.size())), values(in.size()) {
        quantize_activations(isa, format, in.data(), in.size(), bytes.data());
        dequantize_activations(format, bytes.data(), in.size(), values.data());
    }
    std::vector<std::byte> bytes;
    std::vector<float> values;
};

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
    std::vector<float> integer_product(Isa isa, const QuantizedIn& in, std::size_t begin,
                                       std::size_t end) const {
        std::vector<float> out(rows, std::numeric_limits<float>::quiet_NaN());
        gemv_int8_activations(isa, format, bytes.data(), columns, in.bytes.data(), out.data(), begin, end);
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
                if (columns % columns_multiple(format) != 0) continue;
                const Packed packed(format, normal(rows * columns, static_cast<unsigned>(columns + rows)),
                                    columns);
                const std::vector<float> in = normal(columns, 5);
                for (const Isa isa : runnable()) {
                    expect_matches_reference(packed, in, packed.product(isa, in, 0, rows), isa);
                    if (!meets_int8_activations(format)) continue;
                    const QuantizedIn quantized(isa, format, in);
                    expect_matches_reference(packed, quantized.values,
                                             packed.integer_product(isa, quantized, 0, rows), isa);
                }
            }
        }
    }
}

TEST(Quantized, EachColumnMeetsItsOwnActivation) {
    // One activation at a time: a permuted layout that both packing and product agree on by accident, or an
    // activation that is skipped, shows.
    for (const WeightFormat format : formats) {
        const std::size_t columns = format == WeightFormat::int4_g128 ? 256 : 32 * 7;
        const Packed packed(format, normal(3 * columns, 11), columns);
        for (std::size_t column = 0; column < columns; ++column) {
            std::vector<float> in(columns, 0.0f);
            in[column] = 2;
            for (const Isa isa : runnable()) {
                const std::vector<float> out = packed.product(isa, in, 0, 3);
                for (std::size_t row = 0; row < 3; ++row)
                    ASSERT_FLOAT_EQ(out[row], 2 * packed.dequantized[row * columns + column])
                        << to_string(format) << ' ' << to_string(isa) << " column " << column;
                if (!meets_int8_activations(format)) continue;
                const std::vector<float> integer =
                    packed.integer_product(isa, QuantizedIn(isa, format, in), 0, 3);
                for (std::size_t row = 0; row < 3; ++row)
                    ASSERT_NEAR(integer[row], 2 * packed.dequantized[row * columns + column],
                                1e-5 * std::abs(integer[row]))
                        << to_string(format) << ' ' << to_string(isa) << " column " << column;
            }
        }
    }
}

TEST(Quantized, ARowsResultDoesNotDependOnHowRowsAreDivided) {
    const std::size_t rows = 23;
    for (const WeightFormat format : formats) {
        const std::size_t columns = format == WeightFormat::int4_g128 ? 512 : 544;
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
            if (!meets_int8_activations(format)) continue;
            const QuantizedIn quantized(isa, format, in);
            const std::vector<float> all = packed.integer_product(isa, quantized, 0, rows);
            const std::vector<float> part = packed.integer_product(isa, quantized, 2, 19);
            for (std::size_t row = 0; row < rows; ++row) {
                if (row >= 2 && row < 19)
                    ASSERT_EQ(part[row], all[row]) << to_string(isa) << " row " << row;
                else
                    ASSERT_TRUE(std::isnan(part[row])) << "row " << row;
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
    for (const WeightFormat format : scaled_integers) {
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
    for (const WeightFormat format : scaled_integers) {
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
    for (const WeightFormat format : scaled_integers) {
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

TEST(Quantized, TheLargestProductsDoNotSaturate) {
    // Quantized weights never are -128, packed bits may be; four of the largest products are added at a time.
    for (const WeightFormat format : integer_formats) {
        constexpr std::size_t rows = 5, columns = 256;
        for (const bool lowest : {true, false}) {
            Packed packed(format, std::vector<float>(rows * columns, 1.0f), columns);
            const std::size_t row_bytes = packed_row_bytes(format, columns);
            const std::size_t values = format == WeightFormat::int8 ? columns : columns / 2;
            const unsigned char lowest_byte = format == WeightFormat::int8 ? 0x80 : 0x88;
            const unsigned char highest_byte = format == WeightFormat::int8 ? 0x7f : 0x77;
            for (std::size_t row = 0; row < rows; ++row)
                std::memset(packed.bytes.data() + row * row_bytes, lowest ? lowest_byte : highest_byte,
                            values);
            dequantize_rows(format, packed.bytes.data(), rows, columns, packed.dequantized.data());
            for (const float activation : {1.0f, -1.0f}) {
                for (const Isa isa : runnable()) {
                    const QuantizedIn in(isa, format, std::vector<float>(columns, activation));
                    expect_matches_reference(packed, in.values, packed.integer_product(isa, in, 0, rows),
                                             isa);
                }
            }
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
    for (const WeightFormat format : scaled_integers) {
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

TEST(Quantized, ASumOfZeroIsZeroWhateverTheScales) {
    // Weights are zero wherever activations are not. 160 columns: a whole block of groups, and one beside it.
    for (const WeightFormat format : integer_formats) {
        const std::size_t columns = format == WeightFormat::int4_g128 ? 256 : 160;
        std::vector<float> weights(5 * columns), in(columns);
        for (std::size_t i = 0; i < weights.size(); i += 2)
            weights[i] = format == WeightFormat::int8 ? 1e38f : 5e5f;
        for (std::size_t i = 1; i < in.size(); i += 2) in[i] = i % 4 == 1 ? 3e38f : -3e38f;
        const Packed packed(format, weights, columns);
        for (const Isa isa : runnable()) {
            const std::vector<float> out = packed.integer_product(isa, QuantizedIn(isa, format, in), 0, 5);
            EXPECT_EQ(out, std::vector<float>(5, 0.0f)) << to_string(format) << ' ' << to_string(isa);
            EXPECT_EQ(packed.product(isa, in, 0, 5), out) << to_string(format) << ' ' << to_string(isa);
        }
    }
}

TEST(Quantized, NotANumberAndInfinityReachTheirResults) {
    const float not_finite[] = {std::numeric_limits<float>::quiet_NaN(),
                                std::numeric_limits<float>::infinity(),
                                -std::numeric_limits<float>::infinity()};
    const std::size_t columns = 256;
    for (const WeightFormat format : formats)
        for (const float value : not_finite) {
            std::vector<float> weights = normal(6 * columns, 8), in = normal(columns, 9);
            weights[2 * columns + 77] = value;
            const Packed packed(format, weights, columns);
            for (const Isa isa : runnable()) {
                const std::vector<float> out = packed.product(isa, in, 0, 6);
                for (std::size_t row = 0; row < 6; ++row)
                    EXPECT_EQ(std::isfinite(out[row]), row != 2)
                        << to_string(format) << ' ' << to_string(isa);
            }
            const Packed sound(format, normal(6 * columns, 8), columns);
            in[200] = value;
            for (const Isa isa : runnable()) {
                for (const float result : sound.product(isa, in, 0, 6)) EXPECT_FALSE(std::isfinite(result));
                if (!meets_int8_activations(format)) continue;
                for (const float result : sound.integer_product(isa, QuantizedIn(isa, format, in), 0, 6))
                    EXPECT_FALSE(std::isfinite(result)) << to_string(format) << ' ' << to_string(isa);
            }
        }
}

TEST(Quantized, EveryByteOfE4m3IsMultipliedExactly) {
    // Packed by hand: quantize_rows() makes no byte that is not a number. Five rows, so that some are taken
    // side by side and one alone; one weight a row that is not 0, at every place.
    const std::size_t rows = 5, columns = 64, row_bytes = packed_row_bytes(WeightFormat::fp8, columns);
    const std::vector<float> in(columns, 3.0f);
    for (int bits = 0; bits < 256; ++bits) {
        std::vector<std::byte> packed(rows * row_bytes);
        for (std::size_t row = 0; row < rows; ++row) {
            packed[row * row_bytes + (row * 13 + static_cast<std::size_t>(bits)) % columns] =
                static_cast<std::byte>(bits);
            const float scale = static_cast<float>(row + 1);
            std::memcpy(&packed[row * row_bytes + columns], &scale, sizeof scale);
        }
        const float value = fp8_to_float(static_cast<std::uint8_t>(bits));
        for (const Isa isa : runnable()) {
            std::vector<float> out(rows);
            gemv(isa, WeightFormat::fp8, packed.data(), columns, in.data(), out.data(), 0, rows);
            for (std::size_t row = 0; row < rows; ++row) {
                if (std::isnan(value))
                    ASSERT_TRUE(std::isnan(out[row])) << to_string(isa) << " row " << row;
                else
                    ASSERT_EQ(out[row], value * 3 * static_cast<float>(row + 1))
                        << to_string(isa) << ' ' << bits << " row " << row;
            }
        }
    }
}

TEST(Quantized, TheLargestIntegersAddUpExactly) {
    // -128 and -8 are not what quantize_rows() makes of symmetric weights, but what a file may hold.
    const std::size_t rows = 5, columns = 384;
    for (const WeightFormat format : integer_formats)
        for (const float sign : {-1.0f, 1.0f}) {
            const std::size_t row_bytes = packed_row_bytes(format, columns);
            const bool bytes = format == WeightFormat::int8;
            std::vector<std::byte> packed(rows * row_bytes, bytes ? std::byte{0x80} : std::byte{0x88});
            const float scale = 1;
            const std::uint16_t half = 0x3c00;
            for (std::size_t row = 0; row < rows; ++row) {
                std::byte* const scales = packed.data() + row * row_bytes + (bytes ? columns : columns / 2);
                if (bytes) std::memcpy(scales, &scale, sizeof scale);
                for (std::size_t at = 0; !bytes && at < columns / columns_multiple(format); ++at)
                    std::memcpy(scales + 2 * at, &half, sizeof half);
            }
            const std::vector<float> in(columns, sign * 127);
            const float expected = sign * 127 * (bytes ? -128 : -8) * static_cast<float>(columns);
            for (const Isa isa : runnable()) {
                const QuantizedIn quantized(isa, format, in);
                std::vector<float> out(rows), integer(rows);
                gemv(isa, format, packed.data(), columns, in.data(), out.data(), 0, rows);
                gemv_int8_activations(isa, format, packed.data(), columns, quantized.bytes.data(),
                                      integer.data(), 0, rows);
                EXPECT_EQ(out, std::vector<float>(rows, expected)) << to_string(format) << to_string(isa);
                EXPECT_EQ(integer, out) << to_string(format) << ' ' << to_string(isa);
            }
        }
}

TEST(Quantized, ActivationsComeBackWithinHalfAStep) {
    const std::size_t columns = 384;
    std::vector<float> in = normal(columns, 31);
    for (std::size_t i = 32; i < 64; ++i) in[i] = 0;
    for (std::size_t i = 64; i < 96; ++i) in[i] *= 1e30f;
    for (std::size_t i = 96; i < 128; ++i) in[i] *= 1e-42f;
    for (const WeightFormat format : integer_formats)
        for (const Isa isa : runnable()) {
            const QuantizedIn quantized(isa, format, in);
            for (std::size_t first = 0; first < columns; first += 32) {
                float largest = 0;
                for (std::size_t i = 0; i < 32; ++i) largest = std::max(largest, std::abs(in[first + i]));
                for (std::size_t i = 0; i < 32; ++i)
                    EXPECT_NEAR(quantized.values[first + i], in[first + i], 0.5001f * largest / 127 + 1e-38f)
                        << to_string(isa);
            }
        }
}

TEST(Quantized, ActivationsMeetIntegerFormatsAlone) {
    for (const WeightFormat format : {WeightFormat::fp8, WeightFormat::bf16, WeightFormat::f32}) {
        EXPECT_FALSE(meets_int8_activations(format));
        EXPECT_THROW(activation_bytes(format, 128), std::invalid_argument);
        EXPECT_THROW(gemv_int8_activations(Isa::portable, format, nullptr, 128, nullptr, nullptr, 0, 1),
                     std::invalid_argument);
    }
}

TEST(Quantized, ErrorsOfTheOtherFormatsAreTheirs) {
    // Relative to the weights' norm: E4M3 has 4 significant bits, bf16 8, and groups of 128 reach further out
    // (2.8 deviations) than groups of 32 (2.3).
    const std::size_t columns = 4096;
    const auto error_of = [&](WeightFormat format) {
        const Packed packed(format, normal(8 * columns, 22), columns);
        double difference = 0, norm = 0;
        for (std::size_t i = 0; i < packed.weights.size(); ++i) {
            difference += std::pow(packed.weights[i] - packed.dequantized[i], 2);
            norm += std::pow(packed.weights[i], 2);
        }
        return std::sqrt(difference / norm);
    };
    EXPECT_EQ(error_of(WeightFormat::f32), 0);
    EXPECT_NEAR(error_of(WeightFormat::bf16), 0x1p-7 / std::sqrt(12.0) * 0.72, 0.0001);
    EXPECT_NEAR(error_of(WeightFormat::fp8), 0x1p-3 / std::sqrt(12.0) * 0.72, 0.003);
    EXPECT_NEAR(error_of(WeightFormat::int4_g128), 2.8 / 8 / std::sqrt(12.0), 0.012);
}

TEST(Fp8, EveryValueComesBackAndTheNearestIsTaken) {
    for (int bits = 0; bits < 256; ++bits) {
        const std::uint8_t value = static_cast<std::uint8_t>(bits);
        const float number = fp8_to_float(value);
        if ((bits & 0x7f) == 0x7f) {
            EXPECT_TRUE(std::isnan(number));
            continue;
        }
        EXPECT_EQ(float_to_fp8(number), value);
        const int exponent = (bits & 0x7f) >> 3, mantissa = bits & 7;
        const double expected =
            exponent == 0 ? std::ldexp(mantissa, -9) : std::ldexp(8 + mantissa, exponent - 10);
        EXPECT_EQ(std::abs(number), expected);
        if ((bits & 0x7f) == 0x7e) continue;
        // Between two neighbours the middle goes to the even one.
        const float next = fp8_to_float(static_cast<std::uint8_t>(bits + 1));
        const float middle = (number + next) / 2;
        EXPECT_EQ(float_to_fp8(middle), (bits & 1) == 0 ? bits : bits + 1);
        EXPECT_EQ(float_to_fp8(std::nextafter(middle, number)), bits);
        EXPECT_EQ(float_to_fp8(std::nextafter(middle, next)), bits + 1);
    }
    EXPECT_EQ(float_to_fp8(1e9f), 0x7e);
    EXPECT_EQ(float_to_fp8(-std::numeric_limits<float>::infinity()), 0xfe);
    EXPECT_TRUE(std::isnan(fp8_to_float(float_to_fp8(std::numeric_limits<float>::quiet_NaN()))));
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
    // 4.125 bits.
    EXPECT_EQ(packed_row_bytes(WeightFormat::int4_g128, 4096), 4096u * 33 / 64);
    EXPECT_EQ(packed_row_bytes(WeightFormat::fp8, 96), 100u);
    EXPECT_EQ(packed_row_bytes(WeightFormat::bf16, 96), 192u);
    EXPECT_EQ(packed_row_bytes(WeightFormat::f32, 96), 384u);
    EXPECT_THROW(packed_row_bytes(WeightFormat::int4_g128, 96), std::invalid_argument);
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
