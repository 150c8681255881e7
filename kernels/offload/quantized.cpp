#include "kernels/offload/quantized.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <string_view>

#include "kernels/cpu/quantized_kernels.h"
#include "kernels/offload/dot_product.h"

namespace assay::kernels {

namespace {

constexpr const char* program = "quantized";

std::size_t pieces(std::size_t count, std::size_t piece) {
    return (count + piece - 1) / piece;
}

bool has_nibbles(WeightFormat format) {
    return format == WeightFormat::int4 || format == WeightFormat::int4_g128;
}

bool has_row_scale(WeightFormat format) {
    return format == WeightFormat::int8 || format == WeightFormat::fp8;
}

/// Of a row, without its scales.
std::size_t value_bytes(WeightFormat format, std::size_t columns) {
    if (has_nibbles(format)) return columns / 2;
    return packed_row_bytes(format, columns) - (has_row_scale(format) ? sizeof(float) : 0);
}

/// As the programs know formats: int4's groups differ in nothing but `scale_columns`.
std::string_view kernel_format(WeightFormat format) {
    return has_nibbles(format) ? "int4" : to_string(format);
}

int format_number(WeightFormat format) {
    switch (format) {
        case WeightFormat::int8:
            return 0;
        case WeightFormat::int4:
        case WeightFormat::int4_g128:
            return 1;
        case WeightFormat::fp8:
            return 2;
        case WeightFormat::bf16:
            return 3;
        case WeightFormat::f32:
            return 4;
    }
    return 4;
}

bool is_cuda(const Accelerator& accelerator) {
    return accelerator.info().id.starts_with("cuda:");
}

std::string options_of(const OffloadedWeights& weights, std::size_t rows, std::size_t columns) {
    return "-DFORMAT=" + std::to_string(format_number(weights.format)) + " -DROWS=" + std::to_string(rows) +
           " -DCOLUMNS=" + std::to_string(columns) + (weights.int8_activations ? " -DINTEGERS" : "");
}

/// "int4_integers"
std::string cuda_suffix(const OffloadedWeights& weights) {
    return std::string(kernel_format(weights.format)) + (weights.int8_activations ? "_integers" : "");
}

std::uint32_t number(std::size_t value) {
    return static_cast<std::uint32_t>(value);
}

}  // namespace

void arrange_for_device(WeightFormat format, const std::byte* packed, std::size_t rows, std::size_t columns,
                        std::byte* to) {
    const std::size_t row_bytes = packed_row_bytes(format, columns), values = value_bytes(format, columns);
    const std::size_t groups = columns / group_columns;
    std::byte* scales = to + rows * values;
    for (std::size_t row = 0; row < rows; ++row) {
        const std::byte* from = packed + row * row_bytes;
        std::byte* row_values = to + row * values;
        if (has_nibbles(format)) {
            for (std::size_t group = 0; group < groups; ++group)
                for (std::size_t i = 0; i < int4_group_bytes; ++i)
                    row_values[group * int4_group_bytes + i] = from[int4_byte_position(group, i, groups)];
        } else {
            std::memcpy(row_values, from, values);
        }
        std::memcpy(scales + row * (row_bytes - values), from + values, row_bytes - values);
    }
}

std::vector<float> DeviceActivations::as_multiplied() const {
    const std::size_t share = values.size() / scales.size();
    std::vector<float> stand_for(values.size());
    for (std::size_t i = 0; i < values.size(); ++i)
        stand_for[i] = scales[i / share] * static_cast<float>(values[i]);
    return stand_for;
}

DeviceActivations quantize_for_device(const float* in, std::size_t count, std::size_t share) {
    DeviceActivations quantized;
    quantized.values.resize(count);
    for (std::size_t begin = 0; begin < count; begin += share) {
        float largest = 0;
        for (std::size_t i = begin; i < begin + share; ++i) largest = std::max(largest, std::abs(in[i]));
        const float scale = largest / 127;
        quantized.scales.push_back(scale);
        for (std::size_t i = begin; i < begin + share; ++i)
            quantized.values[i] =
                scale > 0
                    ? static_cast<std::int8_t>(std::clamp(std::nearbyint(in[i] / scale), -127.0f, 127.0f))
                    : std::int8_t{0};
    }
    return quantized;
}

std::size_t OffloadedWeights::bytes() const {
    const std::size_t scale_bytes = has_row_scale(format)
                                        ? sizeof(float) * (columns / scale_columns)
                                        : packed_row_bytes(format, columns) - value_bytes(format, columns);
    return rows * (value_bytes(format, columns) + scale_bytes);
}

OffloadedWeights offloaded_weights(WeightFormat format, bool int8_activations, std::size_t rows,
                                   std::size_t columns) {
    return {format, int8_activations, rows, columns,
            has_nibbles(format) ? columns_multiple(format) : columns};
}

std::vector<QuantizedForm> gemv_forms(const Accelerator& accelerator, const OffloadedWeights& weights) {
    std::vector<QuantizedForm> forms;
    if (is_cuda(accelerator)) {
        const std::string name = "gemv_" + cuda_suffix(weights);
        // Four warps a block. A warp a row has most rows in flight; two or four rows share loads of the
        // activations, which are f32 for fp8 and take the first-level cache four times as long as the
        // weights; a block a row keeps a card busy with few rows.
        return {{"a row a warp", name + "_one_row", {}, 4, 1, 0, 128, 1},
                {"two rows a warp", name + "_two_rows", {}, 8, 1, 0, 128, 1},
                {"four rows a warp", name + "_four_rows", {}, 16, 1, 0, 128, 1},
                {"a row a block", name + "_block_row", {}, 1, 1, 0, 128, 1}};
    }
    if (accelerator.is_card()) {
        for (const std::size_t items : {64u, 128u, 256u})
            forms.push_back({"a row to " + std::to_string(items) + " work-items", "gemv_by_groups",
                             options_of(weights, 1, 1), 1, 1, 0, items, 1});
        return forms;
    }
    // Enough rows for an item that handing it out costs little, enough items for all CPUs.
    const std::size_t items = 16 * static_cast<std::size_t>(std::max(1, accelerator.info().compute_units));
    for (const std::size_t rows : {1u, 2u, 4u}) {
        const std::size_t of_item = std::clamp<std::size_t>(pieces(weights.rows, items), 1, 64);
        const std::size_t whole = pieces(of_item, rows) * rows;
        forms.push_back({std::to_string(rows) + " rows at a time", "gemv_by_items",
                         options_of(weights, rows, 1), whole, 1, whole, 1, 1});
    }
    return forms;
}

std::vector<QuantizedForm> gemm_forms(const Accelerator& accelerator, const OffloadedWeights& weights) {
    if (is_cuda(accelerator))
        return {{"64 x 64 by blocks", "gemm_" + cuda_suffix(weights), {}, 64, 64, 0, 16, 16}};
    std::string options = options_of(weights, 4, 4);
    if (weights.int8_activations && has_dot_product(accelerator))
        options += " -DDOT_PRODUCT" + dot_product_options(accelerator);
    const QuantizedForm by_groups{"64 x 64 by groups", "gemm_by_groups", options, 64, 64, 0, 16, 16};
    if (accelerator.is_card()) return {by_groups};
    std::vector<QuantizedForm> forms;
    for (const auto& [rows, columns] : {std::pair<std::size_t, std::size_t>{4, 4}, {6, 2}, {2, 2}})
        forms.push_back({std::to_string(rows) + " x " + std::to_string(columns) + " by items",
                         "gemm_by_items", options_of(weights, rows, columns), rows, columns, 0, 1, 1});
    return forms;
}

void launch_gemv(Accelerator& accelerator, const QuantizedForm& form, const OffloadedWeights& weights,
                 const QuantizedOperands& operands) {
    const std::array<KernelArgument, 9> arguments = {operands.weights,
                                                     std::uint64_t{operands.at},
                                                     operands.activations,
                                                     operands.scales,
                                                     static_cast<const DeviceMemory*>(operands.out),
                                                     number(weights.rows),
                                                     number(weights.columns),
                                                     number(weights.scale_columns),
                                                     number(form.rows_of_item)};
    accelerator.queue().launch(accelerator.kernel(program, form.function, form.options),
                               {.groups_x = pieces(weights.rows, form.rows), .group_x = form.group_x},
                               arguments);
}

void launch_gemm(Accelerator& accelerator, const QuantizedForm& form, const OffloadedWeights& weights,
                 std::size_t m, const QuantizedOperands& operands) {
    const std::array<KernelArgument, 9> arguments = {operands.weights,
                                                     std::uint64_t{operands.at},
                                                     operands.activations,
                                                     operands.scales,
                                                     static_cast<const DeviceMemory*>(operands.out),
                                                     number(m),
                                                     number(weights.rows),
                                                     number(weights.columns),
                                                     number(weights.scale_columns)};
    const std::size_t row_tiles = pieces(m, form.rows), column_tiles = pieces(weights.rows, form.columns);
    const bool by_items = form.group_x == 1;
    accelerator.queue().launch(accelerator.kernel(program, form.function, form.options),
                               {.groups_x = by_items ? row_tiles : column_tiles,
                                .groups_y = by_items ? column_tiles : row_tiles,
                                .group_x = form.group_x,
                                .group_y = form.group_y},
                               arguments);
}

}  // namespace assay::kernels
