#include "tests/kernels/imitated_instructions.h"

#include <gtest/gtest.h>

#include "tests/kernels/product_cases.h"

namespace assay::kernels {
namespace {

const ProductShape shapes[] = {{1, 1, 1},    {32, 32, 64},   {33, 65, 63},
                               {31, 31, 65}, {70, 40, 1100}, {3, 97, 4200}};

#if defined(__x86_64__)
TEST(ImitatedInstructions, AmxTilesMultiplyEveryShape) {
    ASSERT_EQ(amx::micro_kernels.count, 2u);
    const auto [int8, bf16] = imitated_amx_kernels();
    const MatrixKernel int8_kernel{Isa::amx, Precision::int8, &int8},
        bf16_kernel{Isa::amx, Precision::bf16, &bf16};
    for (const ProductShape& shape : shapes) {
        EXPECT_EQ(wrong_product(int8_kernel, Precision::int8, shape, Values::extreme, 1), "");
        for (const Values values : {Values::random, Values::large, Values::small})
            EXPECT_EQ(wrong_product(bf16_kernel, Precision::bf16, shape, values, 1), "");
    }
}

TEST(ImitatedInstructions, SumsOfF16ArePromotedInTime) {
    ASSERT_EQ(avx512_fp16::micro_kernels.count, 1u);
    MicroKernel f16 = avx512_fp16::micro_kernels.kernels[0];
    f16.multiply = multiply_half_tile<ImitatedF16, 12, 2>;
    const MatrixKernel kernel{Isa::avx512, Precision::f16, &f16};
    for (const ProductShape& shape : shapes)
        for (const Values values : {Values::random, Values::large, Values::small})
            EXPECT_EQ(wrong_product(kernel, Precision::f16, shape, values, 1), "");
    expect_many_ones_to_be_summed(f16);
}
#endif

}  // namespace
}  // namespace assay::kernels
