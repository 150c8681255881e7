#include "kernels/cpu/quantized.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <string>
#include <utility>

#include "kernels/cpu/fp8.h"
#include "kernels/cpu/half.h"
#include "kernels/cpu/quantized_kernels.h"
#include "kernels/matrix/bfloat16.h"

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

/// weight / scale rounded to the nearest integer of [low, high]; 0 where the scale vanished or is NaN. A
/// division, since the reciprocal of a subnormal scale is infinite.
int quantize(float weight, float scale, int low, int high) {
    if (!(std::abs(scale) > 0)) return 0;  // NaN, too
    const float quotient = weight / scale;
    return static_cast<int>(
        std::nearbyint(std::clamp(quotient, static_cast<float>(low), static_cast<float>(high))));
}

bool all_finite(const float* values, std::size_t count) {
    return std::all_of(values, values + count, [](float value) { return std::isfinite(value); });
}

float largest_magnitude(const float* values, std::size_t count) {
    float largest = 0;
    for (std::size_t i = 0; i < count; ++i) largest = std::max(largest, std::abs(values[i]));
    return largest;
}

constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN();

/// The scale that puts the largest magnitude on `end`; NaN where a value is not finite.
float scale_to(const float* values, std::size_t count, float end) {
    if (!all_finite(values, count)) return not_a_number;
    float scale = largest_magnitude(values, count) / end;
    // Near the end of f32's range the quotient may have been rounded up, and `end` of it be infinite.
    if (!std::isfinite(scale * end)) scale = std::nextafter(scale, 0.0f);
    return scale;
}

void quantize_row_int8(const float* weights, std::size_t columns, std::byte* packed) {
    const float scale = scale_to(weights, columns, 127);
    for (std::size_t column = 0; column < columns; ++column)
        packed[column] = static_cast<std::byte>(quantize(weights[column], scale, -127, 127));
    std::memcpy(packed + columns, &scale, sizeof scale);
}

/// The scale puts the weight of largest magnitude on -8, the end of the range that has no opposite: so all 16
/// values are used.
std::uint16_t int4_scale(const float* values, std::size_t count) {
    if (!all_finite(values, count)) return float_to_half(not_a_number);
    float extreme = 0;
    for (std::size_t i = 0; i < count; ++i)
        if (std::abs(values[i]) > std::abs(extreme)) extreme = values[i];
    // Beyond f16's range weights saturate instead of becoming infinite.
    return float_to_half(std::clamp(extreme / -8, -65504.0f, 65504.0f));
}

/// `scale_groups` groups of 32 columns share a scale.
void quantize_row_int4(const float* weights, std::size_t columns, std::size_t scale_groups,
                       std::byte* packed) {
    const std::size_t groups = columns / group_columns;
    std::byte* scales = packed + groups * int4_group_bytes;
    std::uint16_t half = 0;
    for (std::size_t group = 0; group < groups; ++group) {
        const float* values = weights + group * group_columns;
        if (group % scale_groups == 0) {
            half = int4_scale(values, scale_groups * group_columns);
            std::memcpy(scales + group / scale_groups * sizeof half, &half, sizeof half);
        }
        const float scale = half_to_float(half);
        for (std::size_t i = 0; i < int4_group_bytes; ++i) {
            const int low = quantize(values[i], scale, -8, 7);
            const int high = quantize(values[i + int4_group_bytes], scale, -8, 7);
            packed[int4_byte_position(group, i, groups)] =
                static_cast<std::byte>((low & 15) | ((high & 15) << 4));
        }
    }
}

void quantize_row_fp8(const float* weights, std::size_t columns, std::byte* packed) {
    const float scale = scale_to(weights, columns, largest_fp8);
    for (std::size_t column = 0; column < columns; ++column)
        packed[column] = static_cast<std::byte>(std::abs(scale) > 0 ? float_to_fp8(weights[column] / scale)
                                                                    : std::uint8_t{0});
    std::memcpy(packed + columns, &scale, sizeof scale);
}

