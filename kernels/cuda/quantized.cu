// Quantized weights times a vector, and times a matrix. Weights lie as kernels/offload/quantized.h says: all
// rows' values, then all rows' scales; a row's values begin at a multiple of 16 bytes. A chunk is 16 bytes of
// them, what a thread loads at once; neighbouring threads load neighbouring chunks, each several before the
// first is used.

#include "kernels/cuda/device_code.h"
#include "kernels/cuda/quantized_formats.h"

namespace {

using namespace assay;
using namespace assay::quantized;

constexpr unsigned warp_size = 32, block_threads = 128;
constexpr unsigned group = 32;  // columns that share a scale of int8 activations

// Activations of a chunk, loaded once for all rows that meet them, and what they add to a row's sum.
template <typename Format>
struct FloatActivations {
    static constexpr unsigned columns = Format::columns;
    using Element = float;
    float in[columns];

    __device__ void load(const float* from, const float*, unsigned chunk) {
#pragma unroll
        for (unsigned i = 0; i < columns; i += 4) {
            const float4 four = *reinterpret_cast<const float4*>(from + chunk * columns + i);
            in[i] = four.x;
            in[i + 1] = four.y;
            in[i + 2] = four.z;
            in[i + 3] = four.w;
        }
    }
    __device__ float product(const uint4& chunk) const {
        float values[columns];
        Format::values(chunk, values);
        float sum = 0;
#pragma unroll
        for (unsigned i = 0; i < columns; ++i) sum += values[i] * in[i];
        return sum;
    }
};

// Int8 activations with a scale for each 32.
struct IntegersForInt8 {
    using Element = signed char;
    int4 in;
    float scale;

    __device__ void load(const signed char* from, const float* scales, unsigned chunk) {
        in = reinterpret_cast<const int4*>(from)[chunk];
        scale = scales[chunk / (group / Int8::columns)];
    }
    __device__ float product(const uint4& chunk) const {
        int sum = device::dot4(static_cast<int>(chunk.x), in.x, 0);
        sum = device::dot4(static_cast<int>(chunk.y), in.y, sum);
        sum = device::dot4(static_cast<int>(chunk.z), in.z, sum);
        sum = device::dot4(static_cast<int>(chunk.w), in.w, sum);
        return static_cast<float>(sum) * scale;
    }
};

struct IntegersForInt4 {
    using Element = signed char;
    int4 low, high;
    float scale;

