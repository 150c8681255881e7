#include "kernels/offload/quantized.h"

#include <cmath>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <variant>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernels/reference/reference.h"
#include "tests/fake_cuda/fake_cuda.h"
#include "tests/kernels/faulty_accelerator.h"

namespace assay::kernels {
namespace {

constexpr WeightFormat formats[] = {WeightFormat::int8, WeightFormat::int4, WeightFormat::int4_g128,
                                    WeightFormat::fp8,  WeightFormat::bf16, WeightFormat::f32};

std::unique_ptr<Device> opened(const std::string& id) {
    std::variant<std::unique_ptr<Device>, Absent> device = open_device(id);
    if (const Absent* absent = std::get_if<Absent>(&device)) throw std::runtime_error(absent->reason);
    return std::move(std::get<std::unique_ptr<Device>>(device));
}

/// PoCL as what it is, PoCL as a card, whose forms are others, and CUDA's kernels without a card.
struct Devices {
    fake_cuda::Fresh driver;
    std::unique_ptr<Device> pocl = opened("opencl:0"), cuda = opened("cuda:0");
    FaultyAccelerator card{opened("opencl:0"), {}};
    Devices() { card.described().kind = "gpu"; }
    std::vector<Accelerator*> all() { return {pocl->accelerator(), &card, cuda->accelerator()}; }
};

std::vector<float> normal_values(std::size_t count, std::mt19937& random) {
    std::normal_distribution<float> normal;
    std::vector<float> values(count);
    for (float& value : values) value = normal(random);
    return values;
}

/// Weights on a device behind 48 bytes of something else, their f32 values and where results go: `extra`
/// floats more than there are results, which nobody may write.
struct Operands {
    OffloadedWeights weights;
    std::vector<float> stand_for;
    std::unique_ptr<DeviceMemory> buffer, in, scales, out;
    static constexpr std::size_t before = 48, extra = 64;

    /// A scale for each `share` columns, where the format has no groups of its own.
    Operands(Accelerator& accelerator, const OffloadedWeights& of, std::size_t share, std::size_t results,
             const std::vector<float>& values)
        : weights(of), stand_for(of.rows * of.columns) {
        const std::size_t parts = values.size() / share;
        std::vector<std::byte> packed(parts * packed_row_bytes(of.format, share)), arranged(packed.size());
        quantize_rows(of.format, values.data(), parts, share, packed.data());
        dequantize_rows(of.format, packed.data(), parts, share, stand_for.data());
        arrange_for_device(of.format, packed.data(), parts, share, arranged.data());
        EXPECT_EQ(arranged.size(), of.bytes());
        buffer = accelerator.allocate(before + arranged.size(), false);
        out = accelerator.allocate((results + extra) * sizeof(float), false);
        Queue& queue = accelerator.queue();
        queue.fill(*buffer, 0, buffer->bytes(), 0xff);
        queue.write(*buffer, before, arranged.data(), arranged.size());
        queue.fill(*out, 0, out->bytes(), 0xff);
        queue.finish();
    }

    /// Hands over activations, of which `share` have a scale; returns the values that are multiplied.
    std::vector<float> give(Accelerator& accelerator, const std::vector<float>& values, std::size_t share) {
        Queue& queue = accelerator.queue();
        const DeviceActivations quantized = quantize_for_device(values.data(), values.size(), share);
        const bool integers = weights.int8_activations;
        in = accelerator.allocate(values.size() * (integers ? 1 : 4), false);
        scales = accelerator.allocate(quantized.scales.size() * sizeof(float), false);
        queue.write(*in, 0, integers ? static_cast<const void*>(quantized.values.data()) : values.data(),
                    in->bytes());
        queue.write(*scales, 0, quantized.scales.data(), scales->bytes());
        queue.finish();
        return integers ? quantized.as_multiplied() : values;
    }

    QuantizedOperands all() const {
        return {buffer.get(), before, in.get(), weights.int8_activations ? scales.get() : nullptr, out.get()};
    }

