#include "probes/quantized/vector_product.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "kernels/reference/reference.h"
#include "probes/core/random.h"

namespace assay {

const MetricDeclaration gemv_throughput_metric{"quantized.gemv.throughput", Unit::operation_per_second,
                                               Direction::higher,
                                               "quantized matrix times vector, 2 m k operations a product"};
const MetricDeclaration gemv_bandwidth_metric{
    "quantized.gemv.bandwidth", Unit::byte_per_second, Direction::higher,
    "bytes of packed weights, scales included, that products go through"};
const MetricDeclaration gemv_error_metric{
    "quantized.gemv.error", Unit::ratio, Direction::lower,
    "relative error of the product against f64 on the weights before they were "
    "quantized, normally distributed: ||y - y_ref|| / ||y_ref||"};

const MetricDeclaration gemv_traffic_metric{"quantized.gemv.bytes_per_operation", Unit::byte_per_operation,
                                            Direction::none, "bytes of packed weights over 2 m k operations"};

namespace {

constexpr std::size_t checked_rows = 64;
constexpr std::size_t accuracy_rows = 64;

/// What the f32 arithmetic of a product may be off by, as a multiple of the sum of its terms' magnitudes: no
/// path adds more than columns / 16 terms one after another in a lane, and a few dozen roundings join the
/// lanes and apply the scales.
double rounding_bound(std::size_t columns) {
    return (static_cast<double>(columns) / 16 + 32) * 0x1p-24;
}

/// Sum of twelve uniforms less six: near enough to a normal distribution of deviation 1.
float nearly_normal(Random& random) {
    double sum = -6;
    for (int i = 0; i < 12; ++i) sum += random.uniform(0, 1);
    return static_cast<float>(sum);
}

/// The largest error of `out` at `rows` against f64 over the dequantized weights, relative to the terms'
/// magnitudes; infinite where an output is not finite.
double worst_error(const GemvShape& shape, const std::byte* packed, std::span<const float> in,
                   std::span<const float> out, std::span<const std::size_t> rows) {
    const std::size_t row_bytes = kernels::packed_row_bytes(shape.format, shape.columns);
    std::vector<float> weights(shape.columns);
    double worst = 0;
    for (const std::size_t row : rows) {
        kernels::dequantize_rows(shape.format, packed + row * row_bytes, 1, shape.columns, weights.data());
        const kernels::reference::Product expected = kernels::reference::dot(weights, in);
        const double difference = std::abs(static_cast<double>(out[row]) - expected.value);
        if (!std::isfinite(difference)) return std::numeric_limits<double>::infinity();
        if (difference > 0)
            worst = std::max(worst,
                             difference / std::max(expected.magnitude, std::numeric_limits<double>::min()));
    }
    return worst;
}

Check rounding_check(std::string name, double worst, std::size_t rows, std::size_t columns) {
    const double bound = rounding_bound(columns);
    return {
        std::move(name), worst <= bound, worst,
        fmt::format("{} rows, largest error {:.2g} of the terms' magnitudes, allowed (k/16 + 32) u = {:.2g}",
                    rows, worst, bound)};
}

}  // namespace

GemvShape gemv_shape_of(const Case& the_case) {
    const kernels::WeightFormat format = kernels::weight_format_from_string(the_case.text("format")).value();
    const bool int8 = the_case.is_auto("activations") ? kernels::meets_int8_activations(format)
                                                      : the_case.text("activations") == "int8";
    return {format, int8, static_cast<std::size_t>(the_case.integer("m")),
            static_cast<std::size_t>(the_case.integer("k"))};
}

std::string described_weights(const GemvShape& shape) {
    switch (shape.format) {
        case kernels::WeightFormat::int8:
            return "int8 with an f32 scale a row";
        case kernels::WeightFormat::int4:
            return "int4 with an f16 scale for each group of 32";
        case kernels::WeightFormat::int4_g128:
            return "int4 with an f16 scale for each group of 128";
        case kernels::WeightFormat::fp8:
            return "fp8 (E4M3) with an f32 scale a row";
        case kernels::WeightFormat::bf16:
            return "bf16";
        case kernels::WeightFormat::f32:
            return "f32";
    }
    return "";
}

std::vector<float> random_vector(std::size_t count, std::uint64_t seed) {
    Random random(seed, 77);
    std::vector<float> values(count);
    for (float& value : values) value = static_cast<float>(random.uniform(-1, 1));
    return values;
}

Check check_gemv(const GemvShape& shape, const std::byte* packed, std::span<const float> in,
                 std::span<const float> out, std::uint64_t seed) {
    Random random(seed, 13);
    std::vector<std::size_t> rows = {0, shape.rows - 1};
    for (std::size_t i = 0; i < checked_rows; ++i)
        rows.push_back(static_cast<std::size_t>(random.below(shape.rows)));
    double worst = worst_error(shape, packed, in, out, rows);
    const bool all_finite =
        std::all_of(out.begin(), out.end(), [](float value) { return std::isfinite(value); });
    if (!all_finite) worst = std::numeric_limits<double>::infinity();
    Check check = rounding_check("last timed product matches f64", worst, rows.size(), shape.columns);
    if (!all_finite) {
        check.error.reset();
        check.detail = "outputs were left unwritten or are not finite";
    }
    return check;
}

void measure_accuracy(const GemvShape& full, const MultiplyOnce& multiply, std::uint64_t seed,
                      Outcome& outcome) {
    const GemvShape shape{full.format, full.int8_activations, std::min(full.rows, accuracy_rows),
                          full.columns};
    Random random(seed, 99);
    std::vector<float> weights(shape.rows * shape.columns);
    for (float& weight : weights) weight = nearly_normal(random);
    const std::vector<float> in = random_vector(shape.columns, seed + 5);
    std::vector<std::byte> packed(shape.matrix_bytes());
    kernels::quantize_rows(shape.format, weights.data(), shape.rows, shape.columns, packed.data());
    std::vector<float> out(shape.rows, std::numeric_limits<float>::quiet_NaN());
    const std::vector<float> multiplied_by = multiply(shape, packed.data(), in, out);

    std::vector<std::size_t> rows(shape.rows);
    double difference = 0, norm = 0;
    for (std::size_t row = 0; row < shape.rows; ++row) {
        rows[row] = row;
        const double expected =
            kernels::reference::dot(std::span(weights).subspan(row * shape.columns, shape.columns), in).value;
        difference += (out[row] - expected) * (out[row] - expected);
        norm += expected * expected;
    }
    outcome.metrics.push_back(make_exact_metric(gemv_error_metric, std::sqrt(difference / norm)));
    outcome.checks.push_back(rounding_check("product of quantized weights matches f64",
                                            worst_error(shape, packed.data(), multiplied_by, out, rows),
                                            shape.rows, shape.columns));
}

}  // namespace assay