void store_row_bf16(const float* weights, std::size_t columns, std::byte* packed) {
    for (std::size_t column = 0; column < columns; ++column) {
        const std::uint16_t bits = float_to_bfloat16(weights[column]);
        std::memcpy(packed + column * sizeof bits, &bits, sizeof bits);
    }
}

void dequantize_row_int8(const std::byte* packed, std::size_t columns, float* weights) {
    const float scale = load_float(packed + columns);
    for (std::size_t column = 0; column < columns; ++column)
        weights[column] = scale * static_cast<float>(static_cast<std::int8_t>(packed[column]));
}

void dequantize_row_int4(const std::byte* packed, std::size_t columns, std::size_t scale_groups,
                         float* weights) {
    const std::size_t groups = columns / group_columns;
    const std::byte* scales = packed + groups * int4_group_bytes;
    for (std::size_t group = 0; group < groups; ++group) {
        const float scale = load_half(scales + group / scale_groups * sizeof(std::uint16_t));
        for (std::size_t i = 0; i < int4_group_bytes; ++i) {
            const std::byte pair = packed[int4_byte_position(group, i, groups)];
            float* at = weights + group * group_columns + i;
            at[0] = scale * static_cast<float>(low_nibble(pair));
            at[int4_group_bytes] = scale * static_cast<float>(high_nibble(pair));
        }
    }
}

void dequantize_row_fp8(const std::byte* packed, std::size_t columns, float* weights) {
    const float scale = load_float(packed + columns);
    for (std::size_t column = 0; column < columns; ++column)
        weights[column] = scale * fp8_to_float(static_cast<std::uint8_t>(packed[column]));
}

void load_row_bf16(const std::byte* packed, std::size_t columns, float* weights) {
    for (std::size_t column = 0; column < columns; ++column) {
        std::uint16_t bits = 0;
        std::memcpy(&bits, packed + column * sizeof bits, sizeof bits);
        weights[column] = bfloat16_to_float(bits);
    }
}

constexpr std::array<std::pair<WeightFormat, std::string_view>, 6> format_names = {
    {{WeightFormat::int8, "int8"},
     {WeightFormat::int4, "int4"},
     {WeightFormat::int4_g128, "int4_g128"},
     {WeightFormat::fp8, "fp8"},
     {WeightFormat::bf16, "bf16"},
     {WeightFormat::f32, "f32"}}};

constexpr std::size_t groups_of_128 = 4;

}  // namespace

std::string_view to_string(WeightFormat format) {
    for (const auto& [value, name] : format_names)
        if (value == format) return name;
    return "unknown";
}

std::optional<WeightFormat> weight_format_from_string(std::string_view name) {
    for (const auto& [value, known] : format_names)
        if (known == name) return value;
    return std::nullopt;
}

std::size_t columns_multiple(WeightFormat format) {
    return format == WeightFormat::int4_g128 ? groups_of_128 * group_columns : group_columns;
}

std::size_t packed_row_bytes(WeightFormat format, std::size_t columns) {
    if (columns == 0 || columns % columns_multiple(format) != 0)
        throw std::invalid_argument("a packed row of " + std::to_string(columns) +
                                    " columns: a positive multiple of " +
                                    std::to_string(columns_multiple(format)) + " would be accepted");
    switch (format) {
        case WeightFormat::int8:
        case WeightFormat::fp8:
            return columns + sizeof(float);
        case WeightFormat::int4:
        case WeightFormat::int4_g128:
            return columns / 2 + columns / columns_multiple(format) * sizeof(std::uint16_t);
        case WeightFormat::bf16:
            return columns * sizeof(std::uint16_t);
        case WeightFormat::f32:
            return columns * sizeof(float);
    }
    return 0;
}