    std::vector<float> results(Accelerator& accelerator) const {
        std::vector<float> values(out->bytes() / sizeof(float));
        accelerator.queue().read(values.data(), *out, 0, out->bytes());
        accelerator.queue().finish();
        for (std::size_t i = values.size() - extra; i < values.size(); ++i)
            EXPECT_TRUE(std::isnan(values[i])) << "written behind the results";
        return values;
    }
};

/// Of a result, as a share of its terms' magnitudes; infinite when it is no number.
double error_of(float result, const reference::Product& expected) {
    const double error = std::abs(static_cast<double>(result) - expected.value) / expected.magnitude;
    return std::isfinite(error) ? error : HUGE_VAL;
}

double bound(std::size_t columns) {
    return static_cast<double>(columns + 8) * 0x1p-24;
}

double gemv_error(Accelerator& accelerator, const QuantizedForm& form, const OffloadedWeights& weights) {
    std::mt19937 random(static_cast<unsigned>(weights.rows * 31 + weights.columns));
    Operands operands(accelerator, weights, weights.columns, weights.rows,
                      normal_values(weights.rows * weights.columns, random));
    const std::vector<float> in = operands.give(accelerator, normal_values(weights.columns, random), 32);
    launch_gemv(accelerator, form, weights, operands.all());
    const std::vector<float> results = operands.results(accelerator);
    double worst = 0;
    for (std::size_t row = 0; row < weights.rows; ++row)
        worst = std::max(
            worst,
            error_of(results[row],
                     reference::dot(
                         std::span(operands.stand_for).subspan(row * weights.columns, weights.columns), in)));
    return worst;
}

double gemm_error(Accelerator& accelerator, const QuantizedForm& form, const OffloadedWeights& weights,
                  std::size_t m, std::size_t share) {
    std::mt19937 random(static_cast<unsigned>(weights.rows * 31 + weights.columns + m));
    Operands operands(accelerator, weights, share, m * weights.rows,
                      normal_values(weights.rows * weights.columns, random));
    const std::vector<float> in =
        operands.give(accelerator, normal_values(m * weights.columns, random), weights.columns);
    launch_gemm(accelerator, form, weights, m, operands.all());
    const std::vector<float> results = operands.results(accelerator);
    const auto part = [&](const std::vector<float>& of, std::size_t row) {
        return std::span(of).subspan(row * weights.columns, weights.columns);
    };
    double worst = 0;
    for (std::size_t i = 0; i < m; ++i)
        for (std::size_t j = 0; j < weights.rows; ++j)
            worst = std::max(worst, error_of(results[i * weights.rows + j],
                                             reference::dot(part(operands.stand_for, j), part(in, i))));
    return worst;
}

TEST(OffloadedGemv, IsTheReferencesInEveryFormatAndFormAndOnOddShapes) {
    Devices devices;
    for (Accelerator* accelerator : devices.all())
        for (const WeightFormat format : formats)
            for (const bool integers : {false, true}) {
                if (integers && !meets_int8_activations(format)) continue;
                const std::size_t multiple = columns_multiple(format);
                // One row and one group; a tail of rows, of chunks to a warp, and of both; rows long enough
                // that every thread has several turns.
                for (const auto& [rows, groups] : {std::pair<std::size_t, std::size_t>{1, 1},
                                                   {5, 3},
                                                   {67, 5},
                                                   {3, 4 * 4224 / multiple + 1}}) {
                    const OffloadedWeights weights =
                        offloaded_weights(format, integers, rows, groups * multiple);
                    for (const QuantizedForm& form : gemv_forms(*accelerator, weights))
                        EXPECT_LE(gemv_error(*accelerator, form, weights), bound(weights.columns))
                            << accelerator->info().id << " " << to_string(format)
                            << (integers ? " int8 " : " ") << form.name << " " << rows << " x "
                            << weights.columns;
                }
            }
}

TEST(OffloadedGemm, IsTheReferencesInEveryFormatAndFormAndOnOddShapes) {
    Devices devices;
    for (Accelerator* accelerator : devices.all())
        for (const WeightFormat format : formats)
            for (const bool integers : {false, true}) {
                if (integers && format != WeightFormat::int8) continue;
                const std::size_t multiple = columns_multiple(format);
                for (const auto& [m, rows, groups] : {std::array<std::size_t, 3>{1, 1, 1},
                                                      {1, 70, 3},
                                                      {70, 1, 2},
                                                      {67, 65, 3},
                                                      {7, 9, 640 / multiple}}) {
                    const OffloadedWeights weights =
                        offloaded_weights(format, integers, rows, groups * multiple);
                    for (const QuantizedForm& form : gemm_forms(*accelerator, weights))
                        EXPECT_LE(gemm_error(*accelerator, form, weights, m, weights.columns),
                                  bound(weights.columns))
                            << accelerator->info().id << " " << to_string(format)
                            << (integers ? " int8 " : " ") << form.name << " " << m << " " << rows << " "
                            << weights.columns;
                }
            }
}

TEST(OffloadedGemm, TakesAScaleForEach32OfARow) {
    Devices devices;
    for (Accelerator* accelerator : devices.all())
        for (const WeightFormat format : {WeightFormat::int8, WeightFormat::fp8}) {
            OffloadedWeights weights = offloaded_weights(format, false, 9, 160);
            weights.scale_columns = 32;
            for (const QuantizedForm& form : gemm_forms(*accelerator, weights))
                EXPECT_LE(gemm_error(*accelerator, form, weights, 5, 32), bound(160))
                    << accelerator->info().id << " " << form.name;
        }
}

TEST(OffloadedGemm, ASumOfZeroIsZeroWhateverTheScales) {
    Devices devices;
    const OffloadedWeights weights = offloaded_weights(WeightFormat::int8, true, 4, 64);
    std::vector<float> values(4 * 64), in(3 * 64);
    for (std::size_t i = 0; i < values.size(); i += 2) values[i] = 1e38f;
    for (std::size_t i = 1; i < in.size(); i += 2) in[i] = 1e38f;
    for (Accelerator* accelerator : devices.all())
        for (const QuantizedForm& form : gemm_forms(*accelerator, weights)) {
            Operands operands(*accelerator, weights, 64, 3 * 4, values);
            operands.give(*accelerator, in, 64);
            launch_gemm(*accelerator, form, weights, 3, operands.all());
            const std::vector<float> results = operands.results(*accelerator);
            for (std::size_t i = 0; i < 3 * 4; ++i)
                EXPECT_EQ(results[i], 0) << accelerator->info().id << " " << form.name;
        }
}

TEST(OffloadedWeights, TakeNoMoreBytesThanPackedRows) {
    for (const WeightFormat format : formats)
        EXPECT_EQ(offloaded_weights(format, false, 7, 384).bytes(), 7 * packed_row_bytes(format, 384));
}

TEST(OffloadedActivations, AreWithinHalfAStepAndKeepZeros) {
    std::mt19937 random(3);
    std::vector<float> values = normal_values(128, random);
    std::fill(values.begin() + 32, values.begin() + 64, 0.0f);
    const DeviceActivations quantized = quantize_for_device(values.data(), values.size(), 32);
    const std::vector<float> stand_for = quantized.as_multiplied();
    ASSERT_EQ(quantized.scales.size(), 4u);
    for (std::size_t i = 0; i < values.size(); ++i)
        EXPECT_LE(std::abs(stand_for[i] - values[i]), quantized.scales[i / 32] * 0.5001f);
}

}  // namespace
}  // namespace assay::kernels
