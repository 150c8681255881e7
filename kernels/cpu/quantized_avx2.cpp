// Compiled for AVX2, FMA and F16C: includes nothing whose inline functions other units share, lest the linker
// keep this unit's copy for a CPU without them.
#include <immintrin.h>

#include "kernels/cpu/quantized_kernels.h"

namespace assay::kernels::avx2 {

namespace {

constexpr std::size_t prefetch_bytes = 4096;

void prefetch(const std::byte* from) {
    _mm_prefetch(reinterpret_cast<const char*>(from) + prefetch_bytes, _MM_HINT_T0);
}

float sum_of(__m256 sums) {
    __m128 half = _mm_add_ps(_mm256_castps256_ps128(sums), _mm256_extractf128_ps(sums, 1));
    half = _mm_add_ps(half, _mm_movehl_ps(half, half));
    return _mm_cvtss_f32(_mm_add_ss(half, _mm_movehdup_ps(half)));
}

/// Eight signed bytes, the lower half of `bytes`.
__m256 to_floats(__m128i bytes) {
    return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(bytes));
}

float dot_int8(const std::byte* weights, std::size_t columns, const float* in) {
    __m256 sums[4] = {_mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps()};
    for (std::size_t column = 0; column < columns; column += 32) {
        if (column % 64 == 0) prefetch(weights + column);
#pragma GCC unroll 4
        for (std::size_t part = 0; part < 4; ++part) {
            const std::byte* eight = weights + column + 8 * part;
            sums[part] = _mm256_fmadd_ps(to_floats(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(eight))),
                                         _mm256_loadu_ps(in + column + 8 * part), sums[part]);
        }
    }
    return sum_of(_mm256_add_ps(_mm256_add_ps(sums[0], sums[1]), _mm256_add_ps(sums[2], sums[3])));
}

/// The signed nibble `index` of each lane.
template <int index>
__m256 nibbles(__m256i lanes) {
    return _mm256_cvtepi32_ps(
        _mm256_srai_epi32(index == 7 ? lanes : _mm256_slli_epi32(lanes, 28 - 4 * index), 28));
}

/// sum += scale × (32 weights · 32 activations): nibbles `index` and the next of 8 + 8 lanes.
template <int index>
__m256 add_group(__m256i first, __m256i second, const float* in, float scale, __m256 sum) {
    __m256 even = _mm256_mul_ps(nibbles<index>(first), _mm256_loadu_ps(in));
    __m256 odd = _mm256_mul_ps(nibbles<index>(second), _mm256_loadu_ps(in + 8));
    even = _mm256_fmadd_ps(nibbles<index + 1>(first), _mm256_loadu_ps(in + 16), even);
    odd = _mm256_fmadd_ps(nibbles<index + 1>(second), _mm256_loadu_ps(in + 24), odd);
    return _mm256_fmadd_ps(_mm256_add_ps(even, odd), _mm256_set1_ps(scale), sum);
}

float half_at(const std::byte* at) {
    unsigned short half = 0;
    __builtin_memcpy(&half, at, sizeof half);
    return _cvtsh_ss(half);
}

float dot_int4(const std::byte* pairs, std::size_t groups, const float* in) {
    const std::byte* scales = pairs + groups * int4_group_bytes;
    __m256 sums[2] = {_mm256_setzero_ps(), _mm256_setzero_ps()};
    std::size_t group = 0;
    for (; group + interleaved_groups <= groups; group += interleaved_groups) {
        const __m256i* lanes = reinterpret_cast<const __m256i*>(pairs + group * int4_group_bytes);
        prefetch(pairs + group * int4_group_bytes);
        const __m256i first = _mm256_loadu_si256(lanes), second = _mm256_loadu_si256(lanes + 1);
        const float* values = in + group * group_columns;
        sums[0] = add_group<0>(first, second, values, half_at(scales + 2 * group), sums[0]);
        sums[1] = add_group<2>(first, second, values + 32, half_at(scales + 2 * (group + 1)), sums[1]);
        sums[0] = add_group<4>(first, second, values + 64, half_at(scales + 2 * (group + 2)), sums[0]);
        sums[1] = add_group<6>(first, second, values + 96, half_at(scales + 2 * (group + 3)), sums[1]);
    }
    for (; group < groups; ++group) {
        const __m128i bytes =
            _mm_loadu_si128(reinterpret_cast<const __m128i*>(pairs + group * int4_group_bytes));
        sums[0] = add_group<0>(_mm256_cvtepu8_epi32(bytes), _mm256_cvtepu8_epi32(_mm_srli_si128(bytes, 8)),
                               in + group * group_columns, half_at(scales + 2 * group), sums[0]);
    }
    return sum_of(_mm256_add_ps(sums[0], sums[1]));
}

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
    for (std::size_t row = row_begin; row < row_end; ++row)
        out[row] = dot_int4(packed + row * row_bytes, groups, in);
}

#include "kernels/cpu/quantized_body.h"

}  // namespace

const GemvTable gemv_table = {gemv_int8,
                              gemv_int4,
                              body::gemv_int4_g128,
                              body::gemv_fp8,
                              body::gemv_bf16,
                              body::gemv_f32,
                              body::gemv_int8_integers,
                              body::gemv_int4_integers<1>,
                              body::gemv_int4_integers<4>};

}  // namespace assay::kernels::avx2
