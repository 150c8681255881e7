#include "kernels/cuda/quantized_lt.h"

#include <array>
#include <optional>
#include <utility>

#include "kernels/cuda/cublas_lt_api.h"

namespace assay::cuda {

using kernels::OffloadedWeights;
using kernels::Precision;
using kernels::QuantizedOperands;
using kernels::WeightFormat;

namespace {

constexpr const char* program = "dequantized";
// As kernels/cuda/dequantized.cu has them.
constexpr std::size_t block_threads = 128;
constexpr std::size_t columns_of_block = block_threads * 8 * 4;
constexpr std::size_t quantizing_threads = 256;
constexpr std::size_t scaled_rows_of_block = 4, scaled_columns_of_block = block_threads * 4;

std::size_t pieces(std::size_t count, std::size_t piece) {
    return (count + piece - 1) / piece;
}

std::uint32_t number(std::size_t value) {
    return static_cast<std::uint32_t>(value);
}

bool is_int4(WeightFormat format) {
    return format == WeightFormat::int4 || format == WeightFormat::int4_g128;
}

std::string dequantizing_kernel(WeightFormat format) {
    return "dequantize_" + std::string(is_int4(format) ? "int4" : to_string(format));
}

Precision multiplied(const OffloadedWeights& weights) {
    return weights.int8_activations ? Precision::int8 : Precision::bf16;
}

bool to_be_dequantized(const OffloadedWeights& weights) {
    return multiplied(weights) == Precision::bf16 && weights.format != WeightFormat::bf16;
}

std::uint64_t dequantized_bytes(const OffloadedWeights& weights) {
    return std::uint64_t{weights.rows} * weights.columns * sizeof(std::uint16_t);
}

std::optional<std::string> obstacle(const OffloadedWeights& weights, const QuantizedOperands& operands) {
    const auto reason = [&](const char* what) {
        return std::string(to_string(weights.format)) + " weights " + what;
    };
    if (weights.format == WeightFormat::f32)
        return reason("are multiplied in f32, which no tensor core does");
    if (weights.scale_columns !=
        kernels::offloaded_weights(weights.format, weights.int8_activations, weights.rows, weights.columns)
            .scale_columns)
        return reason("with other scales than their format's are multiplied by own kernels alone");
    if (weights.format == WeightFormat::bf16 && operands.at != 0)
        return reason("must begin their memory, as cuBLASLt takes them");
    if (weights.int8_activations && weights.format != WeightFormat::int8)
        return reason("and int8 activations have no common type on tensor cores");
    if (weights.int8_activations && weights.rows % 4 != 0)
        return reason("of ") + std::to_string(weights.rows) +
               " rows: cuBLASLt multiplies int8 where these are a multiple of 4";
    return std::nullopt;
}

/// Queued: int32 sums [m × rows] become f32 where they lie.
void scale_sums(Accelerator& card, const OffloadedWeights& weights, std::size_t m,
                const QuantizedOperands& operands) {
    const std::array<KernelArgument, 6> arguments = {
        operands.weights, std::uint64_t{operands.at + weights.rows * weights.columns},
        operands.scales,  static_cast<const DeviceMemory*>(operands.out),
        number(m),        number(weights.rows)};
    card.queue().launch(card.kernel(program, "scale_sums"),
                        {.groups_x = pieces(m, scaled_rows_of_block),
                         .groups_y = pieces(weights.rows, scaled_columns_of_block),
                         .group_x = block_threads},
                        arguments);
}

}  // namespace

void quantize_activations(Accelerator& card, std::size_t m, std::size_t columns, const DeviceMemory& from,
                          DeviceMemory& values, DeviceMemory& scales) {
    const std::array<KernelArgument, 4> arguments = {&from, static_cast<const DeviceMemory*>(&values),
                                                     static_cast<const DeviceMemory*>(&scales),
                                                     number(columns)};
    card.queue().launch(card.kernel(program, "quantize_activations"),
                        {.groups_x = m, .group_x = quantizing_threads}, arguments);
}

void dequantize(Accelerator& card, const OffloadedWeights& weights, const QuantizedOperands& operands,
                DeviceMemory& to) {
    const std::array<KernelArgument, 6> arguments = {
        operands.weights,     std::uint64_t{operands.at}, static_cast<const DeviceMemory*>(&to),
        number(weights.rows), number(weights.columns),    number(weights.scale_columns)};
    card.queue().launch(card.kernel(program, dequantizing_kernel(weights.format)),
                        {.groups_x = weights.rows,
                         .groups_y = pieces(weights.columns, columns_of_block),
                         .group_x = block_threads},
                        arguments);
}

std::uint64_t quantized_lt_bytes(const OffloadedWeights& weights) {
    return lt_workspace_bytes + (to_be_dequantized(weights) ? dequantized_bytes(weights) : 0);
}

QuantizedLtProduct::QuantizedLtProduct(Accelerator& card, const OffloadedWeights& weights, std::size_t m,
                                       const QuantizedOperands& operands)
    : card_(card), weights_(weights), m_(m), operands_(operands) {
    if (to_be_dequantized(weights)) dequantized_ = card.allocate(dequantized_bytes(weights), false);
}

Precision QuantizedLtProduct::precision() const {
    return multiplied(weights_);
}

std::variant<std::unique_ptr<QuantizedLtProduct>, Absent> QuantizedLtProduct::prepare(
    Accelerator& card, const OffloadedWeights& weights, std::size_t m, const QuantizedOperands& operands) {
    if (const std::optional<std::string> reason = obstacle(weights, operands)) return Absent{*reason};
    const Precision precision = multiplied(weights);
    // Before anything is allocated for a product that there will not be.
    if (const std::optional<std::string> reason = lt_obstacle(card.info(), precision)) return Absent{*reason};
    const std::variant<const lt::Api*, Absent> api = lt::api(card.info());
    if (const Absent* absent = std::get_if<Absent>(&api)) return *absent;
    std::unique_ptr<QuantizedLtProduct> made(new QuantizedLtProduct(card, weights, m, operands));
    // Algorithms are tried on the real numbers: power, and with it the clock, depends on them.
    if (made->dequantizes()) dequantize(card, weights, operands, *made->dequantized_);
    std::variant<std::unique_ptr<LtProduct>, Absent> product =
        LtProduct::prepare(card, precision, precision == Precision::int8 ? Precision::int8 : Precision::f32,
                           m, weights.rows, weights.columns, *operands.activations,
                           made->dequantizes() ? *made->dequantized_ : *operands.weights, *operands.out);
    if (Absent* absent = std::get_if<Absent>(&product)) return *absent;
    made->product_ = std::move(std::get<0>(product));
    return made;
}

void QuantizedLtProduct::poison() {
    if (dequantizes()) card_.queue().fill(*dequantized_, 0, dequantized_->bytes(), 0xff);
}

void QuantizedLtProduct::enqueue() {
    if (dequantizes()) dequantize(card_, weights_, operands_, *dequantized_);
    product_->enqueue();
    if (precision() == Precision::int8) scale_sums(card_, weights_, m_, operands_);
}

}  // namespace assay::cuda
