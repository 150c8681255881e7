// Quantized products around cuBLASLt, on the tests' driver and its cuBLASLt.

#include "kernels/cuda/quantized_lt.h"

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <variant>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernels/matrix/bfloat16.h"
#include "kernels/reference/reference.h"
#include "tests/fake_cuda/fake_cuda.h"

namespace assay::cuda {
namespace {

using kernels::offloaded_weights;
using kernels::OffloadedWeights;
using kernels::QuantizedOperands;
using kernels::WeightFormat;
using testing::HasSubstr;

constexpr WeightFormat dequantized_formats[] = {WeightFormat::int8, WeightFormat::int4,
                                                WeightFormat::int4_g128, WeightFormat::fp8};

std::vector<float> normal_values(std::size_t count, std::mt19937& random) {
    std::normal_distribution<float> normal;
    std::vector<float> values(count);
    for (float& value : values) value = normal(random);
    return values;
}

std::vector<std::uint16_t> as_bf16(const std::vector<float>& values) {
    std::vector<std::uint16_t> rounded;
    for (const float value : values) rounded.push_back(kernels::float_to_bfloat16(value));
    return rounded;
}

std::vector<float> as_f32(const std::vector<std::uint16_t>& values) {
    std::vector<float> wide;
    for (const std::uint16_t value : values) wide.push_back(kernels::bfloat16_to_float(value));
    return wide;
}

class QuantizedLt : public testing::Test {
  protected:
    /// Quantized weights on the card, `at` bytes into their memory, and the f32 values that they stand for.
    struct Weights {
        std::unique_ptr<DeviceMemory> memory;
        std::vector<float> stand_for;
    };

    QuantizedLt() {
        std::variant<std::unique_ptr<Device>, Absent> opened = open_device("cuda:0");
        if (const Absent* absent = std::get_if<Absent>(&opened)) throw std::runtime_error(absent->reason);
        device_ = std::move(std::get<0>(opened));
    }
    Accelerator& card() { return *device_->accelerator(); }

    template <typename Value>
    std::unique_ptr<DeviceMemory> copied(const std::vector<Value>& values, std::size_t at = 0) {
        std::unique_ptr<DeviceMemory> memory = card().allocate(at + values.size() * sizeof(Value), false);
        card().queue().fill(*memory, 0, memory->bytes(), 0xff);
        card().queue().write(*memory, at, values.data(), values.size() * sizeof(Value));
        card().queue().finish();
        return memory;
    }
    template <typename Value>
    std::vector<Value> read(const DeviceMemory& memory) {
        std::vector<Value> values(memory.bytes() / sizeof(Value));
        card().queue().read(values.data(), memory, 0, memory.bytes());
        card().queue().finish();
        return values;
    }
    Weights made(const OffloadedWeights& of, std::size_t at) {
        const std::vector<float> values = normal_values(of.rows * of.columns, random_);
        std::vector<std::byte> packed(of.bytes()), arranged(of.bytes());
        Weights weights;
        weights.stand_for.resize(values.size());
        kernels::quantize_rows(of.format, values.data(), of.rows, of.columns, packed.data());
        kernels::dequantize_rows(of.format, packed.data(), of.rows, of.columns, weights.stand_for.data());
        kernels::arrange_for_device(of.format, packed.data(), of.rows, of.columns, arranged.data());
        weights.memory = copied(arranged, at);
        return weights;
    }

