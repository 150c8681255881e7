#include "kernels/cpu/quantized.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <stdexcept>
#include <string>

#include "kernels/cpu/half.h"
#include "kernels/cpu/quantized_kernels.h"

namespace assay::kernels {

static_assert(std::endian::native == std::endian::little, "packed rows are little-endian");

namespace {

float load_float(const std::byte* from) {
    float value = 0;
    std::memcpy(&value, from, sizeof value);
    return value;
}

float load_half(const std::byte* from) {
    std::uint16_t value = 0;
    std::memcpy(&value, from, sizeof value);
    return half_to_float(value);
}

int low_nibble(std::byte pair) {
    return ((static_cast<int>(pair) & 15) ^ 8) - 8;
}

int high_nibble(std::byte pair) {
    return static_cast<std::int8_t>(pair) >> 4;
}

/// weight / scale rounded to the nearest integer of [low, high]; 0 where the scale vanished. A division,
/// since the reciprocal of a subnormal scale is infinite.
int quantize(float weight, float scale, int low, int high) {
    if (scale == 0) return 0;
    const float quotient = weight / scale;
    return static_cast<int>(
        std::nearbyint(std::clamp(quotient, static_cast<float>(low), static_cast<float>(high))));
}

void quantize_row_int8(const float* weights, std::size_t columns, std::byte* packed) {
    float largest = 0;
    for (std::size_t column = 0; column < columns; ++column)
        largest = std::max(largest, std::abs(weights[column]));
    float scale = largest / 127;
    // Near the end of f32's range the quotient may have been rounded up, and 127 of it be infinite.
    if (!std::isfinite(scale * 127)) scale = std::nextafter(scale, 0.0f);
    for (std::size_t column = 0; column < columns; ++column)
        packed[column] = static_cast<std::byte>(quantize(weights[column], scale, -127, 127));
    std::memcpy(packed + columns, &scale, sizeof scale);
}

/// The scale puts the weight of largest magnitude on -8, the end of the range that has no opposite: so all 16
/// values are used.
void quantize_row_int4(const float* weights, std::size_t columns, std::byte* packed) {
    const std::size_t groups = columns / group_columns;
    std::byte* scales = packed + groups * int4_group_bytes;
    for (std::size_t group = 0; group < groups; ++group) {
        const float* values = weights + group * group_columns;
        float extreme = 0;
        for (std::size_t i = 0; i < group_columns; ++i)
            if (std::abs(values[i]) > std::abs(extreme)) extreme = values[i];
        // Beyond f16's range weights saturate instead of becoming infinite.
        const std::uint16_t half = float_to_half(std::clamp(extreme / -8, -65504.0f, 65504.0f));
        const float scale = half_to_float(half);
        for (std::size_t i = 0; i < int4_group_bytes; ++i) {
            const int low = quantize(values[i], scale, -8, 7);
            const int high = quantize(values[i + int4_group_bytes], scale, -8, 7);
            packed[int4_byte_position(group, i, groups)] =
                static_cast<std::byte>((low & 15) | ((high & 15) << 4));
        }
        std::memcpy(scales + group * sizeof half, &half, sizeof half);
    }
}

void dequantize_row_int8(const std::byte* packed, std::size_t columns, float* weights) {
    const float scale = load_float(packed + columns);
    for (std::size_t column = 0; column < columns; ++column)
        weights[column] = scale * static_cast<float>(static_cast<std::int8_t>(packed[column]));
}

void dequantize_row_int4(const std::byte* packed, std::size_t columns, float* weights) {
    const std::size_t groups = columns / group_columns;
    const std::byte* scales = packed + groups * int4_group_bytes;
    for (std::size_t group = 0; group < groups; ++group) {
        const float scale = load_half(scales + group * sizeof(std::uint16_t));
        for (std::size_t i = 0; i < int4_group_bytes; ++i) {
            const std::byte pair = packed[int4_byte_position(group, i, groups)];
            float* at = weights + group * group_columns + i;
            at[0] = scale * static_cast<float>(low_nibble(pair));
            at[int4_group_bytes] = scale * static_cast<float>(high_nibble(pair));
        }
    }
}

}  // namespace

std::string_view to_string(WeightFormat format) {
    return format == WeightFormat::int8 ? "int8" : "int4";
}

std::size_t packed_row_bytes(WeightFormat format, std::size_t columns) {
    if (columns == 0 || columns % group_columns != 0)
        throw std::invalid_argument("a packed row of " + std::to_string(columns) +
                                    " columns: a positive multiple of 32 would be accepted");
    if (format == WeightFormat::int8) return columns + sizeof(float);
    return columns / group_columns * (int4_group_bytes + sizeof(std::uint16_t));
}

void quantize_rows(WeightFormat format, const float* weights, std::size_t rows, std::size_t columns,
                   std::byte* packed) {
    const std::size_t row_bytes = packed_row_bytes(format, columns);
    for (std::size_t row = 0; row < rows; ++row) {
        const float* from = weights + row * columns;
        std::byte* to = packed + row * row_bytes;
        format == WeightFormat::int8 ? quantize_row_int8(from, columns, to)
                                     : quantize_row_int4(from, columns, to);
    }
}

void dequantize_rows(WeightFormat format, const std::byte* packed, std::size_t rows, std::size_t columns,
                     float* weights) {
    const std::size_t row_bytes = packed_row_bytes(format, columns);
    for (std::size_t row = 0; row < rows; ++row) {
        const std::byte* from = packed + row * row_bytes;
        float* to = weights + row * columns;
        format == WeightFormat::int8 ? dequantize_row_int8(from, columns, to)
                                     : dequantize_row_int4(from, columns, to);
    }
}

namespace portable {

// Sixteen sums side by side: no order is imposed that a vectorizing compiler could not keep.
constexpr std::size_t lanes = 16;

float sum_of(const float (&sums)[lanes]) {
    float total = 0;
    for (const float sum : sums) total += sum;
    return total;
}

void gemv_int8(const std::byte* packed, std::size_t columns, const float* in, float* out,
               std::size_t row_begin, std::size_t row_end) {
    const std::size_t row_bytes = columns + sizeof(float);
    for (std::size_t row = row_begin; row < row_end; ++row) {
        const std::byte* weights = packed + row * row_bytes;
        float sums[lanes] = {};
        for (std::size_t column = 0; column < columns; column += lanes)
            for (std::size_t lane = 0; lane < lanes; ++lane)
                sums[lane] +=
                    static_cast<float>(static_cast<std::int8_t>(weights[column + lane])) * in[column + lane];
        out[row] = sum_of(sums) * load_float(weights + columns);
    }
}

void gemv_int4(const std::byte* packed, std::size_t columns, const float* in, float* out,
               std::size_t row_begin, std::size_t row_end) {
    const std::size_t groups = columns / group_columns;
    const std::size_t row_bytes = groups * (int4_group_bytes + sizeof(std::uint16_t));
    for (std::size_t row = row_begin; row < row_end; ++row) {
        const std::byte* weights = packed + row * row_bytes;
        const std::byte* scales = weights + groups * int4_group_bytes;
        float sums[lanes] = {};
        for (std::size_t group = 0; group < groups; ++group) {
            const float scale = load_half(scales + group * sizeof(std::uint16_t));
            const bool interleaved = group < groups / interleaved_groups * interleaved_groups;
            const float* values = in + group * group_columns;
            // The group's bytes side by side first: the products below then vectorize.
            std::int8_t pairs[lanes];
            if (interleaved) {
                std::uint32_t words[lanes];
                std::memcpy(words, weights + group / interleaved_groups * interleaved_bytes, sizeof words);
                const std::size_t shift = group % interleaved_groups * 8;
                for (std::size_t lane = 0; lane < lanes; ++lane)
                    pairs[lane] = static_cast<std::int8_t>(words[lane] >> shift);
            } else {
                std::memcpy(pairs, weights + group * int4_group_bytes, sizeof pairs);
            }
            for (std::size_t lane = 0; lane < lanes; ++lane) {
                const int pair = pairs[lane];
                const float low =
                    static_cast<float>(static_cast<int>(static_cast<unsigned>(pair) << 28) >> 28);
                const float high = static_cast<float>(pair >> 4);
                sums[lane] += scale * (low * values[lane] + high * values[lane + lanes]);
            }
        }
        out[row] = sum_of(sums);
    }
}

}  // namespace portable

void gemv(Isa isa, WeightFormat format, const std::byte* packed, std::size_t columns, const float* in,
          float* out, std::size_t row_begin, std::size_t row_end) {
    if (row_begin >= row_end) return;
    const bool int8 = format == WeightFormat::int8;
#if defined(__x86_64__)
    switch (isa) {
        case Isa::avx512:
        case Isa::amx:
            return int8 ? avx512::gemv_int8(packed, columns, in, out, row_begin, row_end)
                        : avx512::gemv_int4(packed, columns, in, out, row_begin, row_end);
        case Isa::avx2:
            return int8 ? avx2::gemv_int8(packed, columns, in, out, row_begin, row_end)
                        : avx2::gemv_int4(packed, columns, in, out, row_begin, row_end);
        case Isa::portable:
        case Isa::neon:
            break;
    }
#else
    if (isa != Isa::portable)
        throw std::invalid_argument("gemv: " + std::string(to_string(isa)) + " is not built for this CPU");
#endif
    int8 ? portable::gemv_int8(packed, columns, in, out, row_begin, row_end)
         : portable::gemv_int4(packed, columns, in, out, row_begin, row_end);
}

}  // namespace assay::kernels
