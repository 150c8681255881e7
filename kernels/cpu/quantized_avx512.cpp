// Compiled for AVX-512: includes nothing whose inline functions other units share, lest the linker keep this
// unit's copy for a CPU without AVX-512.
#include <immintrin.h>

#include "kernels/cpu/quantized_kernels.h"

namespace assay::kernels::avx512 {

namespace {

#include "kernels/cpu/quantized_streams_body.h"

// How far ahead of the products each stream's packed bytes are asked for; the best measured of 1, 2 and 4
// KiB.
constexpr std::size_t int8_ahead_bytes = 2048;
constexpr std::size_t int4_ahead_bytes = 4096;

void prefetch(const std::byte* from) {
    _mm_prefetch(reinterpret_cast<const char*>(from), _MM_HINT_T0);
}

__m512 int8_to_floats(const std::byte* from) {
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from))));
}

/// Products of `rows` rows side by side, `row_step` rows apart, which share each activation that is loaded.
/// Each row's sums are made in the same order whatever `rows` is.
template <int rows>
void dots_int8(const std::byte* packed, std::size_t row_step, std::size_t columns, const float* in,
               float* out) {
    const std::size_t step_bytes = row_step * (columns + sizeof(float));
    __m512 sums[rows][2];
#pragma GCC unroll 4
    for (int row = 0; row < rows; ++row) sums[row][0] = sums[row][1] = _mm512_setzero_ps();
    std::size_t column = 0;
    for (; column + 64 <= columns; column += 64) {
        const __m512 in0 = _mm512_loadu_ps(in + column), in1 = _mm512_loadu_ps(in + column + 16),
                     in2 = _mm512_loadu_ps(in + column + 32), in3 = _mm512_loadu_ps(in + column + 48);
        const std::byte* weights = packed + column;
#pragma GCC unroll 4
        for (int row = 0; row < rows; ++row, weights += step_bytes) {
            prefetch(weights + int8_ahead_bytes);
            __m512(&sum)[2] = sums[row];
            sum[0] = _mm512_fmadd_ps(int8_to_floats(weights), in0, sum[0]);
            sum[1] = _mm512_fmadd_ps(int8_to_floats(weights + 16), in1, sum[1]);
            sum[0] = _mm512_fmadd_ps(int8_to_floats(weights + 32), in2, sum[0]);
            sum[1] = _mm512_fmadd_ps(int8_to_floats(weights + 48), in3, sum[1]);
        }
    }
    for (; column < columns; column += 16) {
        const std::byte* weights = packed + column;
        for (int row = 0; row < rows; ++row, weights += step_bytes)
            sums[row][0] =
                _mm512_fmadd_ps(int8_to_floats(weights), _mm512_loadu_ps(in + column), sums[row][0]);
    }
#pragma GCC unroll 4
    for (int row = 0; row < rows; ++row) {
        float scale = 0;
        __builtin_memcpy(&scale, packed + static_cast<std::size_t>(row) * step_bytes + columns, sizeof scale);
        out[static_cast<std::size_t>(row) * row_step] =
            _mm512_reduce_add_ps(_mm512_add_ps(sums[row][0], sums[row][1])) * scale;
    }
}

__m512i load_lanes(const std::byte* from) {
    return _mm512_loadu_si512(from);
}

/// What the low four bits of each lane stand for: the permutation looks at these alone, so that nothing need
/// be masked.
__m512 nibble_values(__m512i lanes) {
    const __m512 table = _mm512_setr_ps(0, 1, 2, 3, 4, 5, 6, 7, -8, -7, -6, -5, -4, -3, -2, -1);
    return _mm512_permutexvar_ps(lanes, table);
}

/// sum += scale × (32 weights · 32 activations), lane by lane; `shift` brings the group's nibbles down.
template <int shift>
__m512 add_group(__m512i lanes, __m512 in_low, __m512 in_high, float scale, __m512 sum) {
    const __m512i low = shift == 0 ? lanes : _mm512_srli_epi32(lanes, shift);
    const __m512 products = _mm512_fmadd_ps(nibble_values(_mm512_srli_epi32(lanes, shift + 4)), in_high,
                                            _mm512_mul_ps(nibble_values(low), in_low));
    return _mm512_fmadd_ps(products, _mm512_set1_ps(scale), sum);
}

