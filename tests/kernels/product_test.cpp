#include "kernels/matrix/product.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "tests/kernels/product_cases.h"

namespace assay::kernels {
namespace {

constexpr Isa every_isa[] = {Isa::portable, Isa::neon, Isa::avx2, Isa::avx512, Isa::amx};
constexpr Precision own_precisions[] = {Precision::f32, Precision::bf16, Precision::f16, Precision::int8};

// Single elements, a register tile less or more one, primes, and k beyond a part of 4096 bytes.
const ProductShape shapes[] = {{1, 1, 1},    {1, 7, 13},     {2, 64, 1},   {4, 16, 2},    {6, 16, 64},
                               {14, 32, 64}, {15, 33, 65},   {13, 31, 63}, {31, 61, 127}, {37, 101, 257},
                               {5, 3, 4099}, {16, 40, 4161}, {131, 1, 19}, {1, 1031, 3}};

TEST(MatrixProduct, EveryKernelOfThisCpuMultipliesEveryShape) {
    for (const Precision precision : own_precisions)
        for (const Isa isa : every_isa)
            for (const MatrixKernel& kernel : matrix_kernels(precision, isa))
                for (const ProductShape& shape : shapes)
                    for (const Values values :
                         {Values::random, Values::extreme, Values::large, Values::small})
                        ASSERT_EQ(wrong_product(kernel, precision, shape, values, 1), "")
                            << to_string(precision) << " " << to_string(isa);
}

TEST(MatrixProduct, SumsOfF16ArePromotedInTime) {
    for (const Isa isa : every_isa)
        for (const MatrixKernel& kernel : matrix_kernels(Precision::f16, isa))
            if (kernel.arithmetic == Precision::f16) expect_many_ones_to_be_summed(*kernel.micro);
}

TEST(MatrixProduct, BlocksAndThreadsCoverTheWholeResult) {
    const int threads = std::min(allowed_cpus(), 2);
    for (const Precision precision : own_precisions) {
        const MatrixKernel kernel = best_matrix_kernel(precision).value();
        EXPECT_EQ(wrong_product(kernel, precision, {277, 1100, 70}, Values::random, threads), "");
        EXPECT_EQ(wrong_product(kernel, precision, {1, 2100, 40}, Values::random, threads), "");
        EXPECT_EQ(wrong_product(kernel, precision, {600, 1, 40}, Values::random, threads), "");
    }
}

TEST(MatrixProduct, EmptyShapesGiveNothingAndZeros) {
    for (const Precision precision : own_precisions) {
        const MatrixKernel kernel = best_matrix_kernel(precision).value();
        for (const ProductShape& shape : {ProductShape{0, 5, 3}, {5, 0, 3}, {5, 3, 0}, {0, 0, 0}})
            EXPECT_EQ(wrong_product(kernel, precision, shape, Values::random, 1), "");
    }
}

TEST(MatrixProduct, IntegersWrapAtTheEndOfTheirRange) {
    // 131073 products of -128 with itself are 2^31 + 2^14.
    const MatrixKernel kernel = best_matrix_kernel(Precision::int8).value();
    const std::size_t k = 131073;
    const std::vector<std::int8_t> line(k, -128);
    ThreadTeam team(1);
    MatrixProduct product(kernel, {1, 1, k}, team);
    std::vector<std::byte> left(product.left().bytes()), right(product.right().bytes());
    product.pack_left({Precision::int8, line.data(), 1, k, k, 1}, left.data());
    product.pack_right({Precision::int8, line.data(), 1, k, 1, 1}, right.data());
    std::int32_t result = 0;
    product.multiply(left.data(), right.data(), &result);
    EXPECT_EQ(result, std::numeric_limits<std::int32_t>::min() + (1 << 14));
}

TEST(MatrixProduct, NotANumberAndInfinityReachTheRowsAndColumnsThatHoldThem) {
    const std::size_t m = 17, n = 35, k = 70;
    std::vector<double> left_values(m * k, 1), right_values(k * n, 1);
    left_values[3 * k + 5] = std::numeric_limits<double>::quiet_NaN();
    right_values[7 * n + 33] = std::numeric_limits<double>::infinity();
    for (const Precision precision : {Precision::f32, Precision::bf16, Precision::f16}) {
        const GivenOperand a = operand_of(precision, left_values), b = operand_of(precision, right_values);
        for (const Isa isa : every_isa)
            for (const MatrixKernel& kernel : matrix_kernels(precision, isa)) {
                std::vector<float> c(m * n);
                ThreadTeam team(1);
                MatrixProduct product(kernel, {m, n, k}, team);
                std::vector<std::byte> left(product.left().bytes()), right(product.right().bytes());
                product.pack_left({precision, a.bytes.data(), m, k, k, 1}, left.data());
                product.pack_right({precision, b.bytes.data(), n, k, 1, n}, right.data());
                product.multiply(left.data(), right.data(), c.data());
                for (std::size_t i = 0; i < m; ++i)
                    for (std::size_t j = 0; j < n; ++j) {
                        const float got = c[i * n + j];
                        const bool right_there = i == 3    ? std::isnan(got)
                                                 : j == 33 ? std::isinf(got) && got > 0
                                                           : got == static_cast<float>(k);
                        ASSERT_TRUE(right_there) << to_string(precision) << " " << kernel.micro->instruction
                                                 << " " << i << ", " << j << ": " << got;
                    }
            }
    }
}

TEST(MatrixProduct, ARightOperandGivenByItsColumnsIsTheSame) {
    // As weights are: [n × k], and the product is with their transpose.
    const std::size_t m = 9, n = 45, k = 33;
    const MatrixKernel kernel = best_matrix_kernel(Precision::int8).value();
    const GivenOperand a = given_operand(Precision::int8, m * k, Values::random, 1);
    const GivenOperand b = given_operand(Precision::int8, k * n, Values::random, 2);
    std::vector<std::byte> transposed(n * k);
    for (std::size_t l = 0; l < k; ++l)
        for (std::size_t j = 0; j < n; ++j) transposed[j * k + l] = b.bytes[l * n + j];
    ThreadTeam team(1);
    MatrixProduct product(kernel, {m, n, k}, team);
    std::vector<std::byte> one(product.right().bytes()), other(product.right().bytes());
    product.pack_right({Precision::int8, b.bytes.data(), n, k, 1, n}, one.data());
    product.pack_right({Precision::int8, transposed.data(), n, k, k, 1}, other.data());
    EXPECT_EQ(one, other);
}

TEST(MatrixKernels, AreNativeFirstAndNeverOfAForeignSet) {
    for (const Isa isa : every_isa)
        for (const Precision precision : own_precisions)
            for (const MatrixKernel& kernel : matrix_kernels(precision, isa)) {
                EXPECT_TRUE(supports(isa));
                EXPECT_EQ(kernel.isa, isa);
            }
    EXPECT_TRUE(matrix_kernels(Precision::f64, Isa::portable).empty());
    if (cpu_features().avx512_bf16) {
        EXPECT_EQ(best_matrix_kernel(Precision::bf16, Isa::avx512)->arithmetic, Precision::bf16);
    }
    if (cpu_features().neon_bf16) {
        EXPECT_EQ(best_matrix_kernel(Precision::bf16)->arithmetic, Precision::bf16);
    }
    if (cpu_features().neon_fp16) {
        EXPECT_EQ(best_matrix_kernel(Precision::f16)->arithmetic, Precision::f16);
    }
    if (supports(Isa::avx512) && !cpu_features().avx512_fp16) {
        EXPECT_EQ(best_matrix_kernel(Precision::f16, Isa::avx512)->arithmetic, Precision::f32);
    }
}

TEST(BlockPlan, EveryPanelBelongsToOneBlockWhateverTheThreads) {
    const MatrixKernel kernel = best_matrix_kernel(Precision::f32, Isa::portable).value();
    for (const int threads : {1, 2, 64, 500})
        for (const std::size_t extent : {1u, 5u, 100u, 1000u}) {
            const PackedLayout left(kernel, Side::left, extent, 3000),
                right(kernel, Side::right, 3 * extent, 3000);
            const BlockPlan plan =
                plan_blocks(kernel.micro->blocking, kernel.micro->k_multiple, left, right, threads);
            std::vector<int> taken(left.panels * right.panels);
            for (std::size_t index = 0; index < plan.blocks(); ++index) {
                const Block block = block_of(plan, left, right, index);
                EXPECT_LE(block.row_end - block.row_begin, plan.row_panels);
                EXPECT_LE(block.column_end - block.column_begin, plan.column_panels);
                for (std::size_t row = block.row_begin; row < block.row_end; ++row)
                    for (std::size_t column = block.column_begin; column < block.column_end; ++column)
                        ++taken[row * right.panels + column];
            }
            EXPECT_TRUE(std::all_of(taken.begin(), taken.end(), [](int times) { return times == 1; }));
            if (left.panels * right.panels >= 4 * static_cast<std::size_t>(threads)) {
                EXPECT_GE(plan.blocks(), 2 * static_cast<std::size_t>(threads));
            }
        }
}

}  // namespace
}  // namespace assay::kernels
