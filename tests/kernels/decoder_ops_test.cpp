#include "kernels/cpu/decoder_ops.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/cpu/half.h"

namespace assay::kernels {
namespace {

std::vector<Isa> instruction_sets() {
    std::vector<Isa> all;
    for (const Isa isa : {Isa::portable, Isa::neon, Isa::avx2, Isa::avx512})
        if (supports(isa)) all.push_back(isa);
    return all;
}

std::vector<float> random_values(std::size_t count, float reach, unsigned seed) {
    std::mt19937 random(seed);
    std::uniform_real_distribution<float> distribution(-reach, reach);
    std::vector<float> values(count);
    for (float& value : values) value = distribution(random);
    return values;
}

class DecoderOpsTest : public testing::TestWithParam<Isa> {
  protected:
    const DecoderOps& ops = decoder_ops(GetParam());
};

TEST_P(DecoderOpsTest, NormDividesByTheRootMeanSquare) {
    const std::vector<float> in = random_values(96, 3, 1), weight = random_values(96, 1, 2);
    std::vector<float> out(96);
    ops.rms_norm(in.data(), weight.data(), 96, 1e-2f, out.data());
    double squares = 0;
    for (const float value : in) squares += static_cast<double>(value) * value;
    for (std::size_t i = 0; i < 96; ++i)
        EXPECT_NEAR(out[i], in[i] / std::sqrt(squares / 96 + 1e-2) * weight[i], 1e-6);
}

TEST_P(DecoderOpsTest, RotationTurnsHalvesAgainstEachOther) {
    const std::vector<float> before = random_values(64, 2, 3);
    std::vector<float> head = before, cosine(32), sine(32);
    for (std::size_t i = 0; i < 32; ++i) {
        cosine[i] = std::cos(0.1f * static_cast<float>(i));
        sine[i] = std::sin(0.1f * static_cast<float>(i));
    }
    ops.rotate(head.data(), cosine.data(), sine.data(), 64);
    for (std::size_t i = 0; i < 32; ++i) {
        EXPECT_NEAR(head[i], before[i] * cosine[i] - before[i + 32] * sine[i], 1e-6);
        EXPECT_NEAR(head[i + 32], before[i + 32] * cosine[i] + before[i] * sine[i], 1e-6);
    }
}

TEST_P(DecoderOpsTest, SwigluFollowsItsFormulaFromVeryNegativeToVeryPositive) {
    std::vector<float> gate, up;
    for (int i = -2000; i < 2000; ++i) {
        gate.push_back(static_cast<float>(i) / 16);
        up.push_back(1.5f);
    }
    std::vector<float> out(gate.size());
    ops.swiglu(gate.data(), up.data(), gate.size(), out.data());
    for (std::size_t i = 0; i < gate.size(); ++i) {
        const double expected = 1.5 * gate[i] / (1 + std::exp(-static_cast<double>(gate[i])));
        EXPECT_NEAR(out[i], expected, 4e-7 * std::abs(expected) + 1e-30) << gate[i];
    }
}

TEST_P(DecoderOpsTest, AttentionIsASoftmaxOverAllPositionsForAnyNumberOfThem) {
    for (const std::size_t dimension : {32u, 48u, 128u}) {
        for (const std::size_t past : {0, 1, 15, 16, 17, 40}) {
            const std::size_t heads = 3, positions = past + 1;
            // Reach 4: scores far enough apart that leaving the maximum out would show.
            const std::vector<float> query = random_values(heads * dimension, 4, 5);
            std::vector<std::uint16_t> keys(positions * dimension), values(positions * dimension);
            store_f16(random_values(keys.size(), 4, 6).data(), keys.size(), keys.data());
            store_f16(random_values(values.size(), 2, 7).data(), values.size(), values.data());
            std::vector<float> scores(attention_scratch(heads, positions), 1e9f), out(heads * dimension);
            ops.attend(query.data(), heads, dimension,
                       {keys.data(), values.data(), past, keys.data() + past * dimension,
                        values.data() + past * dimension},
                       scores.data(), out.data());
            for (std::size_t head = 0; head < heads; ++head) {
                std::vector<double> weights;
                double total = 0;
                for (std::size_t position = 0; position < positions; ++position) {
                    double dot = 0;
                    for (std::size_t i = 0; i < dimension; ++i)
                        dot += static_cast<double>(query[head * dimension + i]) *
                               half_to_float(keys[position * dimension + i]);
                    weights.push_back(std::exp(dot / std::sqrt(static_cast<double>(dimension))));
                    total += weights.back();
                }
                for (std::size_t i = 0; i < dimension; ++i) {
                    double expected = 0;
                    for (std::size_t position = 0; position < positions; ++position)
                        expected +=
                            weights[position] / total * half_to_float(values[position * dimension + i]);
                    EXPECT_NEAR(out[head * dimension + i], expected, 2e-5) << past << " " << head << " " << i;
                }
            }
        }
    }
}

TEST_P(DecoderOpsTest, AttentionReadsEveryFiniteHalfExactly) {
    constexpr std::size_t dimension = 32;
    const std::vector<float> query(dimension, 0.0f);
    const std::vector<std::uint16_t> key(dimension, 0);
    std::vector<float> scores(attention_scratch(1, 1)), out(dimension);
    for (std::uint32_t first = 0; first < 0x10000; first += dimension) {
        std::vector<std::uint16_t> value(dimension);
        for (std::size_t i = 0; i < dimension; ++i) value[i] = static_cast<std::uint16_t>(first + i);
        if ((first & 0x7c00u) == 0x7c00u) continue;
        ops.attend(query.data(), 1, dimension, {nullptr, nullptr, 0, key.data(), value.data()}, scores.data(),
                   out.data());
        for (std::size_t i = 0; i < dimension; ++i) ASSERT_EQ(out[i], half_to_float(value[i])) << value[i];
    }
}

TEST_P(DecoderOpsTest, GreatestIsTheFirstOfEqualsAndPassesOverNan) {
    std::vector<float> values(101, -5.0f);
    EXPECT_EQ(ops.greatest(values.data(), values.size()), 0u);
    for (const std::size_t at : {std::size_t{0}, std::size_t{37}, std::size_t{96}, std::size_t{100}}) {
        std::vector<float> with = values;
        with[at] = -1.0f;
        EXPECT_EQ(ops.greatest(with.data(), with.size()), at);
        with[100] = -1.0f;
        EXPECT_EQ(ops.greatest(with.data(), with.size()), at);
    }
    values[3] = std::numeric_limits<float>::quiet_NaN();
    values[50] = 2.0f;
    EXPECT_EQ(ops.greatest(values.data(), values.size()), 50u);
    EXPECT_EQ(ops.greatest(values.data(), 3), 0u);
}

TEST_P(DecoderOpsTest, ReadAddsUpEveryWord) {
    std::vector<std::uint64_t> words(256);
    for (std::size_t i = 0; i < words.size(); ++i) words[i] = i * i * 0x123456789abcdu;
    std::uint64_t expected = 0;
    for (const std::uint64_t word : words) expected += word;
    const std::byte* memory = reinterpret_cast<const std::byte*>(words.data());
    EXPECT_EQ(ops.read(memory, words.size() * 8), expected);
    words[255] += 1;
    EXPECT_EQ(ops.read(memory, words.size() * 8), expected + 1);
}

INSTANTIATE_TEST_SUITE_P(AllHere, DecoderOpsTest, testing::ValuesIn(instruction_sets()),
                         [](const testing::TestParamInfo<Isa>& chosen) {
                             return std::string(to_string(chosen.param));
                         });

TEST(StoreF16, SaturatesInsteadOfBecomingInfinite) {
    const std::vector<float> in = {1.0f, -1e9f, 70000.0f, 0.1f};
    std::vector<std::uint16_t> out(4);
    store_f16(in.data(), 4, out.data());
    EXPECT_EQ(out, (std::vector<std::uint16_t>{0x3c00, 0xfbff, 0x7bff, 0x2e66}));
}

TEST(RandomRows, StandForWeightsOfTheDeviationAskedFor) {
    for (const WeightFormat format : {WeightFormat::int4, WeightFormat::int8}) {
        constexpr std::size_t rows = 512, columns = 352;
        std::vector<std::byte> packed(rows * packed_row_bytes(format, columns));
        random_rows(format, 3, 0.05f, packed.data(), columns, 0, rows);
        std::vector<float> weights(rows * columns);
        dequantize_rows(format, packed.data(), rows, columns, weights.data());
        double sum = 0, squares = 0;
        for (const float weight : weights) {
            sum += weight;
            squares += static_cast<double>(weight) * weight;
        }
        const double count = static_cast<double>(weights.size());
        EXPECT_NEAR(std::sqrt(squares / count), 0.05, 0.001) << to_string(format);
        EXPECT_NEAR(sum / count, 0, 0.001) << to_string(format);
    }
}

TEST(RandomRows, FollowFromSeedAndRowAloneAndAllDiffer) {
    for (const WeightFormat format : {WeightFormat::int4, WeightFormat::int8}) {
        constexpr std::size_t rows = 40, columns = 64;
        const std::size_t row_bytes = packed_row_bytes(format, columns);
        std::vector<std::byte> whole(rows * row_bytes), parts(rows * row_bytes), other(rows * row_bytes);
        random_rows(format, 3, 1.0f, whole.data(), columns, 0, rows);
        random_rows(format, 3, 1.0f, parts.data(), columns, 16, rows);
        random_rows(format, 3, 1.0f, parts.data(), columns, 0, 16);
        random_rows(format, 4, 1.0f, other.data(), columns, 0, rows);
        EXPECT_EQ(whole, parts);
        EXPECT_NE(whole, other);
        std::set<std::vector<std::byte>> distinct;
        for (std::size_t row = 0; row < rows; ++row) {
            const std::ptrdiff_t at = static_cast<std::ptrdiff_t>(row * row_bytes);
            distinct.emplace(whole.begin() + at, whole.begin() + at + static_cast<std::ptrdiff_t>(row_bytes));
        }
        EXPECT_EQ(distinct.size(), rows);
    }
}

}  // namespace
}  // namespace assay::kernels