    __device__ void load(const signed char* from, const float* scales, unsigned chunk) {
        low = reinterpret_cast<const int4*>(from)[2 * chunk];
        high = reinterpret_cast<const int4*>(from)[2 * chunk + 1];
        scale = scales[chunk] * 0.0625f;
    }
    // A nibble as the upper half of a byte is 16 times the number, with its sign.
    __device__ static int both(unsigned pairs, int low_in, int high_in, int sum) {
        sum = device::dot4(static_cast<int>((pairs << 4) & 0xf0f0f0f0u), low_in, sum);
        return device::dot4(static_cast<int>(pairs & 0xf0f0f0f0u), high_in, sum);
    }
    __device__ float product(const uint4& chunk) const {
        int sum = both(chunk.x, low.x, high.x, 0);
        sum = both(chunk.y, low.y, high.y, sum);
        sum = both(chunk.z, low.z, high.z, sum);
        sum = both(chunk.w, low.w, high.w, sum);
        return static_cast<float>(sum) * scale;
    }
};

__device__ __forceinline__ float added_up(float sum) {
#pragma unroll
    for (int lanes = 16; lanes > 0; lanes /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, lanes);
    return sum;
}

// out[r] = weights[r] times `in` [columns]; `warps` a row, or a warp `at_once` rows; each thread has `loads`
// chunks of every row under way. `scale_columns` share a scale of int4 (32 or 128).
template <typename Format, typename Activations, unsigned at_once, unsigned loads, unsigned warps>
__device__ __forceinline__ void gemv(const unsigned char* __restrict__ buffer, std::uint64_t at,
                                     const typename Activations::Element* __restrict__ in,
                                     const float* __restrict__ in_scales, float* __restrict__ out,
                                     unsigned rows, unsigned columns, unsigned scale_columns) {
    const unsigned lane = threadIdx.x % warp_size, warp = threadIdx.x / warp_size;
    const unsigned chunks = columns / Format::columns, threads = warps * warp_size;
    const unsigned first =
        warps == 1 ? (blockIdx.x * (block_threads / warp_size) + warp) * at_once : blockIdx.x;
    const uint4* const weights = reinterpret_cast<const uint4*>(buffer + at);
    const unsigned char* const scales =
        buffer + at + static_cast<std::uint64_t>(rows) * chunks * sizeof(uint4);
    const unsigned scale_chunks_shift = scale_columns > group ? 2 : 0;  // of int4 alone: chunks are groups
    const unsigned row_scales = chunks >> scale_chunks_shift;
    const uint4* row_weights[at_once];
    std::uint64_t row_scales_at[at_once];
#pragma unroll
    for (unsigned r = 0; r < at_once; ++r) {
        const std::uint64_t row = min(first + r, rows - 1);
        row_weights[r] = weights + row * chunks;
        row_scales_at[r] = row * row_scales;
    }
    float sums[at_once] = {};
    for (unsigned begin = warps == 1 ? lane : threadIdx.x; begin < chunks; begin += threads * loads) {
        // Beyond the last chunk that one once more, without weight: no branch parts the loads.
        uint4 loaded[loads][at_once];
        float loaded_scales[loads][at_once];
#pragma unroll
        for (unsigned load = 0; load < loads; ++load) {
            const unsigned chunk = min(begin + load * threads, chunks - 1);
#pragma unroll
            for (unsigned r = 0; r < at_once; ++r) {
                loaded[load][r] = device::load_once(row_weights[r] + chunk);
                loaded_scales[load][r] = 1;
                if constexpr (has_group_scale<Format>)
                    loaded_scales[load][r] =
                        Format::scale(scales, row_scales_at[r] + (chunk >> scale_chunks_shift));
            }
        }
#pragma unroll
        for (unsigned load = 0; load < loads; ++load) {
            const unsigned chunk = begin + load * threads;
            Activations activations;
            activations.load(in, in_scales, min(chunk, chunks - 1));
#pragma unroll
            for (unsigned r = 0; r < at_once; ++r) {
                const float product = activations.product(loaded[load][r]) * loaded_scales[load][r];
                sums[r] += chunk < chunks ? product : 0;
            }
        }
    }
    __shared__ float of_warps[block_threads / warp_size];
#pragma unroll
    for (unsigned r = 0; r < at_once; ++r) {
        float sum = added_up(sums[r]);
        if constexpr (warps > 1) {
            if (lane == 0) of_warps[warp] = sum;
            __syncthreads();
            sum = 0;
            for (unsigned w = 0; w < warps; ++w) sum += of_warps[w];
            if (warp != 0) return;
        }
        if (lane != 0 || first + r >= rows) continue;
        if constexpr (Format::row_scale) sum *= Format::scale(scales, first + r);
        out[first + r] = sum;
    }
}

// out [m x n] = in [m x columns] times the transpose of n rows of weights, brought to f32. A block of 16 x 16
// threads sums 64 x 64 results, four by four a thread, a step of 32 columns at a time through shared memory.
constexpr unsigned tile = 64, step_columns = 32, side = 16;

template <typename Format>
__device__ __forceinline__ void gemm(const unsigned char* __restrict__ buffer, std::uint64_t at,
                                     const float* __restrict__ in, float* __restrict__ out, unsigned m,
                                     unsigned n, unsigned columns, unsigned scale_columns) {
    alignas(16) __shared__ float left[step_columns][tile + 4];
    alignas(16) __shared__ float right[step_columns][tile + 4];
    constexpr unsigned step_chunks = step_columns / Format::columns;
    const unsigned chunks = columns / Format::columns, steps = columns / step_columns;
    // A scale a row, or one for each step or four.
    const unsigned row_scales = columns / scale_columns, scale_shift = scale_columns > step_columns ? 2 : 0;
    const uint4* const weights = reinterpret_cast<const uint4*>(buffer + at);
    const unsigned char* const scales = buffer + at + static_cast<std::uint64_t>(n) * chunks * sizeof(uint4);
    const unsigned thread = threadIdx.y * side + threadIdx.x;
    const unsigned first_row = blockIdx.y * tile, first_column = blockIdx.x * tile;
    float sums[4][4] = {};
    for (unsigned step = 0; step < steps; ++step) {
        for (unsigned index = thread; index < tile * step_chunks; index += side * side) {
            const unsigned fetched = index / step_chunks, chunk = index % step_chunks;
            const std::uint64_t column = min(first_column + fetched, n - 1);
            float values[Format::columns];
            Format::values(device::load_once(weights + column * chunks + step * step_chunks + chunk), values);
            const float scale =
                Format::scale(scales, column * row_scales + (row_scales == 1 ? 0 : step >> scale_shift));
#pragma unroll
            for (unsigned i = 0; i < Format::columns; ++i)
                right[chunk * Format::columns + i][fetched] = values[i] * scale;
        }
        for (unsigned index = thread; index < tile * (step_columns / 4); index += side * side) {
            const unsigned fetched = index / (step_columns / 4), l = index % (step_columns / 4) * 4;
            const std::uint64_t row = min(first_row + fetched, m - 1);
            const float4 four =
                *reinterpret_cast<const float4*>(in + row * columns + step * step_columns + l);
            left[l][fetched] = four.x;
            left[l + 1][fetched] = four.y;
            left[l + 2][fetched] = four.z;
            left[l + 3][fetched] = four.w;
        }
        __syncthreads();
#pragma unroll 8
        for (unsigned l = 0; l < step_columns; ++l) {
            const float4 a = *reinterpret_cast<const float4*>(&left[l][4 * threadIdx.y]);
            const float4 b = *reinterpret_cast<const float4*>(&right[l][4 * threadIdx.x]);
            const float rows[4] = {a.x, a.y, a.z, a.w}, results[4] = {b.x, b.y, b.z, b.w};
#pragma unroll
            for (unsigned r = 0; r < 4; ++r)
#pragma unroll
                for (unsigned c = 0; c < 4; ++c) sums[r][c] += rows[r] * results[c];
        }
        __syncthreads();
    }
#pragma unroll
    for (unsigned r = 0; r < 4; ++r)
#pragma unroll
        for (unsigned c = 0; c < 4; ++c) {
            const unsigned row = first_row + 4 * threadIdx.y + r, column = first_column + 4 * threadIdx.x + c;
            if (row < m && column < n) out[static_cast<std::uint64_t>(row) * n + column] = sums[r][c];
        }
}

}  // namespace

