// Compiled for AVX2, FMA and F16C: includes nothing whose inline functions other units share, lest the linker
// keep this unit's copy for a CPU without them.
#include <immintrin.h>

#include "kernels/cpu/quantized_kernels.h"

namespace assay::kernels::avx2 {

namespace {

#include "kernels/cpu/quantized_streams_body.h"

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

/// Sums of `scale_groups` groups of 32 share an f16 scale.
template <std::size_t scale_groups>
float dot_int4(const std::byte* pairs, std::size_t groups, const float* in) {
    const std::byte* scales = pairs + groups * int4_group_bytes;
    const auto scale = [&](std::size_t group) { return half_at(scales + group / scale_groups * 2); };
    __m256 sums[2] = {_mm256_setzero_ps(), _mm256_setzero_ps()};
    std::size_t group = 0;
    for (; group + interleaved_groups <= groups; group += interleaved_groups) {
        const __m256i* lanes = reinterpret_cast<const __m256i*>(pairs + group * int4_group_bytes);
        prefetch(pairs + group * int4_group_bytes);
        const __m256i first = _mm256_loadu_si256(lanes), second = _mm256_loadu_si256(lanes + 1);
        const float* values = in + group * group_columns;
        sums[0] = add_group<0>(first, second, values, scale(group), sums[0]);
        sums[1] = add_group<2>(first, second, values + 32, scale(group + 1), sums[1]);
        sums[0] = add_group<4>(first, second, values + 64, scale(group + 2), sums[0]);
        sums[1] = add_group<6>(first, second, values + 96, scale(group + 3), sums[1]);
    }
    for (; group < groups; ++group) {
        const __m128i bytes =
            _mm_loadu_si128(reinterpret_cast<const __m128i*>(pairs + group * int4_group_bytes));
        sums[0] = add_group<0>(_mm256_cvtepu8_epi32(bytes), _mm256_cvtepu8_epi32(_mm_srli_si128(bytes, 8)),
                               in + group * group_columns, scale(group), sums[0]);
    }
    return sum_of(_mm256_add_ps(sums[0], sums[1]));
}

template <std::size_t scale_groups>
void gemv_int4(const std::byte* packed, std::size_t columns, const float* in, float* out,
               std::size_t row_begin, std::size_t row_end) {
    const std::size_t groups = columns / group_columns;
    const std::size_t row_bytes = groups * int4_group_bytes + groups / scale_groups * 2;
    for (std::size_t row = row_begin; row < row_end; ++row)
        out[row] = dot_int4<scale_groups>(packed + row * row_bytes, groups, in);
}

float float_at(const std::byte* at) {
    float value = 0;
    __builtin_memcpy(&value, at, sizeof value);
    return value;
}

/// Sixteen elements as f32.
struct Sixteen {
    __m256 first, second;
};
struct Int8 {
    static constexpr std::size_t bytes = 1, scale_bytes = 4;
    static Sixteen values(const std::byte* from) {
        return {to_floats(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(from))),
                to_floats(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(from + 8)))};
    }
    static float scale(const std::byte* row_end) { return float_at(row_end); }
};
struct Fp8 {
    static constexpr std::size_t bytes = 1, scale_bytes = 4;
    static Sixteen values(const std::byte* from) {
        // As f16 of the same three bits and an exponent that is 2^8 too small, which has room for subnormals;
        // 0x7f and 0xff, which would be 480, are NaN.
        const __m256i wide = _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
        const __m256i magnitude = _mm256_and_si256(wide, _mm256_set1_epi16(0x7f));
        const __m256i sign =
            _mm256_and_si256(_mm256_slli_epi16(wide, 8), _mm256_set1_epi16(static_cast<short>(0x8000)));
        const __m256i not_numbers = _mm256_cmpeq_epi16(magnitude, _mm256_set1_epi16(0x7f));
        const __m256i number = _mm256_or_si256(sign, _mm256_slli_epi16(magnitude, 7));
        const __m256i half = _mm256_blendv_epi8(number, _mm256_set1_epi16(0x7e00), not_numbers);
        return {_mm256_cvtph_ps(_mm256_castsi256_si128(half)),
                _mm256_cvtph_ps(_mm256_extracti128_si256(half, 1))};
    }
    static float scale(const std::byte* row_end) { return float_at(row_end) * 256; }
};
struct Bf16 {
    static constexpr std::size_t bytes = 2, scale_bytes = 0;
    static __m256 eight(const std::byte* from) {
        const __m128i halves = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
        return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(halves), 16));
    }
    static Sixteen values(const std::byte* from) { return {eight(from), eight(from + 16)}; }
    static float scale(const std::byte*) { return 1; }
};
struct F32 {
    static constexpr std::size_t bytes = 4, scale_bytes = 0;
    static Sixteen values(const std::byte* from) {
        const float* const floats = reinterpret_cast<const float*>(from);
        return {_mm256_loadu_ps(floats), _mm256_loadu_ps(floats + 8)};
    }
    static float scale(const std::byte*) { return 1; }
};

/// Rows `row_step` apart, which share each activation that is loaded. Each row's sums are made in the same
/// order whatever `rows` is.
template <typename Format, int rows>
void dots(const std::byte* packed, std::size_t row_step, std::size_t columns, const float* in, float* out) {
    const std::size_t step_bytes = row_step * (columns * Format::bytes + Format::scale_bytes);
    __m256 sums[rows][2];
#pragma GCC unroll 4
    for (int row = 0; row < rows; ++row) sums[row][0] = sums[row][1] = _mm256_setzero_ps();
    for (std::size_t column = 0; column < columns; column += 16) {
        const __m256 in0 = _mm256_loadu_ps(in + column), in1 = _mm256_loadu_ps(in + column + 8);
        const std::byte* weights = packed + column * Format::bytes;
#pragma GCC unroll 4
        for (int row = 0; row < rows; ++row, weights += step_bytes) {
            prefetch(weights);
            const Sixteen values = Format::values(weights);
            sums[row][0] = _mm256_fmadd_ps(values.first, in0, sums[row][0]);
            sums[row][1] = _mm256_fmadd_ps(values.second, in1, sums[row][1]);
        }
    }
#pragma GCC unroll 4
    for (int row = 0; row < rows; ++row)
        out[static_cast<std::size_t>(row) * row_step] =
            sum_of(_mm256_add_ps(sums[row][0], sums[row][1])) *
            Format::scale(packed + static_cast<std::size_t>(row) * step_bytes + columns * Format::bytes);
}

template <typename Format>
void gemv_elements(const std::byte* packed, std::size_t columns, const float* in, float* out,
                   std::size_t row_begin, std::size_t row_end) {
    const std::size_t row_bytes = columns * Format::bytes + Format::scale_bytes;
    in_streams<4, dots<Format, 4>, dots<Format, 1>>(packed, row_bytes, columns, in, out, row_begin, row_end);
}

}  // namespace

const GemvTable gemv_table = {gemv_elements<Int8>,
                              gemv_int4<1>,
                              gemv_int4<4>,
                              gemv_elements<Fp8>,
                              gemv_elements<Bf16>,
                              gemv_elements<F32>,
                              nullptr,
                              nullptr,
                              nullptr};

}  // namespace assay::kernels::avx2
