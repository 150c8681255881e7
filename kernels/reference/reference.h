#pragma once

#include <cstddef>
#include <span>

#include "kernels/cpu/stream.h"
#include "kernels/matrix/precision.h"

namespace assay::kernels::reference {

// Slow and right: straight loops with sums in f64 or better, what fast kernels are checked against.

/// A sum of products, and the sum of their magnitudes, in which rounding bounds are stated.
struct Product {
    double value = 0;
    double magnitude = 0;
};

/// The elements of a matrix in their own format.
struct Elements {
    Precision precision = Precision::f32;
    const void* data = nullptr;
};

/// Row `row` of a × b, a [m × k] and b [k × n] row-major: `out` has n elements.
void gemm_row(const Elements& a, const Elements& b, std::size_t n, std::size_t k, std::size_t row,
              std::span<Product> out);

/// weights · in, of one row.
Product dot(std::span<const float> weights, std::span<const float> in);

/// What a stream kernel stores at an element with inputs a and b. Not for read.
double stream_element(StreamKernel kernel, double a, double b, double scalar);

}  // namespace assay::kernels::reference
