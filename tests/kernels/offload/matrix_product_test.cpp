#include "kernels/offload/matrix_product.h"

#include <cmath>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <variant>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernels/cpu/half.h"
#include "kernels/reference/reference.h"
#include "tests/kernels/pocl.h"

namespace assay::kernels {
namespace {

std::vector<std::uint8_t> random_elements(Precision precision, std::size_t count, std::mt19937& random) {
    std::vector<std::uint8_t> bytes(count * bytes_of(precision));
    std::uniform_real_distribution<float> uniform(-1, 1);
    for (std::size_t i = 0; i < count; ++i) {
        if (precision == Precision::f32)
            reinterpret_cast<float*>(bytes.data())[i] = uniform(random);
        else if (precision == Precision::f16)
            reinterpret_cast<std::uint16_t*>(bytes.data())[i] = float_to_half(uniform(random));
        else
            bytes[i] = static_cast<std::uint8_t>(random());
    }
    return bytes;
}

struct Shape {
    std::size_t m, n, k;
};

/// The largest error of a product, as a share of its products' magnitudes; every element is compared.
double error_of(Accelerator& accelerator, const OffloadedForm& form, Precision precision,
                const Shape& shape) {
    std::mt19937 random(static_cast<unsigned>(shape.m * 31 + shape.n * 7 + shape.k));
    const std::vector<std::uint8_t> left = random_elements(precision, shape.m * shape.k, random);
    const std::vector<std::uint8_t> right = random_elements(precision, shape.k * shape.n, random);
    const std::unique_ptr<DeviceMemory> a = accelerator.allocate(left.size(), false);
    const std::unique_ptr<DeviceMemory> b = accelerator.allocate(right.size(), false);
    const std::unique_ptr<DeviceMemory> c = accelerator.allocate(shape.m * shape.n * 4, false);
    Queue& queue = accelerator.queue();
    queue.write(*a, 0, left.data(), left.size());
    queue.write(*b, 0, right.data(), right.size());
    queue.fill(*c, 0, c->bytes(), 0xff);
    OffloadedProduct product(accelerator, form, precision, shape.m, shape.n, shape.k,
                             precision != Precision::f32);
    product.pack(*a, *b);
    product.multiply(*c);
    std::vector<std::uint8_t> result(c->bytes());
    queue.read(result.data(), *c, 0, c->bytes());
    queue.finish();

    double worst = 0;
    std::vector<reference::Product> expected(shape.n);
    for (std::size_t row = 0; row < shape.m; ++row) {
        reference::gemm_row({precision, left.data()}, {precision, right.data()}, shape.n, shape.k, row,
                            expected);
        for (std::size_t column = 0; column < shape.n; ++column) {
            const std::size_t at = row * shape.n + column;
            const double value = precision == Precision::int8
                                     ? reinterpret_cast<const std::int32_t*>(result.data())[at]
                                     : static_cast<double>(reinterpret_cast<const float*>(result.data())[at]);
            const double error = std::abs(value - expected[column].value) / expected[column].magnitude;
            if (!(error <= worst)) worst = error;
        }
    }
    return worst;
}

const std::vector<Shape> shapes = {{1, 1, 1},    {1, 130, 3},   {67, 1, 129},
                                   {61, 67, 71}, {128, 64, 64}, {200, 131, 77}};

TEST(OffloadedProduct, IsTheReferencesInEveryFormAndOnOddShapes) {
    const std::unique_ptr<Device> device = open_pocl();
    Accelerator& accelerator = *device->accelerator();
    std::vector<OffloadedForm> forms = offloaded_forms(accelerator, Precision::f32);
    EXPECT_TRUE(forms.front().by_items) << "PoCL is a CPU";
    forms.push_back({false, 64, 64});
    forms.push_back({false, 128, 128});
    for (const OffloadedForm& form : forms)
        for (const Shape& shape : shapes)
            EXPECT_LE(error_of(accelerator, form, Precision::f32, shape),
                      static_cast<double>(shape.k + 1) * 0x1p-24)
                << form.name() << " " << shape.m << " " << shape.n << " " << shape.k;
}

TEST(OffloadedProduct, OfOtherFormatsIsTheReferencesWithTheirArithmeticImitated) {
    const std::unique_ptr<Device> device = open_pocl();
    for (const OffloadedForm& form : {OffloadedForm{false, 64, 64}, OffloadedForm{false, 128, 128}}) {
        for (const Shape& shape : shapes) {
            EXPECT_EQ(error_of(*device->accelerator(), form, Precision::int8, shape), 0) << form.name();
            EXPECT_LE(error_of(*device->accelerator(), form, Precision::f16, shape),
                      static_cast<double>(shape.k + 1) * 0x1p-24)
                << form.name();
        }
    }
}

TEST(OffloadedProduct, SaysWhichExtensionIsMissing) {
    const std::unique_ptr<Device> device = open_pocl();
    const Accelerator& accelerator = *device->accelerator();
    EXPECT_FALSE(offloading_obstacle(accelerator, Precision::f32));
    EXPECT_THAT(offloading_obstacle(accelerator, Precision::f16).value(), testing::HasSubstr("cl_khr_fp16"));
    EXPECT_THAT(offloading_obstacle(accelerator, Precision::int8).value(),
                testing::HasSubstr("cl_khr_integer_dot_product"));
    EXPECT_THAT(offloading_obstacle(accelerator, Precision::bf16).value(), testing::HasSubstr("bf16"));
}

}  // namespace
}  // namespace assay::kernels
