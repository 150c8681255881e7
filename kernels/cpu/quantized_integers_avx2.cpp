// Compiled for AVX2, FMA and F16C: includes nothing whose inline functions other units share, lest the linker
// keep this unit's copy for a CPU without them.
//
// Products with int8 activations on CPUs without VNNI. PMADDUBSW multiplies unsigned by signed bytes and adds
// pairs in 16 bits, with saturation: nibbles, made unsigned, are far from it; of int8 weights the magnitudes
// are taken and their signs given to the activations, for 128 × 127 × 2 just fits.
#include <immintrin.h>

#include "kernels/cpu/quantized_kernels.h"

namespace assay::kernels::avx2 {

namespace {

float half_at(const std::byte* at) {
    unsigned short half = 0;
    __builtin_memcpy(&half, at, sizeof half);
    return _cvtsh_ss(half);
}

#include "kernels/cpu/quantized_body.h"
#include "kernels/cpu/quantized_streams_body.h"

// As of the VNNI form.
constexpr std::size_t int8_ahead_bytes = 1024, int4_ahead_bytes = 6144;
constexpr std::size_t vector_bytes = 32;

void prefetch(const std::byte* from) {
    _mm_prefetch(reinterpret_cast<const char*>(from), _MM_HINT_T1);
}

__m256i load(const void* from) {
    return _mm256_loadu_si256(static_cast<const __m256i*>(from));
}

float sum_of(__m256 sums) {
    __m128 half = _mm_add_ps(_mm256_castps256_ps128(sums), _mm256_extractf128_ps(sums, 1));
    half = _mm_add_ps(half, _mm_movehl_ps(half, half));
    return _mm_cvtss_f32(_mm_add_ss(half, _mm_movehdup_ps(half)));
}

/// Pairs of 16 bits added up: a lane then has the products of four bytes.
__m256i pairs_added(__m256i pairs) {
    return _mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
}

/// Rows `row_step` apart, which share each activation that is loaded. Each row's sums are made in the same
/// order whatever `rows` is.
template <int rows>
void dots_int8(const std::byte* packed, std::size_t row_step, std::size_t columns,
               const std::byte* activations, float* out) {
    const std::size_t step_bytes = row_step * (columns + sizeof(float));
    __m256 sums[rows];
#pragma GCC unroll 4
    for (int row = 0; row < rows; ++row) sums[row] = _mm256_setzero_ps();
    const Int8Activations* const blocks = reinterpret_cast<const Int8Activations*>(activations);
    for (std::size_t column = 0; column < columns; column += vector_bytes) {
        const Int8Activations& block = blocks[column / sizeof block.values];
        const std::size_t inside = column % sizeof block.values;
        const __m256i values = load(block.values + inside);
        // All of one group of 32.
        const __m256 scales = _mm256_broadcast_ss(block.scales + inside / group_columns);
        const std::byte* weights = packed + column;
#pragma GCC unroll 4
        for (int row = 0; row < rows; ++row, weights += step_bytes) {
            if (inside == 0) prefetch(weights + int8_ahead_bytes);
            const __m256i bytes = load(weights);
            const __m256i products =
                _mm256_maddubs_epi16(_mm256_abs_epi8(bytes), _mm256_sign_epi8(values, bytes));
            sums[row] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(pairs_added(products)), scales, sums[row]);
        }
    }
#pragma GCC unroll 4
    for (int row = 0; row < rows; ++row)
        out[static_cast<std::size_t>(row) * row_step] =
            sum_of(sums[row]) * body::float_at(packed + static_cast<std::size_t>(row) * step_bytes + columns);
}

__m256i widened(const std::int16_t* from) {
    return _mm256_cvtepi16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
}

/// Four f16 scales, one for each group of a block, as its lanes want them.
__m256 block_scales(const std::byte* halves) {
    const __m128 four = _mm_cvtph_ps(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(halves)));
    return _mm256_set_m128(four, four);
}

template <int rows, std::size_t scale_groups>
void dots_int4(const std::byte* packed, std::size_t row_step, std::size_t groups,
               const std::byte* activations, float* out) {
    const std::size_t row_bytes = groups * int4_group_bytes + groups / scale_groups * 2;
    const std::size_t step_bytes = row_step * row_bytes;
    const std::size_t scales_at = groups * int4_group_bytes;
    const __m256i sign = _mm256_set1_epi8(static_cast<char>(0x88)), low_half = _mm256_set1_epi8(0x0f);
    // Of each four times four bytes the transpose: a lane's bytes are then of one group.
    const __m256i transpose =
        _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));
    __m256 sums[rows];
