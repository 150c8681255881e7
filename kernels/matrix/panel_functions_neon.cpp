// Compiled for AArch64 with the dot product (Armv8.2): includes nothing whose inline functions other units
// share, lest the linker keep this unit's copy for a CPU without it.
#include <arm_neon.h>

#include "kernels/matrix/panel_functions.h"

namespace assay::kernels::neon {

namespace {

#include "kernels/cpu/neon_tables_body.h"
#include "kernels/matrix/panel_functions_body.h"

// Only for panels that NEON's micro-kernels take, of f32 and of bytes; GCC 12 leaves fp8_to_f32() scalar.

void int4_to_f32_by_tables(const std::uint32_t* words, const float* scales, std::size_t group, std::size_t k,
                           std::size_t extent, float* out) {
    for (std::size_t l = 0; l < k; l += 4, words += lanes) {
        const float* ours = scales + l / group * stored_columns;
        for (std::size_t lane = 0; lane < lanes; lane += 4) {
            const uint8x16_t bytes = load_bytes(words + lane);
            float32x4_t low[4], high[4];
            values_by_lane(low_nibbles(bytes), low);
            values_by_lane(high_nibbles(bytes), high);
            const float32x4_t low_scales = vld1q_f32(ours + lane),
                              high_scales = vld1q_f32(ours + lanes + lane);
#pragma GCC unroll 4
            for (std::size_t i = 0; i < 4; ++i) {
                vst1q_f32(out + place(l + i, 0, k, extent, 1) + lane, vmulq_f32(low[i], low_scales));
                vst1q_f32(out + place(l + i, 1, k, extent, 1) + lane, vmulq_f32(high[i], high_scales));
            }
        }
    }
}

void int4_to_s8_by_shifts(const std::uint32_t* words, std::size_t group, std::size_t k, std::size_t extent,
                          std::uint32_t* out, std::int32_t* sums) {
    const int8x16_t ones = vdupq_n_s8(1);
    for (std::size_t first = 0; first < k; first += group, sums += stored_columns) {
        int32x4_t totals[2][4];
#pragma GCC unroll 4
        for (int i = 0; i < 4; ++i) totals[0][i] = totals[1][i] = vdupq_n_s32(0);
        for (std::size_t l = first; l < first + group && l < k; l += 4, words += lanes) {
            std::uint32_t* const to_low = out + place(l, 0, k, extent, 4);
            std::uint32_t* const to_high = out + place(l, 1, k, extent, 4);
#pragma GCC unroll 4
            for (std::size_t i = 0; i < 4; ++i) {
                const int8x16_t bytes = vreinterpretq_s8_u8(load_bytes(words + 4 * i));
                const int8x16_t low = vshrq_n_s8(vshlq_n_s8(bytes, 4), 4), high = vshrq_n_s8(bytes, 4);
                totals[0][i] = vdotq_s32(totals[0][i], low, ones);
                totals[1][i] = vdotq_s32(totals[1][i], high, ones);
                vst1q_u32(to_low + 4 * i, vreinterpretq_u32_s8(low));
                vst1q_u32(to_high + 4 * i, vreinterpretq_u32_s8(high));
            }
        }
#pragma GCC unroll 4
        for (int i = 0; i < 4; ++i) {
            vst1q_s32(sums + 4 * i, totals[0][i]);
            vst1q_s32(sums + lanes + 4 * i, totals[1][i]);
        }
    }
}

/// Eight bytes of E4M3 as f16 of the same three bits and an exponent that is 2^8 too small, which has room
/// for subnormals.
float16x8_t small_halves(int8x8_t bytes) {
    // Shifted as signed bytes, the sign comes to stand at the top, and once more below it; there belongs
    // what makes 0x7f and 0xff, which would be 480, NaN.
    const uint16x8_t below_sign = vdupq_n_u16(0x4000);
    const uint16x8_t bits = vbicq_u16(vreinterpretq_u16_s16(vshll_n_s8(bytes, 7)), below_sign);
    return vreinterpretq_f16_u16(vbslq_u16(below_sign, vaddq_u16(bits, vdupq_n_u16(0x80)), bits));
}

void fp8_to_f32_by_halves(const std::uint32_t* words, std::size_t k, std::size_t extent, float* out) {
    for (std::size_t l = 0; l < k; l += 4)
        for (std::size_t half = 0; half < 2; ++half)
            for (std::size_t lane = 0; lane < lanes; lane += 4, words += 4) {
                const int8x16_t bytes = vreinterpretq_s8_u8(transposed(load_bytes(words)));
                const float16x8_t first = small_halves(vget_low_s8(bytes)),
                                  second = small_halves(vget_high_s8(bytes));
                const float32x4_t values[4] = {vcvt_f32_f16(vget_low_f16(first)), vcvt_high_f32_f16(first),
                                               vcvt_f32_f16(vget_low_f16(second)), vcvt_high_f32_f16(second)};
#pragma GCC unroll 4
                for (std::size_t i = 0; i < 4; ++i)
                    vst1q_f32(out + place(l + i, half, k, extent, 1) + lane, vmulq_n_f32(values[i], 256));
            }
}

constexpr PanelFunctions with_own_forms() {
    PanelFunctions functions = functions_here;
    functions.int4_to_f32 = int4_to_f32_by_tables;
    functions.int4_to_s8 = int4_to_s8_by_shifts;
    functions.fp8_to_f32 = fp8_to_f32_by_halves;
    return functions;
}

}  // namespace

constexpr PanelFunctions panel_functions = with_own_forms();

}  // namespace assay::kernels::neon
