#include "kernels/matrix/quantized_product.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/matrix/quantized_parts.h"
#include "tests/kernels/imitated_instructions.h"

namespace assay::kernels {
namespace {

constexpr WeightFormat formats[] = {WeightFormat::int8, WeightFormat::int4, WeightFormat::int4_g128,
                                    WeightFormat::fp8};
constexpr Isa every_isa[] = {Isa::portable, Isa::neon, Isa::avx2, Isa::avx512, Isa::amx};

std::vector<float> normal(std::size_t count, unsigned seed) {
    std::mt19937 generator(seed);
    std::normal_distribution<float> distribution;
    std::vector<float> values(count);
    for (float& value : values) value = distribution(generator);
    return values;
}

struct Made {
    std::vector<float> out, weights;  ///< weights as they were quantized
};

Made multiply(const MatrixKernel& kernel, WeightFormat format, const ProductShape& shape,
              const std::vector<float>& activations, const std::vector<float>& weights, int threads) {
    ThreadTeam team(threads);
    QuantizedProduct product(kernel, format, shape, team);
    std::vector<std::byte> packed(product.weight_bytes());
    product.pack_weights(
        [&](std::size_t row, float* to) { std::copy_n(weights.data() + row * shape.k, shape.k, to); },
        packed.data());
    Made made{std::vector<float>(shape.m * shape.n + 1, -7.25f), std::vector<float>(shape.n * shape.k)};
    // Twice: what the first one left behind must not be added to.
    for (int time = 0; time < 2; ++time) product.multiply(activations.data(), packed.data(), made.out.data());
    if (shape.k == 0) return made;
    std::vector<std::byte> rows(shape.n * packed_row_bytes(format, shape.k));
    quantize_rows(format, weights.data(), shape.n, shape.k, rows.data());
    dequantize_rows(format, rows.data(), shape.n, shape.k, made.weights.data());
    return made;
}

/// Against f64 on the dequantized weights and the activations as given: rounding them costs at most half a
/// step, of int8 a 254th of the row's largest, of bf16 a 256th of each; brought to bf16, weights lose as much
/// again.
void expect_right(const MatrixKernel& kernel, WeightFormat format, const ProductShape& shape,
                  const std::vector<float>& activations, const Made& made) {
    for (std::size_t i = 0; i < shape.m; ++i) {
        float largest = 0;
        for (std::size_t l = 0; l < shape.k; ++l)
            largest = std::max(largest, std::abs(activations[i * shape.k + l]));
        for (std::size_t j = 0; j < shape.n; ++j) {
            double sum = 0, allowed = std::numeric_limits<float>::min();
            for (std::size_t l = 0; l < shape.k; ++l) {
                const double weight = made.weights[j * shape.k + l], in = activations[i * shape.k + l];
                sum += weight * in;
                allowed += std::abs(weight * in) * static_cast<double>(shape.k + 8) * 0x1p-24;
                // Weights that are subnormal were rounded when they were dequantized.
                allowed += std::abs(in) * 0x1p-150;
                if (kernel.arithmetic == Precision::int8)
                    allowed += std::abs(weight) * static_cast<double>(largest) / 253;
                if (kernel.arithmetic == Precision::bf16) allowed += std::abs(weight * in) * 2.01 * 0x1p-8;
            }
            ASSERT_NEAR(made.out[i * shape.n + j], sum, allowed)
                << kernel.micro->instruction << " " << to_string(format) << " " << shape.m << " x " << shape.n
                << " x " << shape.k << " at " << i << ", " << j;
        }
    }
    EXPECT_EQ(made.out.back(), -7.25f) << "wrote beyond the result";
}

TEST(QuantizedProduct, EveryKernelOfThisCpuMultipliesEveryFormatAndShape) {
    const ProductShape shapes[] = {{1, 1, 128},   {1, 33, 256},  {3, 16, 384},  {14, 32, 128},  {15, 31, 640},
                                   {29, 97, 256}, {33, 65, 128}, {2, 40, 4224}, {17, 130, 2176}};
    int products = 0;
    for (const WeightFormat format : formats)
        for (const Precision precision : {Precision::int8, Precision::bf16})
            for (const Isa isa : every_isa) {
                const std::optional<MatrixKernel> kernel = quantized_kernel(format, precision, isa);
                if (!kernel) continue;
                for (const ProductShape& shape : shapes) {
                    const std::vector<float> activations = normal(shape.m * shape.k, 1);
                    const Made made =
                        multiply(*kernel, format, shape, activations, normal(shape.n * shape.k, 2), 1);
                    expect_right(*kernel, format, shape, activations, made);
                    ++products;
                }
            }
    EXPECT_GE(products, 9 * 4);
}

#if defined(__x86_64__)
TEST(QuantizedProduct, AmxTilesMultiplyEveryFormat) {
    const auto [int8, bf16] = imitated_amx_kernels();
    // What surrounds the tiles is that of portable kernels, which any CPU runs.
    const MatrixKernel int8_kernel{Isa::portable, Precision::int8, &int8};
    const MatrixKernel bf16_kernel{Isa::portable, Precision::bf16, &bf16};
    for (const ProductShape& shape : {ProductShape{1, 1, 128}, {33, 65, 384}, {40, 70, 2176}}) {
        const std::vector<float> activations = normal(shape.m * shape.k, 1),
                                 weights = normal(shape.n * shape.k, 2);
        const auto expect = [&](const MatrixKernel& kernel, WeightFormat format) {
            expect_right(kernel, format, shape, activations,
                         multiply(kernel, format, shape, activations, weights, 1));
        };
        expect(int8_kernel, WeightFormat::int8);
        expect(int8_kernel, WeightFormat::int4_g128);
        expect(bf16_kernel, WeightFormat::int4);
        expect(bf16_kernel, WeightFormat::int4_g128);
        expect(bf16_kernel, WeightFormat::fp8);
    }
    // k that fills no whole tile of 64 bytes.
    const ProductShape shape{5, 9, 96};
    const std::vector<float> activations = normal(shape.m * shape.k, 1),
                             weights = normal(shape.n * shape.k, 2);
    expect_right(int8_kernel, WeightFormat::int8, shape, activations,
                 multiply(int8_kernel, WeightFormat::int8, shape, activations, weights, 1));
    expect_right(bf16_kernel, WeightFormat::fp8, shape, activations,
                 multiply(bf16_kernel, WeightFormat::fp8, shape, activations, weights, 1));
}
#endif

TEST(QuantizedProduct, Int8IsExactBeforeItIsScaled) {
    // Rows whose largest is 127 are their own integers.
    std::mt19937 random(3);
    const ProductShape shape{9, 45, 96};
    std::vector<float> activations(shape.m * shape.k), weights(shape.n * shape.k);
    for (float& value : activations) value = static_cast<float>(static_cast<int>(random() % 255) - 127);
    for (float& value : weights) value = static_cast<float>(static_cast<int>(random() % 255) - 127);
    for (std::size_t i = 0; i < shape.m; ++i) activations[i * shape.k + i] = 127;
    for (std::size_t j = 0; j < shape.n; ++j) weights[j * shape.k + j % 96] = -127;
    for (const Isa isa : every_isa) {
        const std::optional<MatrixKernel> kernel = quantized_kernel(WeightFormat::int8, Precision::int8, isa);
        if (!kernel) continue;
        const Made made = multiply(*kernel, WeightFormat::int8, shape, activations, weights, 1);
        for (std::size_t i = 0; i < shape.m; ++i)
            for (std::size_t j = 0; j < shape.n; ++j) {
                double sum = 0;
                for (std::size_t l = 0; l < shape.k; ++l)
                    sum += static_cast<double>(activations[i * shape.k + l]) * weights[j * shape.k + l];
                EXPECT_EQ(made.out[i * shape.n + j], sum);
            }
    }
}

/// Every kernel for weights of `format` that can be run here, with tiles where the CPU has none imitated.
std::vector<MatrixKernel> all_kernels(WeightFormat format) {
    std::vector<MatrixKernel> kernels;
    for (const Precision precision : {Precision::int8, Precision::bf16})
        for (const Isa isa : every_isa)
            if (const std::optional<MatrixKernel> kernel = quantized_kernel(format, precision, isa))
                kernels.push_back(*kernel);
#if defined(__x86_64__)
    static const std::array<MicroKernel, 2> tiles = imitated_amx_kernels();
    if (format == WeightFormat::int8 || format == WeightFormat::int4_g128)
        kernels.push_back({Isa::portable, Precision::int8, &tiles[0]});
    if (format != WeightFormat::int8) kernels.push_back({Isa::portable, Precision::bf16, &tiles[1]});
#endif
    return kernels;
}

/// Numbers around `size`, none larger.
std::vector<float> of_size(float size, std::size_t count, unsigned seed) {
    std::mt19937 generator(seed);
    std::uniform_real_distribution<float> distribution(-1, 1);
    std::vector<float> values(count);
    for (float& value : values) value = distribution(generator) * size;
    return values;
}

TEST(QuantizedProduct, NumbersOfExtremeSizeAreMultipliedAsOthersAre) {
    struct Sizes {
        float activations, weights;
        bool int8_alone;  ///< sums of other kernels are in f32 before the weights' scale, and would overflow
    };
    // Both scales at once far beyond what their product may be; one at the end of the range and one that
    // brings the result back; results near it; weights whose scale is subnormal.
    const Sizes sizes[] = {{1e-25f, 1e35f, false},   {1e30f, 1e-30f, false}, {1e30f, 1e-40f, false},
                           {3.4e38f, 1e-30f, true},  {3.4e38f, 1e-5f, true}, {1e18f, 1e17f, false},
                           {1e-30f, 3.4e38f, false}, {1e29f, 4e5f, false}};
    const ProductShape shape{5, 35, 256};
    for (const WeightFormat format : formats)
        for (const MatrixKernel& kernel : all_kernels(format))
            for (const auto& [in, weight, int8_alone] : sizes) {
                // The f16 scales of int4 hold no more, and its groups are scaled before the activations.
                const bool fits = !is_int4(format) || weight <= 4e5f;
                if (!fits || (int8_alone && !kernel.sums_integers())) continue;
                const std::vector<float> activations = of_size(in, shape.m * shape.k, 1);
                const Made made =
                    multiply(kernel, format, shape, activations, of_size(weight, shape.n * shape.k, 2), 1);
                expect_right(kernel, format, shape, activations, made);
                if (testing::Test::HasFatalFailure()) FAIL() << in << " times " << weight;
            }
}

TEST(QuantizedProduct, ASumOfZeroIsZeroWhateverTheScales) {
    // Weights are zero wherever activations are not: products whose scales are infinite together.
    const ProductShape shape{3, 34, 128};
    for (const WeightFormat format : formats)
        for (const MatrixKernel& kernel : all_kernels(format)) {
            std::vector<float> activations = of_size(1e38f, shape.m * shape.k, 1),
                               weights = of_size(is_int4(format) ? 5e5f : 1e38f, shape.n * shape.k, 2);
            for (std::size_t i = 0; i < activations.size(); i += 2) activations[i] = 0;
            for (std::size_t i = 1; i < weights.size(); i += 2) weights[i] = 0;
            const Made made = multiply(kernel, format, shape, activations, weights, 1);
            for (std::size_t i = 0; i < shape.m * shape.n; ++i)
                ASSERT_EQ(made.out[i], 0) << to_string(format) << " " << kernel.micro->instruction;
        }
}

TEST(QuantizedProduct, SubnormalActivationsAreNeverMoreThanTheyAre) {
    // Rows whose scale has no reciprocal count as zeros, and instructions that multiply bf16 take subnormal
    // operands for zero.
    const ProductShape shape{3, 33, 128};
    for (const WeightFormat format : formats)
        for (const MatrixKernel& kernel : all_kernels(format)) {
            const std::vector<float> activations = of_size(1e-39f, shape.m * shape.k, 1);
            const Made made = multiply(kernel, format, shape, activations,
                                       of_size(is_int4(format) ? 1e5f : 1e37f, shape.n * shape.k, 2), 1);
            for (std::size_t i = 0; i < shape.m; ++i)
                for (std::size_t j = 0; j < shape.n; ++j) {
                    double magnitude = 0;
                    for (std::size_t l = 0; l < shape.k; ++l)
                        magnitude += std::abs(static_cast<double>(activations[i * shape.k + l]) *
                                              static_cast<double>(made.weights[j * shape.k + l]));
                    ASSERT_LE(std::abs(static_cast<double>(made.out[i * shape.n + j])), 1.01 * magnitude)
                        << to_string(format) << " " << kernel.micro->instruction;
                }
        }
}

TEST(QuantizedProduct, ThreadsAndBlocksCoverTheWholeResult) {
    const ProductShape shape{300, 1100, 128};
    const std::vector<float> activations = normal(shape.m * shape.k, 1),
                             weights = normal(shape.n * shape.k, 2);
    for (const WeightFormat format : formats) {
        const Precision precision = format == WeightFormat::fp8 ? Precision::bf16 : Precision::int8;
        const MatrixKernel kernel =
            quantized_kernel(format, precision, Isa::portable)
                .value_or(quantized_kernel(format, Precision::bf16).value_or(MatrixKernel{}));
        ASSERT_NE(kernel.micro, nullptr);
        const Made one = multiply(kernel, format, shape, activations, weights, 1);
        const Made more = multiply(kernel, format, shape, activations, weights, std::min(allowed_cpus(), 2));
        EXPECT_EQ(one.out, more.out);
        expect_right(kernel, format, shape, activations, one);
    }
}

TEST(QuantizedProduct, EmptyShapesGiveNothingAndZeros) {
    const MatrixKernel kernel = quantized_kernel(WeightFormat::int8, Precision::int8).value();
    for (const ProductShape& shape : {ProductShape{0, 5, 128}, {5, 0, 128}, {5, 3, 0}}) {
        const Made made = multiply(kernel, WeightFormat::int8, shape, std::vector<float>(shape.m * shape.k),
                                   std::vector<float>(shape.n * shape.k), 1);
        for (std::size_t i = 0; i < shape.m * shape.n; ++i) EXPECT_EQ(made.out[i], 0);
        EXPECT_EQ(made.out.back(), -7.25f);
    }
    ThreadTeam team(1);
    EXPECT_THROW(QuantizedProduct(kernel, WeightFormat::int8, {1, 1, 33}, team), std::invalid_argument);
}

TEST(QuantizedProduct, NotANumberAndInfinityReachTheirRowsAndColumns) {
    const ProductShape shape{17, 40, 128};
    for (const WeightFormat format : formats)
        for (const Precision precision : {Precision::int8, Precision::bf16})
            for (const Isa isa : every_isa) {
                const std::optional<MatrixKernel> kernel = quantized_kernel(format, precision, isa);
                if (!kernel) continue;
                std::vector<float> activations = normal(shape.m * shape.k, 1),
                                   weights = normal(shape.n * shape.k, 2);
                activations[5 * shape.k + 3] = std::numeric_limits<float>::quiet_NaN();
                activations[7 * shape.k + 9] = -std::numeric_limits<float>::infinity();
                weights[33 * shape.k + 100] = std::numeric_limits<float>::infinity();
                const Made made = multiply(*kernel, format, shape, activations, weights, 1);
                for (std::size_t i = 0; i < shape.m; ++i)
                    for (std::size_t j = 0; j < shape.n; ++j)
                        EXPECT_EQ(std::isfinite(made.out[i * shape.n + j]), i != 5 && i != 7 && j != 33)
                            << to_string(format) << " " << kernel->micro->instruction << " " << i << ", "
                            << j;
            }
}

TEST(QuantizedKernel, IsNoneWhereFormatAndActivationsDoNotGoTogether) {
    for (const Isa isa : every_isa) {
        EXPECT_FALSE(quantized_kernel(WeightFormat::int8, Precision::bf16, isa));
        EXPECT_FALSE(quantized_kernel(WeightFormat::fp8, Precision::int8, isa));
        EXPECT_FALSE(quantized_kernel(WeightFormat::f32, Precision::bf16, isa));
        EXPECT_FALSE(quantized_kernel(WeightFormat::int4, Precision::f32, isa));
    }
    // 64 values of k in a tile: groups of 32 are another kernel's.
    EXPECT_FALSE(quantized_kernel(WeightFormat::int4, Precision::int8, Isa::amx));
}

}  // namespace
}  // namespace assay::kernels
