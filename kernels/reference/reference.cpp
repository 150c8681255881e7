#include "kernels/reference/reference.h"

#include <cmath>
#include <stdexcept>
#include <vector>

namespace assay::kernels::reference {

namespace {

template <typename Real>
void row_of_product(const Real* a, const Real* b, std::size_t n, std::size_t k, std::size_t row,
                    std::span<Product> out) {
    if (out.size() != n) throw std::invalid_argument("gemm_row: out must have n elements");
    // long double for f64 operands too: the reference must be better than what it judges.
    std::vector<long double> sums(n, 0.0L);
    std::vector<double> magnitudes(n, 0.0);
    for (std::size_t inner = 0; inner < k; ++inner) {
        const long double left = a[row * k + inner];
        for (std::size_t column = 0; column < n; ++column) {
            const long double product = left * static_cast<long double>(b[inner * n + column]);
            sums[column] += product;
            magnitudes[column] += std::abs(static_cast<double>(product));
        }
    }
    for (std::size_t column = 0; column < n; ++column)
        out[column] = {static_cast<double>(sums[column]), magnitudes[column]};
}

}  // namespace

void gemm_row(const float* a, const float* b, std::size_t n, std::size_t k, std::size_t row,
              std::span<Product> out) {
    row_of_product(a, b, n, k, row, out);
}

void gemm_row(const double* a, const double* b, std::size_t n, std::size_t k, std::size_t row,
              std::span<Product> out) {
    row_of_product(a, b, n, k, row, out);
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
