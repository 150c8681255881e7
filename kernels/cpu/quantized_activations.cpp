#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <string>

#include "kernels/cpu/quantized.h"
#include "kernels/cpu/quantized_kernels.h"

namespace assay::kernels {

namespace {

constexpr std::size_t int8_block_columns = 64;
constexpr std::size_t int4_block_columns = interleaved_groups * group_columns;

std::size_t block_columns(WeightFormat format) {
    if (!meets_int8_activations(format))
        throw std::invalid_argument(std::string(to_string(format)) + " weights meet no int8 activations");
    return format == WeightFormat::int8 ? int8_block_columns : int4_block_columns;
}

std::size_t block_bytes(WeightFormat format) {
    return format == WeightFormat::int8 ? sizeof(Int8Activations) : sizeof(Int4Activations);
}

/// 32 activations as integers; returns their scale. What is not finite makes the scale NaN, and so the
/// result.
float quantize_group(const float* in, std::int8_t (&out)[group_columns]) {
    float largest = 0;
    bool finite = true;
    for (std::size_t i = 0; i < group_columns; ++i) {
        const float magnitude = std::abs(in[i]);
        finite = finite && magnitude <= std::numeric_limits<float>::max();
        largest = std::max(largest, magnitude);
    }
    // A subnormal scale has no finite reciprocal; what it would stand for is nothing beside any other
    // product.
    const float scale = largest / 127;
    const float inverse = scale >= std::numeric_limits<float>::min() && finite ? 1 / scale : 0;
    for (std::size_t i = 0; i < group_columns; ++i) {
        // Adding and taking off 1.5 × 2^23 rounds to the nearest integer, and vectorizes.
        const float rounded = (in[i] * inverse + 0x1.8p23f) - 0x1.8p23f;
        out[i] = inverse == 0 ? std::int8_t{0} : static_cast<std::int8_t>(rounded);
    }
    if (!finite) return std::numeric_limits<float>::quiet_NaN();
    return inverse == 0 ? 0.0f : scale;
}

void quantize_int8_block(const float* in, std::size_t groups, Int8Activations& block) {
    block = {};
    for (std::size_t group = 0; group < groups; ++group) {
        std::int8_t values[group_columns];
        const float scale = quantize_group(in + group * group_columns, values);
        std::memcpy(block.values + group * group_columns, values, sizeof values);
        block.scales[group] = scale;
    }
}

void quantize_int4_block(const float* in, std::size_t groups, Int4Activations& block) {
    block = {};
    for (std::size_t group = 0; group < groups; ++group) {
        std::int8_t values[group_columns];
        block.scales[group] = quantize_group(in + group * group_columns, values);
        for (std::size_t l = 0; l < 4; ++l) {
            const std::size_t lane = 4 * l + group;
            int sum = 0;
            for (std::size_t i = 0; i < 4; ++i) {
                block.low[4 * lane + i] = values[4 * l + i];
                block.high[4 * lane + i] = values[16 + 4 * l + i];
                sum += values[4 * l + i] + values[16 + 4 * l + i];
            }
            block.starts[lane] = static_cast<std::int16_t>(-8 * sum);
        }
    }
}

}  // namespace

bool meets_int8_activations(WeightFormat format) {
    return format == WeightFormat::int8 || format == WeightFormat::int4 || format == WeightFormat::int4_g128;
}

std::size_t activation_bytes(WeightFormat format, std::size_t columns) {
    const std::size_t block = block_columns(format);
    return (columns + block - 1) / block * block_bytes(format);
}

void quantize_activations(WeightFormat format, const float* in, std::size_t columns, std::byte* activations) {
    const std::size_t block = block_columns(format);
    for (std::size_t column = 0; column < columns; column += block, activations += block_bytes(format)) {
        const std::size_t groups = std::min(block, columns - column) / group_columns;
        if (format == WeightFormat::int8)
            quantize_int8_block(in + column, groups, *reinterpret_cast<Int8Activations*>(activations));
        else
            quantize_int4_block(in + column, groups, *reinterpret_cast<Int4Activations*>(activations));
    }
}

void dequantize_activations(WeightFormat format, const std::byte* activations, std::size_t columns,
                            float* in) {
    const std::size_t block = block_columns(format);
    for (std::size_t column = 0; column < columns; ++column) {
        const std::byte* at = activations + column / block * block_bytes(format);
        const std::size_t inside = column % block;
        if (format == WeightFormat::int8) {
            const Int8Activations& ours = *reinterpret_cast<const Int8Activations*>(at);
            in[column] = static_cast<float>(ours.values[inside]) * ours.scales[inside / group_columns];
            continue;
        }
        const Int4Activations& ours = *reinterpret_cast<const Int4Activations*>(at);
        const std::size_t group = inside / group_columns, i = inside % group_columns;
        const std::size_t lane = 4 * (i % 16 / 4) + group;
        in[column] =
            static_cast<float>((i < 16 ? ours.low : ours.high)[4 * lane + i % 4]) * ours.scales[group];
    }
}

}  // namespace assay::kernels
