// Compiled for AVX-512 VNNI: includes nothing whose inline functions other units share, lest the linker keep
// this unit's copy for a CPU without it.
#include <immintrin.h>

#include "kernels/cpu/quantized_kernels.h"

namespace assay::kernels::avx512_vnni {

namespace {

float half_at(const std::byte* at) {
    unsigned short half = 0;
    __builtin_memcpy(&half, at, sizeof half);
    return _cvtsh_ss(half);
}

#include "kernels/cpu/quantized_body.h"
#include "kernels/cpu/quantized_streams_body.h"

// How far ahead of the products each stream's packed bytes are asked for, and into which cache. Measured in
// turns with reading. On Zen 5 int8 loses half where nothing is asked for. On Zen 4 the second-level cache
// takes more at once than the first: int4 goes from 0.7 to 0.9 of what reading reaches. Six streams are 1 per
// cent faster than four, and int8 1 to 4 per cent slower where it is asked for 2 KiB ahead.
constexpr std::size_t int8_ahead_bytes = 1024;
constexpr std::size_t int4_ahead_bytes = 6144;
constexpr int streams = 6;

void prefetch(const std::byte* from) {
    _mm_prefetch(reinterpret_cast<const char*>(from), _MM_HINT_T1);
}

/// One row's 64 weights or more, times activations that several rows share: sums += products × scales.
__m512 add_scaled(__m512i products, __m512 scales, __m512 sums) {
    return _mm512_fmadd_ps(_mm512_cvtepi32_ps(products), scales, sums);
}

template <int rows>
void dots_int8(const std::byte* packed, std::size_t row_step, std::size_t columns,
               const std::byte* activations, float* out) {
    const std::size_t step_bytes = row_step * (columns + sizeof(float));
    const __m512i offset = _mm512_set1_epi8(static_cast<char>(0x80));
    __m512 sums[rows];
#pragma GCC unroll 8
    for (int row = 0; row < rows; ++row) sums[row] = _mm512_setzero_ps();
    const Int8Activations* block = reinterpret_cast<const Int8Activations*>(activations);
    for (std::size_t column = 0; column < columns; column += 64, ++block) {
        const __mmask64 present = columns - column < 64 ? (std::uint64_t{1} << 32) - 1 : ~std::uint64_t{0};
        const __m512i values = _mm512_loadu_si512(block->values);
        const __m512i zero = _mm512_setzero_si512();
        const __m512i starts = _mm512_sub_epi32(zero, _mm512_dpbusd_epi32(zero, offset, values));
        const __m512 scales = _mm512_mask_broadcastss_ps(_mm512_set1_ps(block->scales[0]), 0xff00,
                                                         _mm_load_ss(block->scales + 1));
        const std::byte* weights = packed + column;
#pragma GCC unroll 8
        for (int row = 0; row < rows; ++row, weights += step_bytes) {
            prefetch(weights + int8_ahead_bytes);
            const __m512i bytes = _mm512_xor_si512(_mm512_maskz_loadu_epi8(present, weights), offset);
            sums[row] = add_scaled(_mm512_dpbusd_epi32(starts, bytes, values), scales, sums[row]);
        }
    }
#pragma GCC unroll 8
    for (int row = 0; row < rows; ++row)
        out[static_cast<std::size_t>(row) * row_step] =
            _mm512_reduce_add_ps(sums[row]) *
            body::float_at(packed + static_cast<std::size_t>(row) * step_bytes + columns);
}

/// Four f16 scales, one for each group of a block, as its lanes want them.
__m512 block_scales(const std::byte* halves) {
    return _mm512_broadcast_f32x4(_mm_cvtph_ps(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(halves))));
}

/// Of _mm512_ternarylogic_epi32: (a ^ b) & c.
constexpr int xor_then_and = 0x28;

template <int rows, std::size_t scale_groups>
void dots_int4(const std::byte* packed, std::size_t row_step, std::size_t groups,
               const std::byte* activations, float* out) {
    const std::size_t row_bytes = groups * int4_group_bytes + groups / scale_groups * 2;
    const std::size_t step_bytes = row_step * row_bytes;
    const std::size_t scales_at = groups * int4_group_bytes;
    const __m512i eight = _mm512_set1_epi8(8), low_half = _mm512_set1_epi8(0x0f);
    // Of each four times four bytes the transpose: a lane's bytes are then of one group.
    const __m512i transpose =
        _mm512_broadcast_i32x4(_mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));
    __m512 sums[rows];
#pragma GCC unroll 8
    for (int row = 0; row < rows; ++row) sums[row] = _mm512_setzero_ps();
    const Int4Activations* block = reinterpret_cast<const Int4Activations*>(activations);
    std::size_t group = 0;
    for (; group + interleaved_groups <= groups; group += interleaved_groups, ++block) {
        const std::size_t pairs_ahead =
            look_ahead<rows, scale_groups, int4_ahead_bytes, prefetch>(packed, step_bytes, groups, group);
        const __m512i low = _mm512_loadu_si512(block->low), high = _mm512_loadu_si512(block->high);
        const __m512i starts =
            _mm512_cvtepi16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(block->starts)));
        const __m512 scales = _mm512_broadcast_f32x4(_mm_loadu_ps(block->scales));
        const std::byte* pairs = packed + group * int4_group_bytes;
        const std::byte* halves = packed + scales_at + group / scale_groups * 2;
