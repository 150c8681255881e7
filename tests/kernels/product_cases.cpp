#include "tests/kernels/product_cases.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include <gtest/gtest.h>

#include "kernels/cpu/half.h"
#include "kernels/matrix/bfloat16.h"

namespace assay::kernels {

namespace {

double largest_of(Precision precision) {
    if (precision == Precision::f16) return 65504;
    return precision == Precision::bf16 ? 0x1.fep127 : static_cast<double>(std::numeric_limits<float>::max());
}

double drawn(Precision precision, Values values, std::mt19937_64& random) {
    if (precision == Precision::int8) {
        if (values != Values::random) return random() % 2 == 0 ? -128 : 127;
        return static_cast<double>(static_cast<int>(random() % 256) - 128);
    }
    const double uniform = std::uniform_real_distribution<double>(-1, 1)(random);
    if (values == Values::random) return uniform;
    // Within f16's normal range, so that no result overflows it after 64 products.
    if (values == Values::extreme) return std::ldexp(uniform, static_cast<int>(random() % 12) - 8);
    // The first of the small ones times the largest, 64 times in f16 and 4161 times in f32, is finite.
    constexpr std::array<int, 6> large_halves = {16, 16, 8, 0, -14, -20},
                                 large_floats = {128, 128, 60, 0, -126, -140};
    constexpr std::array<int, 6> small_halves = {-7, -7, -9, -14, -18, -22},
                                 small_floats = {-14, -14, -60, -120, -126, -140};
    const bool half = precision == Precision::f16;
    const std::array<int, 6>& exponents =
        values == Values::large ? (half ? large_halves : large_floats) : (half ? small_halves : small_floats);
    return std::clamp(std::ldexp(uniform, exponents[random() % exponents.size()]), -largest_of(precision),
                      largest_of(precision));
}

template <typename Element>
double store(std::byte* to, Element element, double value) {
    std::memcpy(to, &element, sizeof element);
    return value;
}

double store_value(Precision precision, double value, std::byte* to) {
    const float single = static_cast<float>(value);
    switch (precision) {
        case Precision::int8:
            return store(to, static_cast<std::int8_t>(value), value);
        case Precision::tf32:
        case Precision::fp8:
            return 0;  // no kernel of the CPU's takes them
        case Precision::f32:
            return store(to, single, static_cast<double>(single));
        case Precision::bf16: {
            const std::uint16_t bits = float_to_bfloat16(single);
            return store(to, bits, static_cast<double>(bfloat16_to_float(bits)));
        }
        case Precision::f16: {
            const std::uint16_t bits = float_to_half(single);
            return store(to, bits, static_cast<double>(half_to_float(bits)));
        }
        case Precision::f64:
            break;
    }
    return 0;
}

/// Of the products' magnitudes: (k + 1) u in f32; where sums of 64 are in f16, 64 of its roundoffs besides.
double bound_of(const MatrixKernel& kernel, std::size_t k) {
    const double of_f32 = static_cast<double>(k + 1) * 0x1p-24;
    return kernel.arithmetic == Precision::f16 ? of_f32 + 65 * 0x1p-11 : of_f32;
}

/// What may be lost of each product and of each sum because it is subnormal. Instructions that multiply bf16
/// take for zero what is below f32's normal numbers, operands and results.
double lost_below(const MatrixKernel& kernel) {
    if (kernel.arithmetic == Precision::f16) return 0x1p-24;
    return kernel.arithmetic == Precision::bf16 ? 0x1p-126 : 0x1p-149;
}

bool may_count_as_zero(const MatrixKernel& kernel, double operand) {
    return kernel.arithmetic == Precision::bf16 && std::abs(operand) < 0x1p-126;
}

/// Values of the right operand that go with these of the left one.
Values beside(Values left) {
    if (left == Values::large) return Values::small;
    return left == Values::small ? Values::large : left;
}

}  // namespace

GivenOperand given_operand(Precision precision, std::size_t count, Values values, std::uint64_t seed) {
    std::mt19937_64 random(seed);
    GivenOperand operand{precision, std::vector<std::byte>(count * bytes_of(precision)), {}};
    for (std::size_t i = 0; i < count; ++i)
        operand.values.push_back(store_value(precision, drawn(precision, values, random),
                                             operand.bytes.data() + i * bytes_of(precision)));
    return operand;
}

GivenOperand operand_of(Precision precision, const std::vector<double>& values) {
    GivenOperand operand{precision, std::vector<std::byte>(values.size() * bytes_of(precision)), {}};
    for (std::size_t i = 0; i < values.size(); ++i)
        operand.values.push_back(
            store_value(precision, values[i], operand.bytes.data() + i * bytes_of(precision)));
    return operand;
}

std::string wrong_product(const MatrixKernel& kernel, Precision precision, const ProductShape& shape,
                          Values values, int threads) {
    const auto [m, n, k] = shape;
    const GivenOperand a = given_operand(precision, m * k, values, 1);
    const GivenOperand b = given_operand(precision, k * n, beside(values), 2);
    ThreadTeam team(threads);
    MatrixProduct product(kernel, shape, team);
    std::vector<std::byte> left(product.left().bytes()), right(product.right().bytes());
    product.pack_left({precision, a.bytes.data(), m, k, k, 1}, left.data());
    product.pack_right({precision, b.bytes.data(), n, k, 1, n}, right.data());
    // Twice: what the first one left behind must not be added to.
    std::vector<std::int32_t> c(m * n + 1, 0x7fc12345);
    for (int time = 0; time < 2; ++time) product.multiply(left.data(), right.data(), c.data());
    if (c.back() != 0x7fc12345) return "wrote beyond the result";
    for (std::size_t i = 0; i < m; ++i)
        for (std::size_t j = 0; j < n; ++j) {
            double sum = 0, magnitude = 0, lost = 2 * static_cast<double>(k) * lost_below(kernel);
            for (std::size_t l = 0; l < k; ++l) {
                const double left_value = a.values[i * k + l], right_value = b.values[l * n + j];
                sum += left_value * right_value;
                magnitude += std::abs(left_value * right_value);
                if (may_count_as_zero(kernel, left_value) || may_count_as_zero(kernel, right_value))
                    lost += std::abs(left_value * right_value);
            }
            float single = 0;
            std::memcpy(&single, &c[i * n + j], sizeof single);
            const double got = kernel.sums_integers() ? c[i * n + j] : static_cast<double>(single);
            const double allowed = kernel.sums_integers() ? 0 : bound_of(kernel, k) * magnitude + lost;
            if (!(std::abs(got - sum) <= allowed))
                return std::string(kernel.micro->instruction) + ": " + std::to_string(m) + " x " +
                       std::to_string(n) + " x " + std::to_string(k) + ": element " + std::to_string(i) +
                       ", " + std::to_string(j) + " is " + std::to_string(got) + " instead of " +
                       std::to_string(sum);
        }
    return "";
}

void expect_many_ones_to_be_summed(const MicroKernel& kernel) {
    const std::size_t k = 5000;
    const std::size_t rows = static_cast<std::size_t>(kernel.a.extent),
                      columns = static_cast<std::size_t>(kernel.b.extent);
    const std::vector<std::uint16_t> a(k * rows, float_to_half(1)), b(k * columns, float_to_half(1));
    std::vector<float> sums(rows * columns);
    kernel.multiply(k, a.data(), b.data(), nullptr, sums.data(), columns, false);
    EXPECT_EQ(sums, std::vector<float>(rows * columns, k)) << kernel.instruction;
}

}  // namespace assay::kernels