#define ASSAY_GEMV(name, Format, Activations, at_once, loads, warps)                                       \
    extern "C" __global__ void __launch_bounds__(128)                                                      \
        name(const unsigned char* __restrict__ buffer, std::uint64_t at,                                   \
             const Activations::Element* __restrict__ in, const float* __restrict__ in_scales,             \
             float* __restrict__ out, unsigned rows, unsigned columns, unsigned scale_columns, unsigned) { \
        gemv<Format, Activations, at_once, loads, warps>(buffer, at, in, in_scales, out, rows, columns,    \
                                                         scale_columns);                                   \
    }
#define ASSAY_GEMV_FORMS(name, Format, Activations)                   \
    ASSAY_GEMV(gemv_##name##_one_row, Format, Activations, 1, 4, 1)   \
    ASSAY_GEMV(gemv_##name##_two_rows, Format, Activations, 2, 2, 1)  \
    ASSAY_GEMV(gemv_##name##_four_rows, Format, Activations, 4, 1, 1) \
    ASSAY_GEMV(gemv_##name##_block_row, Format, Activations, 1, 4, 4)

ASSAY_GEMV_FORMS(int8, Int8, FloatActivations<Int8>)
ASSAY_GEMV_FORMS(int8_integers, Int8, IntegersForInt8)
ASSAY_GEMV_FORMS(int4, Int4, FloatActivations<Int4>)
ASSAY_GEMV_FORMS(int4_integers, Int4, IntegersForInt4)
ASSAY_GEMV_FORMS(fp8, Fp8, FloatActivations<Fp8>)
ASSAY_GEMV_FORMS(bf16, Bf16, FloatActivations<Bf16>)
ASSAY_GEMV_FORMS(f32, F32, FloatActivations<F32>)

#define ASSAY_GEMM(name, Format)                                                                       \
    extern "C" __global__ void __launch_bounds__(256)                                                  \
        name(const unsigned char* __restrict__ buffer, std::uint64_t at, const float* __restrict__ in, \
             const float*, float* __restrict__ out, unsigned m, unsigned n, unsigned columns,          \
             unsigned scale_columns) {                                                                 \
        gemm<Format>(buffer, at, in, out, m, n, columns, scale_columns);                               \
    }

ASSAY_GEMM(gemm_int8, Int8)
ASSAY_GEMM(gemm_int4, Int4)
ASSAY_GEMM(gemm_fp8, Fp8)
ASSAY_GEMM(gemm_bf16, Bf16)
ASSAY_GEMM(gemm_f32, F32)

// Int8 activations with a scale a row and int8 weights with one: products of four in one instruction, sums in
// int32.
extern "C" __global__ void __launch_bounds__(256)
    gemm_int8_integers(const unsigned char* buffer, std::uint64_t at, const signed char* in,
                       const float* in_scales, float* out, unsigned m, unsigned n, unsigned columns,
                       unsigned) {
    constexpr unsigned step_words = 16;  // of four columns
    alignas(16) __shared__ int left[step_words][tile + 4];
    alignas(16) __shared__ int right[step_words][tile + 4];
    const unsigned words = columns / 4;
    const unsigned char* const weights = buffer + at;
    const float* const scales =
        reinterpret_cast<const float*>(weights + static_cast<std::uint64_t>(n) * columns);
    const unsigned thread = threadIdx.y * side + threadIdx.x;
    const unsigned first_row = blockIdx.y * tile, first_column = blockIdx.x * tile;
    int sums[4][4] = {};
    for (unsigned step = 0; step < words; step += step_words) {
        // A thread a chunk of 16 bytes of each side; beyond the last column zeros.
        const unsigned fetched = thread / 4, word = thread % 4 * 4;
        const bool inside = step + word < words;
        const std::uint64_t row = min(first_row + fetched, m - 1),
                            column = min(first_column + fetched, n - 1);
        const uint4 zero = make_uint4(0, 0, 0, 0);
        const std::uint64_t offset = (step + word) * std::uint64_t{4};
        const uint4 of_left = inside ? *reinterpret_cast<const uint4*>(in + row * columns + offset) : zero;
        const uint4 of_right =
            inside ? *reinterpret_cast<const uint4*>(weights + column * columns + offset) : zero;
#pragma unroll
        for (int i = 0; i < 4; ++i) {
            left[word + i][fetched] = static_cast<int>(part(of_left, i));
            right[word + i][fetched] = static_cast<int>(part(of_right, i));
        }
        __syncthreads();
#pragma unroll
        for (unsigned l = 0; l < step_words; ++l) {
            const int4 a = *reinterpret_cast<const int4*>(&left[l][4 * threadIdx.y]);
            const int4 b = *reinterpret_cast<const int4*>(&right[l][4 * threadIdx.x]);
            const int rows[4] = {a.x, a.y, a.z, a.w}, results[4] = {b.x, b.y, b.z, b.w};
#pragma unroll
            for (unsigned r = 0; r < 4; ++r)
#pragma unroll
                for (unsigned c = 0; c < 4; ++c) sums[r][c] = device::dot4(rows[r], results[c], sums[r][c]);
        }
        __syncthreads();
    }
#pragma unroll
    for (unsigned r = 0; r < 4; ++r)
#pragma unroll
        for (unsigned c = 0; c < 4; ++c) {
            const unsigned row = first_row + 4 * threadIdx.y + r, column = first_column + 4 * threadIdx.x + c;
            if (row < m && column < n)
                out[static_cast<std::uint64_t>(row) * n + column] =
                    device::scaled(static_cast<float>(sums[r][c]), in_scales[row], scales[column]);
        }
}