constexpr std::size_t scales_at_once = 16;

/// Products of `rows` rows side by side, `row_step` rows apart, which share each activation that is loaded.
/// Each row's sums are made in the same order whatever `rows` is.
template <int rows>
void dots_int4(const std::byte* packed, std::size_t row_step, std::size_t groups, const float* in,
               float* out) {
    const std::size_t row_bytes = groups * (int4_group_bytes + 2);
    const std::size_t step_bytes = row_step * row_bytes;
    alignas(64) float scales[rows][scales_at_once];
    __m512 sums[rows][2];
#pragma GCC unroll 4
    for (int row = 0; row < rows; ++row) sums[row][0] = sums[row][1] = _mm512_setzero_ps();

    for (std::size_t first = 0; first < groups; first += scales_at_once) {
        const std::size_t left = groups - first < scales_at_once ? groups - first : scales_at_once;
        const __mmask16 present = static_cast<__mmask16>((1u << left) - 1);
#pragma GCC unroll 4
        for (int row = 0; row < rows; ++row) {
            const std::byte* halves =
                packed + static_cast<std::size_t>(row) * step_bytes + groups * int4_group_bytes + 2 * first;
            _mm512_store_ps(scales[row], _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(present, halves)));
        }
        std::size_t group = 0;
        for (; group + interleaved_groups <= left; group += interleaved_groups) {
            const float* values = in + (first + group) * group_columns;
            const std::byte* pairs = packed + (first + group) * int4_group_bytes;
            const __m512 in0 = _mm512_loadu_ps(values), in1 = _mm512_loadu_ps(values + 16),
                         in2 = _mm512_loadu_ps(values + 32), in3 = _mm512_loadu_ps(values + 48),
                         in4 = _mm512_loadu_ps(values + 64), in5 = _mm512_loadu_ps(values + 80),
                         in6 = _mm512_loadu_ps(values + 96), in7 = _mm512_loadu_ps(values + 112);
#pragma GCC unroll 4
            for (int row = 0; row < rows; ++row, pairs += step_bytes) {
                prefetch(pairs + int4_ahead_bytes);
                const __m512i lanes = load_lanes(pairs);
                const float* scale = scales[row] + group;
                __m512(&sum)[2] = sums[row];
                sum[0] = add_group<0>(lanes, in0, in1, scale[0], sum[0]);
                sum[1] = add_group<8>(lanes, in2, in3, scale[1], sum[1]);
                sum[0] = add_group<16>(lanes, in4, in5, scale[2], sum[0]);
                sum[1] = add_group<24>(lanes, in6, in7, scale[3], sum[1]);
            }
        }
        for (; group < left; ++group) {
            const float* values = in + (first + group) * group_columns;
            const std::byte* pairs = packed + (first + group) * int4_group_bytes;
            for (int row = 0; row < rows; ++row, pairs += step_bytes) {
                const __m512i lanes =
                    _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(pairs)));
                sums[row][0] = add_group<0>(lanes, _mm512_loadu_ps(values), _mm512_loadu_ps(values + 16),
                                            scales[row][group], sums[row][0]);
            }
        }
    }
#pragma GCC unroll 4
    for (int row = 0; row < rows; ++row)
        out[static_cast<std::size_t>(row) * row_step] =
            _mm512_reduce_add_ps(_mm512_add_ps(sums[row][0], sums[row][1]));
}

void gemv_int8(const std::byte* packed, std::size_t columns, const float* in, float* out,
               std::size_t row_begin, std::size_t row_end) {
    const std::size_t row_bytes = columns + sizeof(float);
    in_streams<4, dots_int8<4>, dots_int8<1>>(packed, row_bytes, columns, in, out, row_begin, row_end);
}

void gemv_int4(const std::byte* packed, std::size_t columns, const float* in, float* out,
               std::size_t row_begin, std::size_t row_end) {
    const std::size_t groups = columns / group_columns;
    const std::size_t row_bytes = groups * (int4_group_bytes + 2);
    in_streams<4, dots_int4<4>, dots_int4<1>>(packed, row_bytes, groups, in, out, row_begin, row_end);
}