#pragma GCC unroll 8
        for (int row = 0; row < rows; ++row, pairs += step_bytes, halves += step_bytes) {
            prefetch(pairs + pairs_ahead);
            const __m512i bytes = _mm512_shuffle_epi8(_mm512_loadu_si512(pairs), transpose);
            __m512i products = _mm512_dpbusd_epi32(
                starts, _mm512_ternarylogic_epi32(bytes, eight, low_half, xor_then_and), low);
            products = _mm512_dpbusd_epi32(
                products,
                _mm512_ternarylogic_epi32(_mm512_srli_epi16(bytes, 4), eight, low_half, xor_then_and), high);
            const __m512 weights_scales =
                scale_groups == 1 ? block_scales(halves) : _mm512_set1_ps(half_at(halves));
            // The weights' scale first: it is an f16, and the sum far from infinite with it.
            sums[row] = _mm512_fmadd_ps(_mm512_mul_ps(_mm512_cvtepi32_ps(products), weights_scales), scales,
                                        sums[row]);
        }
    }
#pragma GCC unroll 8
    for (int row = 0; row < rows; ++row) {
        float& to = out[static_cast<std::size_t>(row) * row_step];
        to = _mm512_reduce_add_ps(sums[row]);
        const std::byte* weights = packed + static_cast<std::size_t>(row) * step_bytes;
        if (group < groups) to += body::rest_of_row(weights, weights + scales_at, group, groups, *block);
    }
}

void gemv_int8(const std::byte* packed, std::size_t columns, const std::byte* activations, float* out,
               std::size_t row_begin, std::size_t row_end) {
    const std::size_t row_bytes = columns + sizeof(float);
    in_streams<streams, dots_int8<streams>, dots_int8<1>>(packed, row_bytes, columns, activations, out,
                                                          row_begin, row_end);
}

template <std::size_t scale_groups>
void gemv_int4(const std::byte* packed, std::size_t columns, const std::byte* activations, float* out,
               std::size_t row_begin, std::size_t row_end) {
    const std::size_t groups = columns / group_columns;
    const std::size_t row_bytes = groups * int4_group_bytes + groups / scale_groups * 2;
    in_streams<streams, dots_int4<streams, scale_groups>, dots_int4<1, scale_groups>>(
        packed, row_bytes, groups, activations, out, row_begin, row_end);
}

}  // namespace

const GemvTable gemv_table = {nullptr, nullptr,   nullptr,      nullptr,     nullptr,
                              nullptr, gemv_int8, gemv_int4<1>, gemv_int4<4>};

}  // namespace assay::kernels::avx512_vnni
