#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "kernels/cpu/quantized.h"
#include "probes/core/probe.h"

namespace assay {

// What quantized.gemv has in common on CPUs and on devices that work is handed to.

struct GemvShape {
    kernels::WeightFormat format = kernels::WeightFormat::int4;
    bool int8_activations = false;
    std::size_t rows = 0, columns = 0;
    std::uint64_t matrix_bytes() const { return rows * kernels::packed_row_bytes(format, columns); }
    double operations() const { return 2.0 * static_cast<double>(rows) * static_cast<double>(columns); }
};
GemvShape gemv_shape_of(const Case& the_case);

/// For notes: what the weights are.
std::string described_weights(const GemvShape& shape);

/// Uniform in [-1, 1), by seed.
std::vector<float> random_vector(std::size_t count, std::uint64_t seed);

/// The outputs `out` of a product of `packed` by `in` (the activations, or what they stand for once
/// quantized), on rows drawn by seed, against f64; and that every output was written.
Check check_gemv(const GemvShape& shape, const std::byte* packed, std::span<const float> in,
                 std::span<const float> out, std::uint64_t seed);

/// A product of packed weights by `in`, written to `out`; returns what was multiplied by: the activations, or
/// what they stand for once quantized.
using MultiplyOnce = std::function<std::vector<float>(const GemvShape& shape, const std::byte* packed,
                                                      const std::vector<float>& in, std::vector<float>& out)>;
/// Weights that are really quantized, a few rows of `shape`: adds what the format costs in accuracy, and
/// whether the product is right on them.
void measure_accuracy(const GemvShape& shape, const MultiplyOnce& multiply, std::uint64_t seed,
                      Outcome& outcome);

extern const MetricDeclaration gemv_throughput_metric, gemv_bandwidth_metric, gemv_error_metric,
    gemv_traffic_metric;

}  // namespace assay