float half_at(const std::byte* at) {
    unsigned short half = 0;
    __builtin_memcpy(&half, at, sizeof half);
    return _cvtsh_ss(half);
}

#include "kernels/cpu/quantized_body.h"

/// Sixteen elements as f32.
struct Fp8 {
    static constexpr std::size_t bytes = 1, scale_bytes = 4;
    static __m512 values(const std::byte* from) {
        // As f16 of the same three bits and an exponent that is 2^8 too small, which has room for subnormals;
        // 0x7f and 0xff, which would be 480, are NaN.
        const __m256i wide = _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
        const __m256i magnitude = _mm256_and_si256(wide, _mm256_set1_epi16(0x7f));
        const __m256i sign =
            _mm256_and_si256(_mm256_slli_epi16(wide, 8), _mm256_set1_epi16(static_cast<short>(0x8000)));
        const __mmask16 not_numbers = _mm256_cmpeq_epi16_mask(magnitude, _mm256_set1_epi16(0x7f));
        __m256i half = _mm256_or_si256(sign, _mm256_slli_epi16(magnitude, 7));
        half = _mm256_mask_mov_epi16(half, not_numbers, _mm256_set1_epi16(0x7e00));
        return _mm512_cvtph_ps(half);
    }
    static float scale(const std::byte* row_end) { return body::float_at(row_end) * 256; }
};
struct Bf16 {
    static constexpr std::size_t bytes = 2, scale_bytes = 0;
    static __m512 values(const std::byte* from) {
        return _mm512_castsi512_ps(_mm512_slli_epi32(
            _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from))), 16));
    }
    static float scale(const std::byte*) { return 1; }
};
struct F32 {
    static constexpr std::size_t bytes = 4, scale_bytes = 0;
    static __m512 values(const std::byte* from) { return _mm512_loadu_ps(from); }
    static float scale(const std::byte*) { return 1; }
};

template <typename Format, int rows>
void dots(const std::byte* packed, std::size_t row_step, std::size_t columns, const float* in, float* out) {
    const std::size_t step_bytes = row_step * (columns * Format::bytes + Format::scale_bytes);
    __m512 sums[rows][2];
#pragma GCC unroll 4
    for (int row = 0; row < rows; ++row) sums[row][0] = sums[row][1] = _mm512_setzero_ps();
    for (std::size_t column = 0; column < columns; column += 32) {
        const __m512 in0 = _mm512_loadu_ps(in + column), in1 = _mm512_loadu_ps(in + column + 16);
        const std::byte* weights = packed + column * Format::bytes;
#pragma GCC unroll 4
        for (int row = 0; row < rows; ++row, weights += step_bytes) {
            prefetch(weights + int4_ahead_bytes);
            if (Format::bytes == 4) prefetch(weights + int4_ahead_bytes + 64);
            sums[row][0] = _mm512_fmadd_ps(Format::values(weights), in0, sums[row][0]);
            sums[row][1] = _mm512_fmadd_ps(Format::values(weights + 16 * Format::bytes), in1, sums[row][1]);
        }
    }
#pragma GCC unroll 4
    for (int row = 0; row < rows; ++row)
        out[static_cast<std::size_t>(row) * row_step] =
            _mm512_reduce_add_ps(_mm512_add_ps(sums[row][0], sums[row][1])) *
            Format::scale(packed + static_cast<std::size_t>(row) * step_bytes + columns * Format::bytes);
}

template <typename Format>
void gemv_elements(const std::byte* packed, std::size_t columns, const float* in, float* out,
                   std::size_t row_begin, std::size_t row_end) {
    const std::size_t row_bytes = columns * Format::bytes + Format::scale_bytes;
    in_streams<4, dots<Format, 4>, dots<Format, 1>>(packed, row_bytes, columns, in, out, row_begin, row_end);
}

}  // namespace

const GemvTable gemv_table = {gemv_int8,
                              gemv_int4,
                              body::gemv_int4_g128,
                              gemv_elements<Fp8>,
                              gemv_elements<Bf16>,
                              gemv_elements<F32>,
                              nullptr,
                              nullptr,
                              nullptr};

}  // namespace assay::kernels::avx512