#pragma GCC unroll 4
    for (int row = 0; row < rows; ++row) sums[row] = _mm256_setzero_ps();
    const Int4Activations* block = reinterpret_cast<const Int4Activations*>(activations);
    std::size_t group = 0;
    for (; group + interleaved_groups <= groups; group += interleaved_groups, ++block) {
        const std::size_t pairs_ahead =
            look_ahead<rows, scale_groups, int4_ahead_bytes, prefetch>(packed, step_bytes, groups, group);
        // A block's halves are of the same groups: what they begin with and come to is added up.
        const __m256i starts = _mm256_add_epi32(widened(block->starts), widened(block->starts + 8));
        const __m256 scales = _mm256_broadcast_ps(reinterpret_cast<const __m128*>(block->scales));
        const std::byte* pairs = packed + group * int4_group_bytes;
        const std::byte* halves = packed + scales_at + group / scale_groups * 2;
#pragma GCC unroll 4
        for (int row = 0; row < rows; ++row, pairs += step_bytes, halves += step_bytes) {
            prefetch(pairs + pairs_ahead);
            __m256i products = _mm256_setzero_si256();
#pragma GCC unroll 2
            for (std::size_t at = 0; at < interleaved_bytes; at += vector_bytes) {
                const __m256i bytes =
                    _mm256_shuffle_epi8(_mm256_xor_si256(load(pairs + at), sign), transpose);
                const __m256i low =
                    _mm256_maddubs_epi16(_mm256_and_si256(bytes, low_half), load(block->low + at));
                const __m256i high = _mm256_maddubs_epi16(
                    _mm256_and_si256(_mm256_srli_epi16(bytes, 4), low_half), load(block->high + at));
                // Four times 15 × 127 × 2 is below 2^15.
                products = _mm256_add_epi16(products, _mm256_add_epi16(low, high));
            }
            const __m256 sum = _mm256_cvtepi32_ps(_mm256_add_epi32(pairs_added(products), starts));
            const __m256 weights_scales =
                scale_groups == 1 ? block_scales(halves) : _mm256_set1_ps(half_at(halves));
            // The weights' scale first: it is an f16, and the sum far from infinite with it.
            sums[row] = _mm256_fmadd_ps(_mm256_mul_ps(sum, weights_scales), scales, sums[row]);
        }
    }
#pragma GCC unroll 4
    for (int row = 0; row < rows; ++row) {
        float& to = out[static_cast<std::size_t>(row) * row_step];
        to = sum_of(sums[row]);
        const std::byte* weights = packed + static_cast<std::size_t>(row) * step_bytes;
        if (group < groups) to += body::rest_of_row(weights, weights + scales_at, group, groups, *block);
    }
}

void gemv_int8_integers(const std::byte* packed, std::size_t columns, const std::byte* activations,
                        float* out, std::size_t row_begin, std::size_t row_end) {
    const std::size_t row_bytes = columns + sizeof(float);
    in_streams<4, dots_int8<4>, dots_int8<1>>(packed, row_bytes, columns, activations, out, row_begin,
                                              row_end);
}

template <std::size_t scale_groups>
void gemv_int4_integers(const std::byte* packed, std::size_t columns, const std::byte* activations,
                        float* out, std::size_t row_begin, std::size_t row_end) {
    const std::size_t groups = columns / group_columns;
    const std::size_t row_bytes = groups * int4_group_bytes + groups / scale_groups * 2;
    in_streams<4, dots_int4<4, scale_groups>, dots_int4<1, scale_groups>>(
        packed, row_bytes, groups, activations, out, row_begin, row_end);
}

}  // namespace

const GemvTable integers_table = {nullptr,
                                  nullptr,
                                  nullptr,
                                  nullptr,
                                  nullptr,
                                  nullptr,
                                  gemv_int8_integers,
                                  gemv_int4_integers<1>,
                                  gemv_int4_integers<4>};

}  // namespace assay::kernels::avx2