    /// The largest error of a product, twice multiplied, as a share of its terms' magnitudes.
    double error(const OffloadedWeights& of, std::size_t m) {
        const Weights weights = made(of, 0);
        const std::vector<float> values = normal_values(m * of.columns, random_);
        const kernels::DeviceActivations integers =
            kernels::quantize_for_device(values.data(), values.size(), of.columns);
        const bool by_integers = of.int8_activations;
        const std::unique_ptr<DeviceMemory> in =
            by_integers ? copied(integers.values) : copied(as_bf16(values));
        const std::unique_ptr<DeviceMemory> scales = copied(integers.scales);
        // What lies behind the results nobody may write.
        constexpr std::size_t behind = 16;
        const std::unique_ptr<DeviceMemory> out =
            copied(std::vector<std::uint32_t>(m * of.rows + behind, 0xffffffffu));
        auto prepared = QuantizedLtProduct::prepare(
            card(), of, m, {weights.memory.get(), 0, in.get(), scales.get(), out.get()});
        if (const Absent* absent = std::get_if<Absent>(&prepared)) throw std::runtime_error(absent->reason);
        for (int i = 0; i < 2; ++i) std::get<0>(prepared)->enqueue();
        const std::vector<float> results = read<float>(*out);
        for (std::size_t i = m * of.rows; i < results.size(); ++i)
            EXPECT_TRUE(std::isnan(results[i])) << "written behind the results";
        const std::vector<float> left = by_integers ? integers.as_multiplied() : as_f32(as_bf16(values));
        const std::vector<float> right = by_integers ? weights.stand_for : as_f32(as_bf16(weights.stand_for));
        double worst = 0;
        for (std::size_t i = 0; i < m; ++i)
            for (std::size_t j = 0; j < of.rows; ++j) {
                const kernels::reference::Product expected =
                    kernels::reference::dot(std::span(right).subspan(j * of.columns, of.columns),
                                            std::span(left).subspan(i * of.columns, of.columns));
                const double each = std::abs(static_cast<double>(results[i * of.rows + j]) - expected.value) /
                                    expected.magnitude;
                if (!(each <= worst)) worst = each;
            }
        return worst;
    }
    std::string absence(const OffloadedWeights& of, std::size_t at = 0) {
        const Weights weights = made(of, at);
        const std::unique_ptr<DeviceMemory> any = copied(std::vector<std::uint16_t>(of.columns + of.rows));
        const std::unique_ptr<DeviceMemory> out = copied(std::vector<float>(of.rows));
        const auto prepared = QuantizedLtProduct::prepare(
            card(), of, 1, {weights.memory.get(), at, any.get(), any.get(), out.get()});
        const Absent* const absent = std::get_if<Absent>(&prepared);
        return absent != nullptr ? absent->reason : "";
    }

