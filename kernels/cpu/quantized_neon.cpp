// Compiled for AArch64 with the dot product (Armv8.2): includes nothing whose inline functions other units
// share, lest the linker keep this unit's copy for a CPU without it.
#include <arm_neon.h>

#include "kernels/cpu/quantized_kernels.h"

namespace assay::kernels::neon {

namespace {

float half_at(const std::byte* at) {
    __fp16 half = 0;
    __builtin_memcpy(&half, at, sizeof half);
    return static_cast<float>(half);
}

#include "kernels/cpu/neon_tables_body.h"
#include "kernels/cpu/quantized_body.h"
#include "kernels/cpu/quantized_streams_body.h"

// How far ahead of the products each stream's packed bytes are asked for: not measured on AArch64.
constexpr std::size_t ahead_bytes = 2048;

void prefetch(const std::byte* from) {
    __builtin_prefetch(from + ahead_bytes);
}

int8x16_t load_signed(const void* from) {
    return vld1q_s8(static_cast<const signed char*>(from));
}

// Formats, 16 columns at a time.

struct Int8 {
    static constexpr std::size_t bytes = 1, scale_bytes = 4;
    void values(const std::byte* from, float32x4_t (&to)[4]) {
        // A byte made unsigned, as the last of 2^23 in f32, is 2^23 and 128 too large, exactly.
        const unsigned char places[4][16] = {
            {0, none, none, 16, 1, none, none, 16, 2, none, none, 16, 3, none, none, 16},
            {4, none, none, 16, 5, none, none, 16, 6, none, none, 16, 7, none, none, 16},
            {8, none, none, 16, 9, none, none, 16, 10, none, none, 16, 11, none, none, 16},
            {12, none, none, 16, 13, none, none, 16, 14, none, none, 16, 15, none, none, 16}};
        look_up(veorq_u8(load_bytes(from), vdupq_n_u8(0x80)), vdupq_n_u8(0x4b), places, to);
#pragma GCC unroll 4
        for (int i = 0; i < 4; ++i) to[i] = vsubq_f32(to[i], vdupq_n_f32(0x1p23f + 128));
    }
    float scale(const std::byte* row_end) const {
        return body::float_at(row_end);
    }
};

struct Fp8 {
    static constexpr std::size_t bytes = 1, scale_bytes = 4;
    uint8x16_t doubled = vdupq_n_u8(0);  ///< greatest so far of the bytes without their signs, doubled
    void values(const std::byte* from, float32x4_t (&to)[4]) {
        // As f16 of the same three bits and an exponent that is 2^8 too small, which has room for subnormals.
        // Shifted as signed bytes, the sign comes to stand at the top, and once more below it.
        const int8x16_t signed_bytes = load_signed(from);
        doubled = vmaxq_u8(doubled, vshlq_n_u8(vreinterpretq_u8_s8(signed_bytes), 1));
        const uint16x8_t sign_twice = vdupq_n_u16(0x4000);
        const float16x8_t low = vreinterpretq_f16_u16(
            vbicq_u16(vreinterpretq_u16_s16(vshll_n_s8(vget_low_s8(signed_bytes), 7)), sign_twice));
        const float16x8_t high = vreinterpretq_f16_u16(
            vbicq_u16(vreinterpretq_u16_s16(vshll_high_n_s8(signed_bytes, 7)), sign_twice));
        to[0] = vcvt_f32_f16(vget_low_f16(low));
        to[1] = vcvt_high_f32_f16(low);
        to[2] = vcvt_f32_f16(vget_low_f16(high));
        to[3] = vcvt_high_f32_f16(high);
    }
    /// 0x7f and 0xff, which would be 480, are NaN, and with one every sum.
    float scale(const std::byte* row_end) const {
        return vmaxvq_u8(doubled) == 0xfe ? __builtin_nanf("") : body::float_at(row_end) * 256;
    }
};

struct Bf16 {
    static constexpr std::size_t bytes = 2, scale_bytes = 0;
    void values(const std::byte* from, float32x4_t (&to)[4]) {
#pragma GCC unroll 2
        for (int i = 0; i < 2; ++i) {
            const uint16x8_t halves = vreinterpretq_u16_u8(load_bytes(from + 16 * i));
            to[2 * i] = vreinterpretq_f32_u16(vzip1q_u16(vdupq_n_u16(0), halves));
            to[2 * i + 1] = vreinterpretq_f32_u16(vzip2q_u16(vdupq_n_u16(0), halves));
        }
    }
    float scale(const std::byte*) const {
        return 1;
    }
};

struct F32 {
    static constexpr std::size_t bytes = 4, scale_bytes = 0;
    void values(const std::byte* from, float32x4_t (&to)[4]) {
#pragma GCC unroll 4
        for (int i = 0; i < 4; ++i) to[i] = vreinterpretq_f32_u8(load_bytes(from + 16 * i));
    }
    float scale(const std::byte*) const {
        return 1;
    }
};

/// Products of `rows` rows side by side, `row_step` rows apart, which share each activation that is loaded.
/// Each row's sums are made in the same order whatever `rows` is.
template <typename Format, std::size_t rows>
void dots(const std::byte* packed, std::size_t row_step, std::size_t columns, const float* in, float* out) {
    const std::size_t step_bytes = row_step * (columns * Format::bytes + Format::scale_bytes);
    Format formats[rows];
    float32x4_t sums[rows][2];
#pragma GCC unroll 4
    for (std::size_t row = 0; row < rows; ++row) sums[row][0] = sums[row][1] = vdupq_n_f32(0);
    for (std::size_t column = 0; column < columns; column += 32) {
        const std::byte* weights = packed + column * Format::bytes;
#pragma GCC unroll 4
        for (std::size_t row = 0; row < rows; ++row) {
            prefetch(weights + row * step_bytes);
            if (Format::bytes == 4) prefetch(weights + row * step_bytes + 64);
        }
#pragma GCC unroll 1
        for (std::size_t part = 0; part < 32; part += 16) {
            float32x4_t activations[4], values[4];
#pragma GCC unroll 4
            for (int i = 0; i < 4; ++i) activations[i] = vld1q_f32(in + column + part + 4 * i);
#pragma GCC unroll 4
            for (std::size_t row = 0; row < rows; ++row) {
                formats[row].values(weights + part * Format::bytes + row * step_bytes, values);
#pragma GCC unroll 4
                for (int i = 0; i < 4; ++i)
                    sums[row][i % 2] = vfmaq_f32(sums[row][i % 2], values[i], activations[i]);
            }
        }
    }
#pragma GCC unroll 4
    for (std::size_t row = 0; row < rows; ++row)
        out[row * row_step] = vaddvq_f32(vaddq_f32(sums[row][0], sums[row][1])) *
                              formats[row].scale(packed + row * step_bytes + columns * Format::bytes);
}

/// sums[g] += values of the bytes of group g × activations of that group: sixteen nibbles, whose 32-bit lanes
/// hold one of each group.
void add_interleaved(uint8x16_t nibbles, const float32x4_t (&in)[4], float32x4_t (&sums)[4]) {
    float32x4_t values[4];
    values_by_lane(nibbles, values);
#pragma GCC unroll 4
    for (int group = 0; group < 4; ++group) sums[group] = vfmaq_f32(sums[group], values[group], in[group]);
}

/// Of a group that is not interleaved, or its half: sixteen nibbles and activations side by side.
float32x4_t add_half_group(uint8x16_t nibbles, const float* in, float32x4_t sum) {
    const NibbleValues values = values_of(nibbles);
    const uint16x8_t halves[2] = {vreinterpretq_u16_u8(vzip1q_u8(values.lower, values.upper)),
                                  vreinterpretq_u16_u8(vzip2q_u8(values.lower, values.upper))};
    for (int i = 0; i < 2; ++i) {
        const uint16x8_t zero = vdupq_n_u16(0);
        sum = vfmaq_f32(sum, vreinterpretq_f32_u16(vzip1q_u16(zero, halves[i])), vld1q_f32(in + 8 * i));
        sum = vfmaq_f32(sum, vreinterpretq_f32_u16(vzip2q_u16(zero, halves[i])), vld1q_f32(in + 8 * i + 4));
    }
    return sum;
}

/// As dots(). `scale_groups`: groups of 32 that share a scale, 1 or 4.
template <std::size_t rows, std::size_t scale_groups>
void dots_int4(const std::byte* packed, std::size_t row_step, std::size_t groups, const float* in,
               float* out) {
    const std::size_t scales_at = groups * int4_group_bytes;
    const std::size_t step_bytes = row_step * (scales_at + groups / scale_groups * 2);
    float32x4_t totals[rows];
#pragma GCC unroll 4
    for (std::size_t row = 0; row < rows; ++row) totals[row] = vdupq_n_f32(0);
    std::size_t group = 0;
    for (; group + interleaved_groups <= groups; group += interleaved_groups) {
        const std::byte* pairs = packed + group * int4_group_bytes;
        const std::byte* halves = packed + scales_at + group / scale_groups * 2;
        float32x4_t sums[rows][interleaved_groups];
#pragma GCC unroll 4
        for (std::size_t row = 0; row < rows; ++row) {
            prefetch(pairs + row * step_bytes);
            sums[row][0] = sums[row][1] = sums[row][2] = sums[row][3] = vdupq_n_f32(0);
        }
#pragma GCC unroll 4
        for (std::size_t part = 0; part < 4; ++part)
#pragma GCC unroll 2
            for (std::size_t half = 0; half < 2; ++half) {
                float32x4_t activations[4];
#pragma GCC unroll 4
                for (std::size_t i = 0; i < 4; ++i)
                    activations[i] = vld1q_f32(in + (group + i) * group_columns + half * 16 + part * 4);
#pragma GCC unroll 4
                for (std::size_t row = 0; row < rows; ++row) {
                    const uint8x16_t bytes = load_bytes(pairs + part * 16 + row * step_bytes);
                    add_interleaved(half == 0 ? low_nibbles(bytes) : high_nibbles(bytes), activations,
                                    sums[row]);
                }
            }
#pragma GCC unroll 4
        for (std::size_t row = 0; row < rows; ++row) {
            const std::byte* scales = halves + row * step_bytes;
            const float32x4_t(&ours)[4] = sums[row];
            if (scale_groups == 1) {
                const float32x4_t four = vcvt_f32_f16(
                    vreinterpret_f16_u8(vld1_u8(reinterpret_cast<const unsigned char*>(scales))));
                totals[row] = vfmaq_laneq_f32(totals[row], ours[0], four, 0);
                totals[row] = vfmaq_laneq_f32(totals[row], ours[1], four, 1);
                totals[row] = vfmaq_laneq_f32(totals[row], ours[2], four, 2);
                totals[row] = vfmaq_laneq_f32(totals[row], ours[3], four, 3);
            } else {
                const float32x4_t all = vaddq_f32(vaddq_f32(ours[0], ours[1]), vaddq_f32(ours[2], ours[3]));
                totals[row] = vfmaq_n_f32(totals[row], all, half_at(scales));
            }
        }
    }
    for (; group < groups; ++group)
        for (std::size_t row = 0; row < rows; ++row) {
            const uint8x16_t bytes = load_bytes(packed + row * step_bytes + group * int4_group_bytes);
            const float* values = in + group * group_columns;
            float32x4_t sum = add_half_group(low_nibbles(bytes), values, vdupq_n_f32(0));
            sum = add_half_group(high_nibbles(bytes), values + 16, sum);
            totals[row] = vfmaq_n_f32(
                totals[row], sum, half_at(packed + row * step_bytes + scales_at + group / scale_groups * 2));
        }
#pragma GCC unroll 4
    for (std::size_t row = 0; row < rows; ++row) out[row * row_step] = vaddvq_f32(totals[row]);
}

/// 32 weights by 32 activations, in 4 lanes.
int32x4_t dot_group(const std::byte* weights, const std::int8_t* values) {
    return vdotq_s32(vdotq_s32(vdupq_n_s32(0), load_signed(weights), load_signed(values)),
                     load_signed(weights + 16), load_signed(values + 16));
}

template <std::size_t rows>
void dots_int8_integers(const std::byte* packed, std::size_t row_step, std::size_t columns,
                        const std::byte* activations, float* out) {
    const std::size_t step_bytes = row_step * (columns + sizeof(float));
    float32x4_t sums[rows][2];
#pragma GCC unroll 4
    for (std::size_t row = 0; row < rows; ++row) sums[row][0] = sums[row][1] = vdupq_n_f32(0);
    const Int8Activations* block = reinterpret_cast<const Int8Activations*>(activations);
    std::size_t column = 0;
    for (; column + 64 <= columns; column += 64, ++block) {
        const std::byte* weights = packed + column;
#pragma GCC unroll 4
        for (std::size_t row = 0; row < rows; ++row) {
            const std::byte* ours = weights + row * step_bytes;
            prefetch(ours);
#pragma GCC unroll 2
            for (std::size_t half = 0; half < 2; ++half)
                sums[row][half] = vfmaq_n_f32(
                    sums[row][half], vcvtq_f32_s32(dot_group(ours + 32 * half, block->values + 32 * half)),
                    block->scales[half]);
        }
    }
    if (column < columns)
        for (std::size_t row = 0; row < rows; ++row)
            sums[row][0] = vfmaq_n_f32(
                sums[row][0], vcvtq_f32_s32(dot_group(packed + row * step_bytes + column, block->values)),
                block->scales[0]);
#pragma GCC unroll 4
    for (std::size_t row = 0; row < rows; ++row)
        out[row * row_step] = vaddvq_f32(vaddq_f32(sums[row][0], sums[row][1])) *
                              body::float_at(packed + row * step_bytes + columns);
}

template <std::size_t rows, std::size_t scale_groups>
void dots_int4_integers(const std::byte* packed, std::size_t row_step, std::size_t groups,
                        const std::byte* activations, float* out) {
    const std::size_t scales_at = groups * int4_group_bytes;
    const std::size_t step_bytes = row_step * (scales_at + groups / scale_groups * 2);
    float32x4_t sums[rows];
#pragma GCC unroll 4
    for (std::size_t row = 0; row < rows; ++row) sums[row] = vdupq_n_f32(0);
    const Int4Activations* block = reinterpret_cast<const Int4Activations*>(activations);
    std::size_t group = 0;
    for (; group + interleaved_groups <= groups; group += interleaved_groups, ++block) {
        const std::byte* pairs = packed + group * int4_group_bytes;
        const std::byte* halves = packed + scales_at + group / scale_groups * 2;
#pragma GCC unroll 4
        for (std::size_t row = 0; row < rows; ++row) {
            prefetch(pairs + row * step_bytes);
            int32x4_t products = vdupq_n_s32(0);
#pragma GCC unroll 4
            for (std::size_t part = 0; part < 64; part += 16) {
                // A lane's bytes are then of one group, as the activations' are.
                const uint8x16_t bytes = transposed(load_bytes(pairs + part + row * step_bytes));
                // Nibbles at the top of their bytes are sixteen times what they are, with the right sign.
                products = vdotq_s32(products, vreinterpretq_s8_u8(vshlq_n_u8(bytes, 4)),
                                     load_signed(block->low + part));
                products = vdotq_s32(products, vreinterpretq_s8_u8(vandq_u8(bytes, vdupq_n_u8(0xf0))),
                                     load_signed(block->high + part));
            }
            const std::byte* scales = halves + row * step_bytes;
            const float32x4_t ours = scale_groups == 1 ? vcvt_f32_f16(vreinterpret_f16_u8(vld1_u8(
                                                             reinterpret_cast<const unsigned char*>(scales))))
                                                       : vdupq_n_f32(half_at(scales));
            // The weights' scale first: it is an f16, and the sum far from infinite with it.
            sums[row] =
                vfmaq_f32(sums[row], vmulq_f32(vcvtq_n_f32_s32(products, 4), ours), vld1q_f32(block->scales));
        }
    }
#pragma GCC unroll 4
    for (std::size_t row = 0; row < rows; ++row) {
        float& to = out[row * row_step];
        to = vaddvq_f32(sums[row]);
        const std::byte* weights = packed + row * step_bytes;
        if (group < groups) to += body::rest_of_row(weights, weights + scales_at, group, groups, *block);
    }
}

// Four streams; of int4 by floats two, for whose sums and tables there are registers.

template <typename Format>
void gemv_elements(const std::byte* packed, std::size_t columns, const float* in, float* out,
                   std::size_t row_begin, std::size_t row_end) {
    const std::size_t row_bytes = columns * Format::bytes + Format::scale_bytes;
    in_streams<4, dots<Format, 4>, dots<Format, 1>>(packed, row_bytes, columns, in, out, row_begin, row_end);
}

template <std::size_t scale_groups>
void gemv_int4(const std::byte* packed, std::size_t columns, const float* in, float* out,
               std::size_t row_begin, std::size_t row_end) {
    const std::size_t groups = columns / group_columns;
    const std::size_t row_bytes = groups * int4_group_bytes + groups / scale_groups * 2;
    in_streams<2, dots_int4<2, scale_groups>, dots_int4<1, scale_groups>>(packed, row_bytes, groups, in, out,
                                                                          row_begin, row_end);
}

void gemv_int8_integers(const std::byte* packed, std::size_t columns, const std::byte* activations,
                        float* out, std::size_t row_begin, std::size_t row_end) {
    const std::size_t row_bytes = columns + sizeof(float);
    in_streams<4, dots_int8_integers<4>, dots_int8_integers<1>>(packed, row_bytes, columns, activations, out,
                                                                row_begin, row_end);
}

template <std::size_t scale_groups>
void gemv_int4_integers(const std::byte* packed, std::size_t columns, const std::byte* activations,
                        float* out, std::size_t row_begin, std::size_t row_end) {
    const std::size_t groups = columns / group_columns;
    const std::size_t row_bytes = groups * int4_group_bytes + groups / scale_groups * 2;
    in_streams<4, dots_int4_integers<4, scale_groups>, dots_int4_integers<1, scale_groups>>(
        packed, row_bytes, groups, activations, out, row_begin, row_end);
}

}  // namespace

const GemvTable gemv_table = {gemv_elements<Int8>, gemv_int4<1>,          gemv_int4<4>,
                              gemv_elements<Fp8>,  gemv_elements<Bf16>,   gemv_elements<F32>,
                              gemv_int8_integers,  gemv_int4_integers<1>, gemv_int4_integers<4>};

}  // namespace assay::kernels::neon