void quantize_rows(WeightFormat format, const float* weights, std::size_t rows, std::size_t columns,
                   std::byte* packed) {
    const std::size_t row_bytes = packed_row_bytes(format, columns);
    for (std::size_t row = 0; row < rows; ++row) {
        const float* from = weights + row * columns;
        std::byte* to = packed + row * row_bytes;
        switch (format) {
            case WeightFormat::int8:
                quantize_row_int8(from, columns, to);
                break;
            case WeightFormat::int4:
                quantize_row_int4(from, columns, 1, to);
                break;
            case WeightFormat::int4_g128:
                quantize_row_int4(from, columns, groups_of_128, to);
                break;
            case WeightFormat::fp8:
                quantize_row_fp8(from, columns, to);
                break;
            case WeightFormat::bf16:
                store_row_bf16(from, columns, to);
                break;
            case WeightFormat::f32:
                std::memcpy(to, from, row_bytes);
                break;
        }
    }
}

void dequantize_rows(WeightFormat format, const std::byte* packed, std::size_t rows, std::size_t columns,
                     float* weights) {
    const std::size_t row_bytes = packed_row_bytes(format, columns);
    for (std::size_t row = 0; row < rows; ++row) {
        const std::byte* from = packed + row * row_bytes;
        float* to = weights + row * columns;
        switch (format) {
            case WeightFormat::int8:
                dequantize_row_int8(from, columns, to);
                break;
            case WeightFormat::int4:
                dequantize_row_int4(from, columns, 1, to);
                break;
            case WeightFormat::int4_g128:
                dequantize_row_int4(from, columns, groups_of_128, to);
                break;
            case WeightFormat::fp8:
                dequantize_row_fp8(from, columns, to);
                break;
            case WeightFormat::bf16:
                load_row_bf16(from, columns, to);
                break;
            case WeightFormat::f32:
                std::memcpy(to, from, row_bytes);
                break;
        }
    }
}

namespace {

const GemvTable& table_of(Isa isa) {
#if defined(__x86_64__)
    if (isa == Isa::avx512 || isa == Isa::amx) return avx512::gemv_table;
    if (isa == Isa::avx2) return avx2::gemv_table;
#elif defined(__aarch64__)
    if (isa == Isa::neon) return neon::gemv_table;
#endif
    if (isa != Isa::portable)
        throw std::invalid_argument("gemv: " + std::string(to_string(isa)) + " is not built for this CPU");
    return portable::gemv_table;
}

/// Of products with int8 activations.
const GemvTable& integers_table_of(Isa isa) {
#if defined(__x86_64__)
    const bool has_512_bits = isa == Isa::avx512 || isa == Isa::amx;
    if (has_512_bits && cpu_features().avx512_vnni) return avx512_vnni::gemv_table;
    if (has_512_bits || isa == Isa::avx2) return avx2::integers_table;
#endif
    return table_of(isa);
}

GemvTable::WithFloats with_floats(const GemvTable& table, WeightFormat format) {
    switch (format) {
        case WeightFormat::int8:
            return table.int8;
        case WeightFormat::int4:
            return table.int4;
        case WeightFormat::int4_g128:
            return table.int4_g128;
        case WeightFormat::fp8:
            return table.fp8;
        case WeightFormat::bf16:
            return table.bf16;
        case WeightFormat::f32:
            return table.f32;
    }
    return nullptr;
}

GemvTable::WithIntegers with_integers(const GemvTable& table, WeightFormat format) {
    switch (format) {
        case WeightFormat::int8:
            return table.int8_integers;
        case WeightFormat::int4:
            return table.int4_integers;
        case WeightFormat::int4_g128:
            return table.int4_g128_integers;
        default:
            throw std::invalid_argument(std::string(to_string(format)) + " weights meet no int8 activations");
    }
}

}  // namespace

void gemv(Isa isa, WeightFormat format, const std::byte* packed, std::size_t columns, const float* in,
          float* out, std::size_t row_begin, std::size_t row_end) {
    if (row_begin >= row_end) return;
    with_floats(table_of(isa), format)(packed, columns, in, out, row_begin, row_end);
}

void gemv_int8_activations(Isa isa, WeightFormat format, const std::byte* packed, std::size_t columns,
                           const std::byte* activations, float* out, std::size_t row_begin,
                           std::size_t row_end) {
    if (row_begin >= row_end) return;
    with_integers(integers_table_of(isa), format)(packed, columns, activations, out, row_begin, row_end);
}

}  // namespace assay::kernels
