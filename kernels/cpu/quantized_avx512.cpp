// Compiled for AVX-512: includes nothing whose inline functions other units share, lest the linker keep this
// unit's copy for a CPU without AVX-512.
#include <immintrin.h>

#include "kernels/cpu/quantized_kernels.h"

namespace assay::kernels::avx512 {

namespace {

/// How far ahead of the products the packed bytes are asked for; measured, the hardware alone stays behind.
constexpr std::size_t prefetch_bytes = 4096;

void prefetch(const std::byte* from) {
    _mm_prefetch(reinterpret_cast<const char*>(from) + prefetch_bytes, _MM_HINT_T0);
}

__m512 int8_to_floats(const std::byte* from) {
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from))));
}

float dot_int8(const std::byte* weights, std::size_t columns, const float* in) {
    __m512 sums[4] = {_mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps()};
    std::size_t column = 0;
    for (; column + 64 <= columns; column += 64) {
        prefetch(weights + column);
#pragma GCC unroll 4
        for (std::size_t part = 0; part < 4; ++part)
            sums[part] = _mm512_fmadd_ps(int8_to_floats(weights + column + 16 * part),
                                         _mm512_loadu_ps(in + column + 16 * part), sums[part]);
    }
    for (std::size_t part = 0; column < columns; column += 16, ++part)
        sums[part] =
            _mm512_fmadd_ps(int8_to_floats(weights + column), _mm512_loadu_ps(in + column), sums[part]);
    return _mm512_reduce_add_ps(
        _mm512_add_ps(_mm512_add_ps(sums[0], sums[1]), _mm512_add_ps(sums[2], sums[3])));
}

/// Weights of one group times their activations, before the scale. A nibble picks its value from `table`: the
/// permutation looks at the low four bits of each lane alone, so that no masking is needed.
__m512 group_products(const std::byte* pairs, const float* in, __m512 table) {
    const __m512i low = _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(pairs)));
    const __m512i high = _mm512_srli_epi32(low, 4);
    const __m512 products = _mm512_mul_ps(_mm512_permutexvar_ps(low, table), _mm512_loadu_ps(in));
    return _mm512_fmadd_ps(_mm512_permutexvar_ps(high, table), _mm512_loadu_ps(in + 16), products);
}

float dot_int4(const std::byte* pairs, std::size_t groups, const float* in, __m512 table) {
    const std::byte* scales = pairs + groups * int4_group_bytes;
    __m512 sums[4] = {_mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps()};
    alignas(64) float block_scales[16];
    // Scales are converted 16 at a time, then each is read back as a broadcast operand.
    for (std::size_t block = 0; block < groups; block += 16) {
        const std::size_t left = groups - block;
        const __mmask16 present = static_cast<__mmask16>(left >= 16 ? 0xffffu : (1u << left) - 1);
        const __m256i halves = _mm256_maskz_loadu_epi16(present, scales + block * 2);
        _mm512_store_ps(block_scales, _mm512_cvtph_ps(halves));
        if (left >= 16) {
#pragma GCC unroll 16
            for (std::size_t group = 0; group < 16; ++group) {
                const std::byte* group_pairs = pairs + (block + group) * int4_group_bytes;
                if (group % 4 == 0) prefetch(group_pairs);
                sums[group % 4] =
                    _mm512_fmadd_ps(group_products(group_pairs, in + (block + group) * group_columns, table),
                                    _mm512_set1_ps(block_scales[group]), sums[group % 4]);
            }
        } else {
            for (std::size_t group = 0; group < left; ++group)
                sums[group % 4] = _mm512_fmadd_ps(group_products(pairs + (block + group) * int4_group_bytes,
                                                                 in + (block + group) * group_columns, table),
                                                  _mm512_set1_ps(block_scales[group]), sums[group % 4]);
        }
    }
    return _mm512_reduce_add_ps(
        _mm512_add_ps(_mm512_add_ps(sums[0], sums[1]), _mm512_add_ps(sums[2], sums[3])));
}

}  // namespace

void gemv_int8(const std::byte* packed, std::size_t columns, const float* in, float* out,
               std::size_t row_begin, std::size_t row_end) {
    const std::size_t row_bytes = columns + sizeof(float);
    for (std::size_t row = row_begin; row < row_end; ++row) {
        const std::byte* weights = packed + row * row_bytes;
        float scale = 0;
        __builtin_memcpy(&scale, weights + columns, sizeof scale);
        out[row] = dot_int8(weights, columns, in) * scale;
    }
}

void gemv_int4(const std::byte* packed, std::size_t columns, const float* in, float* out,
               std::size_t row_begin, std::size_t row_end) {
    const std::size_t groups = columns / group_columns;
    const std::size_t row_bytes = groups * (int4_group_bytes + 2);
    const __m512 table = _mm512_setr_ps(-8, -7, -6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7);
    for (std::size_t row = row_begin; row < row_end; ++row)
        out[row] = dot_int4(packed + row * row_bytes, groups, in, table);
}

}  // namespace assay::kernels::avx512
