#include "probes/quantized/matrix_product.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "kernels/reference/reference.h"
#include "probes/core/random.h"

namespace assay {

const MetricDeclaration quantized_gemm_throughput_metric{"quantized.gemm.throughput",
                                                         Unit::operation_per_second, Direction::higher,
                                                         "quantized matrix product, 2 m n k operations"};
const MetricDeclaration quantized_gemm_bandwidth_metric{
    "quantized.gemm.bandwidth", Unit::byte_per_second, Direction::higher,
    "bytes of packed weights, scales included, a product, over its time"};
const MetricDeclaration quantized_gemm_traffic_metric{
    "quantized.gemm.bytes_per_operation", Unit::byte_per_operation, Direction::none,
    "packed weights, f32 activations and results, each moved once, over 2 m n k operations"};

namespace {

constexpr std::size_t checked_rows = 12;
constexpr std::size_t checked_columns = 24;

}  // namespace

GemmShape gemm_shape_of(const Case& the_case) {
    return {kernels::weight_format_from_string(the_case.text("format")).value(),
            {static_cast<std::size_t>(the_case.integer("m")), static_cast<std::size_t>(the_case.integer("n")),
             static_cast<std::size_t>(the_case.integer("k"))}};
}

void gemm_weight_row(std::uint64_t seed, std::size_t index, std::size_t k, float* to) {
    Random random(seed, 1000 + index);
    for (std::size_t l = 0; l < k; ++l) to[l] = static_cast<float>(random.uniform(-1, 1));
}

Check check_gemm(const GemmShape& shape, const WriteRow& activations, const WriteRow& weights,
                 const std::vector<float>& out, std::uint64_t seed, double more) {
    const auto [m, n, k] = shape.size;
    const double bound = static_cast<double>(k + 8) * 0x1p-24 + more;
    Random random(seed, 31);
    double worst = 0;
    std::vector<float> row(k), column_weights(k);
    std::vector<std::vector<float>> rows;
    std::vector<std::size_t> row_indices = {m - 1};
    while (row_indices.size() < checked_rows) row_indices.push_back(random.below(m));
    for (const std::size_t index : row_indices) {
        activations(index, row.data());
        rows.push_back(row);
    }
    for (std::size_t i = 0; i < checked_columns; ++i) {
        const std::size_t column = i == 0 ? n - 1 : static_cast<std::size_t>(random.below(n));
        weights(column, column_weights.data());
        for (std::size_t r = 0; r < rows.size(); ++r) {
            const kernels::reference::Product expected = kernels::reference::dot(column_weights, rows[r]);
            const double difference =
                std::abs(static_cast<double>(out[row_indices[r] * n + column]) - expected.value);
            const double magnitude = std::max(expected.magnitude, std::numeric_limits<double>::min());
            // Written so that a NaN is the worst of all.
            if (!(difference / magnitude <= worst)) worst = difference / magnitude;
        }
    }
    // A scale's rounding can bring a number a little beyond 1.
    const float largest = 1.1f * static_cast<float>(k);
    const bool all_written =
        std::all_of(out.begin(), out.end(), [&](float value) { return std::abs(value) <= largest; });
    return {"last timed product matches f64", all_written && worst <= bound, worst,
            fmt::format(
                "{} rows x {} columns drawn by seed, largest error {:.2g} of the terms' magnitudes, allowed "
                "{} = {:.2g}{}",
                checked_rows, checked_columns, worst,
                more > 0 ? "(k + 8) u and what tensor cores cut" : "(k + 8) u", bound,
                all_written ? "" : "; results were left unwritten or are beyond what such sums can be")};
}

}  // namespace assay
