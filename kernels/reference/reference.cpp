#include "kernels/reference/reference.h"

#include <cmath>
#include <cstdint>
#include <stdexcept>
#include <vector>

#include "kernels/cpu/fp8.h"
#include "kernels/cpu/half.h"
#include "kernels/matrix/bfloat16.h"

namespace assay::kernels::reference {

namespace {

struct Bfloat16 {
    std::uint16_t bits;
};
struct Half {
    std::uint16_t bits;
};
struct Fp8 {
    std::uint8_t bits;
};

long double number(double value) {
    return value;
}
long double number(float value) {
    return static_cast<long double>(value);
}
long double number(std::int8_t value) {
    return value;
}
long double number(Bfloat16 value) {
    return static_cast<long double>(bfloat16_to_float(value.bits));
}
long double number(Fp8 value) {
    return static_cast<long double>(fp8_to_float(value.bits));
}
long double number(Half value) {
    return static_cast<long double>(half_to_float(value.bits));
}

/// Calls `use` with the elements as what they are.
template <typename Use>
void with_type(const Elements& elements, Use use) {
    switch (elements.precision) {
        case Precision::f64:
            return use(static_cast<const double*>(elements.data));
        case Precision::f32:
            return use(static_cast<const float*>(elements.data));
        case Precision::bf16:
            return use(static_cast<const Bfloat16*>(elements.data));
        case Precision::f16:
            return use(static_cast<const Half*>(elements.data));
        case Precision::int8:
            return use(static_cast<const std::int8_t*>(elements.data));
        case Precision::tf32:
            return use(static_cast<const float*>(elements.data));
        case Precision::fp8:
            return use(static_cast<const Fp8*>(elements.data));
    }
}

}  // namespace

void gemm_row(const Elements& a, const Elements& b, std::size_t n, std::size_t k, std::size_t row,
              std::span<Product> out) {
    if (out.size() != n) throw std::invalid_argument("gemm_row: out must have n elements");
    // long double for f64 operands too: the reference must be better than what it judges.
    std::vector<long double> left(k), sums(n, 0.0L);
    std::vector<double> magnitudes(n, 0.0);
    with_type(a, [&](const auto* elements) {
        for (std::size_t inner = 0; inner < k; ++inner) left[inner] = number(elements[row * k + inner]);
    });
    with_type(b, [&](const auto* elements) {
        for (std::size_t inner = 0; inner < k; ++inner)
            for (std::size_t column = 0; column < n; ++column) {
                const long double product = left[inner] * number(elements[inner * n + column]);
                sums[column] += product;
                magnitudes[column] += std::abs(static_cast<double>(product));
            }
    });
    for (std::size_t column = 0; column < n; ++column)
        out[column] = {static_cast<double>(sums[column]), magnitudes[column]};
}

Product dot(std::span<const float> weights, std::span<const float> in) {
    if (weights.size() != in.size()) throw std::invalid_argument("dot: lengths differ");
    Product sum;
    for (std::size_t i = 0; i < weights.size(); ++i) {
        const double product = static_cast<double>(weights[i]) * static_cast<double>(in[i]);
        sum.value += product;
        sum.magnitude += std::abs(product);
    }
    return sum;
}

double stream_element(StreamKernel kernel, double a, double b, double scalar) {
    switch (kernel) {
        case StreamKernel::write:
            return scalar;
        case StreamKernel::copy:
            return a;
        case StreamKernel::scale:
            return scalar * a;
        case StreamKernel::add:
            return a + b;
        case StreamKernel::triad:
            return a + scalar * b;
        case StreamKernel::read:
            break;
    }
    throw std::invalid_argument("stream_element: read stores nothing");
}

}  // namespace assay::kernels::reference