    fake_cuda::Fresh driver_;
    std::unique_ptr<Device> device_;
    std::mt19937 random_{7};
};

TEST_F(QuantizedLt, WeightsBecomeBf16BitForBitAsTheHostRoundsThem) {
    for (const WeightFormat format : dequantized_formats) {
        const std::size_t multiple = kernels::columns_multiple(format);
        // One group; a tail; a row that several blocks take, the last a part of it.
        for (const auto& [rows, groups] :
             {std::pair<std::size_t, std::size_t>{1, 1}, {67, 3}, {3, 8192 / multiple + 5}}) {
            const OffloadedWeights of = offloaded_weights(format, false, rows, groups * multiple);
            constexpr std::size_t at = 48;
            const Weights weights = made(of, at);
            constexpr std::size_t behind = 32;
            const std::unique_ptr<DeviceMemory> to =
                copied(std::vector<std::uint16_t>(rows * of.columns + behind, 0xffff));
            dequantize(card(), of, {.weights = weights.memory.get(), .at = at}, *to);
            std::vector<std::uint16_t> expected = as_bf16(weights.stand_for);
            expected.resize(expected.size() + behind, 0xffff);
            EXPECT_EQ(read<std::uint16_t>(*to), expected)
                << to_string(format) << " " << rows << " x " << of.columns;
        }
    }
}

TEST_F(QuantizedLt, MultipliesEveryFormatOnOddShapes) {
    for (const WeightFormat format : {WeightFormat::int8, WeightFormat::int4, WeightFormat::int4_g128,
                                      WeightFormat::fp8, WeightFormat::bf16}) {
        const std::size_t multiple = kernels::columns_multiple(format);
        for (const auto& [m, rows, groups] : {std::array<std::size_t, 3>{1, 1, 1}, {1, 70, 3}, {67, 13, 5}}) {
            const OffloadedWeights of = offloaded_weights(format, false, rows, groups * multiple);
            // The tests' library sums in f64 and rounds once.
            EXPECT_LE(error(of, m), 0x1p-23)
                << to_string(format) << " " << m << " " << rows << " " << of.columns;
        }
    }
}

TEST_F(QuantizedLt, ActivationsAreQuantizedBitForBitAsOnTheHost) {
    // A row that a warp has a part of, one that some threads take twice; a row of zeros.
    for (const auto& [m, columns] : {std::pair<std::size_t, std::size_t>{1, 32}, {5, 8 * 256 + 96}}) {
        std::vector<float> values = normal_values(m * columns, random_);
        if (m > 2) std::fill_n(values.begin() + static_cast<std::ptrdiff_t>(2 * columns), columns, 0.0f);
        const std::vector<std::uint16_t> given = as_bf16(values);
        values = as_f32(given);
        const kernels::DeviceActivations expected =
            kernels::quantize_for_device(values.data(), values.size(), columns);
        constexpr std::size_t behind = 16;
        const std::unique_ptr<DeviceMemory> from = copied(given);
        const std::unique_ptr<DeviceMemory> to = copied(std::vector<std::int8_t>(values.size() + behind, 99));
        const std::unique_ptr<DeviceMemory> scales = copied(std::vector<float>(m + behind, 99));
        quantize_activations(card(), m, columns, *from, *to, *scales);
        std::vector<std::int8_t> expected_values = expected.values;
        std::vector<float> expected_scales = expected.scales;
        expected_values.resize(values.size() + behind, 99);
        expected_scales.resize(m + behind, 99);
        EXPECT_EQ(read<std::int8_t>(*to), expected_values) << m << " x " << columns;
        EXPECT_EQ(read<float>(*scales), expected_scales) << m << " x " << columns;
    }
}

TEST_F(QuantizedLt, ScalesSumsOfInt8ByRowAndColumn) {
    // Rows of results that are a part of a block, one, and more than one; one token and many.
    for (const auto& [m, rows, columns] :
         {std::array<std::size_t, 3>{1, 4, 32}, {7, 12, 96}, {5, 516, 32}, {9, 1040, 32}})
        EXPECT_LE(error(offloaded_weights(WeightFormat::int8, true, rows, columns), m), 3 * 0x1p-24)
            << m << " " << rows << " " << columns;
}

TEST_F(QuantizedLt, SaysWhatIsInTheWay) {
    EXPECT_THAT(absence(offloaded_weights(WeightFormat::int8, true, 9, 64)), HasSubstr("of 9 rows"));
    EXPECT_THAT(absence(offloaded_weights(WeightFormat::f32, false, 4, 64)), HasSubstr("in f32"));
    EXPECT_THAT(absence(offloaded_weights(WeightFormat::bf16, false, 4, 64), 48), HasSubstr("begin"));
    OffloadedWeights scaled = offloaded_weights(WeightFormat::fp8, false, 4, 64);
    scaled.scale_columns = 32;
    const std::unique_ptr<DeviceMemory> any = copied(std::vector<float>(1024));
    const auto prepared =
        QuantizedLtProduct::prepare(card(), scaled, 1, {any.get(), 0, any.get(), nullptr, any.get()});
    ASSERT_TRUE(std::holds_alternative<Absent>(prepared));
    EXPECT_THAT(std::get<Absent>(prepared).reason, HasSubstr("other scales"));
}

TEST_F(QuantizedLt, TakesNothingOfACardThatCannotMultiplySo) {
    device_.reset();
    fake_cuda::set_cards({{.name = "Tesla T4", .major = 7, .minor = 5}});
    device_ = std::move(std::get<0>(open_device("cuda:0")));
    const std::uint64_t before = fake_cuda::allocated_bytes();
    EXPECT_THAT(absence(offloaded_weights(WeightFormat::int4, false, 4, 64)),
                HasSubstr("multiply bf16 from 8.0 on"));
    EXPECT_EQ(fake_cuda::allocated_bytes(), before);
    EXPECT_EQ(absence(offloaded_weights(WeightFormat::int8, true, 4, 64)), "");
}

TEST_F(QuantizedLt, CountsWhatItAllocates) {
    for (const bool integers : {false, true}) {
        const OffloadedWeights of = offloaded_weights(WeightFormat::int8, integers, 20, 64);
        const std::unique_ptr<DeviceMemory> any = copied(std::vector<float>(64 * 64));
        const std::uint64_t before = fake_cuda::allocated_bytes();
        const auto prepared =
            QuantizedLtProduct::prepare(card(), of, 3, {any.get(), 0, any.get(), any.get(), any.get()});
        ASSERT_TRUE(std::holds_alternative<std::unique_ptr<QuantizedLtProduct>>(prepared));
        EXPECT_EQ(fake_cuda::allocated_bytes() - before, quantized_lt_bytes(of));
        EXPECT_EQ(std::get<0>(prepared)->precision(),
                  integers ? kernels::Precision::int8 : kernels::Precision::bf16);
        EXPECT_THAT(std::get<0>(prepared)->library(), HasSubstr("13.0"));
    }
}

}  // namespace
}  // namespace assay::cuda
