#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "kernels/cpu/quantized.h"
#include "kernels/matrix/product.h"
#include "probes/core/probe.h"

namespace assay {

// What quantized.gemm has in common on CPUs and on devices that work is handed to.

struct GemmShape {
    kernels::WeightFormat format;
    kernels::ProductShape size;
    double operations() const {
        return 2.0 * static_cast<double>(size.m) * static_cast<double>(size.n) * static_cast<double>(size.k);
    }
    std::uint64_t weight_bytes() const { return size.n * kernels::packed_row_bytes(format, size.k); }
    /// What moves at least, and what is allocated at least.
    std::uint64_t bytes() const {
        return weight_bytes() + (size.m * size.k + size.m * size.n) * sizeof(float);
    }
};
GemmShape gemm_shape_of(const Case& the_case);

/// Row `index` of the weights before they are quantized, uniform in [-1, 1).
void gemm_weight_row(std::uint64_t seed, std::size_t index, std::size_t k, float* to);

/// Results [m × n] of the last product on rows and columns drawn by seed, against f64 over the numbers that
/// were really multiplied, which the functions write: k activations of a row, k weights of a column. The
/// bound is that of f32 sums in any order, and `more` beside it, of the terms' magnitudes. Every result must
/// be one that k products of numbers in [-1, 1] can have: what was never written must not be.
using WriteRow = std::function<void(std::size_t index, float* to)>;
Check check_gemm(const GemmShape& shape, const WriteRow& activations, const WriteRow& weights,
                 const std::vector<float>& out, std::uint64_t seed, double more = 0);

extern const MetricDeclaration quantized_gemm_throughput_metric, quantized_gemm_bandwidth_metric,
    quantized_gemm_traffic_metric;

}  // namespace assay
