#include "kernels/reference/reference.h"

#include <cstdint>
#include <stdexcept>
#include <vector>

#include <gtest/gtest.h>

namespace assay::kernels::reference {
namespace {

TEST(Reference, MultipliesMatricesAsDoneByHand) {
    //  [1 2 3]   [ 7  8]   [ 58  64]
    //  [4 5 6] × [ 9 10] = [139 154]
    //            [11 12]
    const std::vector<float> a = {1, 2, 3, 4, 5, 6};
    const std::vector<float> b = {7, 8, 9, 10, 11, 12};
    std::vector<Product> row(2);
    gemm_row({Precision::f32, a.data()}, {Precision::f32, b.data()}, 2, 3, 0, row);
    EXPECT_EQ(row[0].value, 58);
    EXPECT_EQ(row[1].value, 64);
    gemm_row({Precision::f32, a.data()}, {Precision::f32, b.data()}, 2, 3, 1, row);
    EXPECT_EQ(row[0].value, 139);
    EXPECT_EQ(row[1].value, 154);

    const std::vector<double> a64(a.begin(), a.end()), b64(b.begin(), b.end());
    gemm_row({Precision::f64, a64.data()}, {Precision::f64, b64.data()}, 2, 3, 1, row);
    EXPECT_EQ(row[0].value, 139);
    EXPECT_EQ(row[1].value, 154);
}

TEST(Reference, ReadsEveryPrecision) {
    // 1.5 × 2 + -0.25 × 4 = 2, in bits of bf16 and of f16; -3 × 5 + 7 × 2 = -1 in bytes.
    const std::vector<std::uint16_t> a16 = {0x3fc0, 0xbe80}, b16 = {0x4000, 0x4080};
    const std::vector<std::uint16_t> a_half = {0x3e00, 0xb400}, b_half = {0x4000, 0x4400};
    const std::vector<std::int8_t> a8 = {-3, 7}, b8 = {5, 2};
    std::vector<Product> row(1);
    gemm_row({Precision::bf16, a16.data()}, {Precision::bf16, b16.data()}, 1, 2, 0, row);
    EXPECT_EQ(row[0].value, 2);
    gemm_row({Precision::f16, a_half.data()}, {Precision::f16, b_half.data()}, 1, 2, 0, row);
    EXPECT_EQ(row[0].value, 2);
    gemm_row({Precision::int8, a8.data()}, {Precision::int8, b8.data()}, 1, 2, 0, row);
    EXPECT_EQ(row[0].value, -1);
    EXPECT_EQ(row[0].magnitude, 29);
}

TEST(Reference, KeepsTheMagnitudeOfWhatCancels) {
    const std::vector<float> weights = {2, -3, 0.5f};
    const std::vector<float> in = {3, 2, 8};
    const Product product = dot(weights, in);
    EXPECT_EQ(product.value, 4);
    EXPECT_EQ(product.magnitude, 16);
}

TEST(Reference, SumsInMoreThanSinglePrecision) {
    const std::vector<float> weights = {1e8f, 1, -1e8f};
    const std::vector<float> in = {1, 1, 1};
    EXPECT_EQ(dot(weights, in).value, 1);
    std::vector<Product> row(1);
    gemm_row({Precision::f32, weights.data()}, {Precision::f32, in.data()}, 1, 3, 0, row);
    EXPECT_EQ(row[0].value, 1);
}

TEST(Reference, RefusesLengthsThatDiffer) {
    const std::vector<float> two(2), three(3);
    std::vector<Product> row(2);
    EXPECT_THROW(dot(two, three), std::invalid_argument);
    EXPECT_THROW(gemm_row({Precision::f32, three.data()}, {Precision::f32, three.data()}, 3, 1, 0, row),
                 std::invalid_argument);
}

TEST(Reference, StreamElementsAreThoseOfStream) {
    EXPECT_EQ(stream_element(StreamKernel::write, 5, 7, 3), 3);
    EXPECT_EQ(stream_element(StreamKernel::copy, 5, 7, 3), 5);
    EXPECT_EQ(stream_element(StreamKernel::scale, 5, 7, 3), 15);
    EXPECT_EQ(stream_element(StreamKernel::add, 5, 7, 3), 12);
    EXPECT_EQ(stream_element(StreamKernel::triad, 5, 7, 3), 26);
    EXPECT_THROW(stream_element(StreamKernel::read, 5, 7, 3), std::invalid_argument);
}

}  // namespace
}  // namespace assay::kernels::reference
