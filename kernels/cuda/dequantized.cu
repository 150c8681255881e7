// What stands around a product where weights are quantized: activations quantized or bf16 weights made before
// it, or int32 sums scaled after it. Weights lie as kernels/offload/quantized.h says.

#include "kernels/cuda/device_code.h"
#include "kernels/cuda/quantized_formats.h"

namespace {

using namespace assay;
using namespace assay::quantized;

constexpr unsigned block_threads = 128;

// to [rows x columns] = the weights in bf16, scales multiplied in. A block takes a part of a row: blockIdx.x
// is the row. A thread makes pieces of eight columns, which it stores as 16 bytes beside its neighbours'. It
// loads no more than these take, 8 bytes (of int4 the 8 that another thread takes the other nibbles of): of
// 16 it would make two pieces or four, and a warp's stores would leave gaps that only the next ones fill.
constexpr unsigned piece = 8, pieces_of_thread = 4;

template <typename Format>
__device__ __forceinline__ void dequantize(const unsigned char* __restrict__ buffer, std::uint64_t at,
                                           unsigned char* __restrict__ to, unsigned rows, unsigned columns,
                                           unsigned scale_columns) {
    constexpr unsigned of_chunk = Format::columns / piece;  // 16 bytes of weights
    const std::uint64_t row = blockIdx.x;
    const unsigned pieces = columns / piece, chunks = columns / Format::columns;
    const uint4* const weights = reinterpret_cast<const uint4*>(buffer + at) + row * chunks;
    const unsigned char* const scales =
        buffer + at + static_cast<std::uint64_t>(rows) * chunks * sizeof(uint4);
    // Of int4 alone: chunks are groups of 32, and one or four of them share a scale.
    const unsigned scale_shift = scale_columns > Format::columns ? 2 : 0;
    const unsigned first = blockIdx.y * block_threads * pieces_of_thread + threadIdx.x;
    uint2 loaded[pieces_of_thread];
    float scale[pieces_of_thread];
    const float of_row = Format::row_scale ? Format::scale(scales, row) : 1;
#pragma unroll
    for (unsigned turn = 0; turn < pieces_of_thread; ++turn) {
        // Beyond the row's end its last piece once more, which is not stored: no branch parts the loads.
        const unsigned index = min(first + turn * block_threads, pieces - 1), chunk = index / of_chunk;
        loaded[turn] = device::load_once(reinterpret_cast<const uint2*>(weights + chunk) + index % 2);
        scale[turn] = of_row;
        if constexpr (has_group_scale<Format>)
            scale[turn] = Format::scale(scales, row * (chunks >> scale_shift) + (chunk >> scale_shift));
    }
    uint4* const out = reinterpret_cast<uint4*>(to) + row * pieces;
#pragma unroll
    for (unsigned turn = 0; turn < pieces_of_thread; ++turn) {
        const unsigned index = first + turn * block_threads;
        if (index >= pieces) continue;
        // The second half of a group of int4 is in the high nibbles.
        const unsigned shift = index % of_chunk >= 2 ? 4 : 0;
        float values[Format::columns];
        Format::values(make_uint4(loaded[turn].x >> shift, loaded[turn].y >> shift, 0, 0), values);
        unsigned two[piece / 2];
#pragma unroll
        for (unsigned i = 0; i < piece / 2; ++i)
            two[i] =
                device::floats_to_bfloat16s(values[2 * i] * scale[turn], values[2 * i + 1] * scale[turn]);
        out[index] = make_uint4(two[0], two[1], two[2], two[3]);
    }
}

}  // namespace

#define ASSAY_DEQUANTIZE(name, Format)                                                                   \
    extern "C" __global__ void __launch_bounds__(128)                                                    \
        name(const unsigned char* __restrict__ buffer, std::uint64_t at, unsigned char* __restrict__ to, \
             unsigned rows, unsigned columns, unsigned scale_columns) {                                  \
        dequantize<Format>(buffer, at, to, rows, columns, scale_columns);                                \
    }

ASSAY_DEQUANTIZE(dequantize_int8, Int8)
ASSAY_DEQUANTIZE(dequantize_int4, Int4)
ASSAY_DEQUANTIZE(dequantize_fp8, Fp8)

// values [blocks x columns] = bf16 activations in int8, with a scale a row, as quantize_for_device() makes
// them. A block takes a row, first for its largest magnitude, then from the caches once more.
constexpr unsigned row_threads = 256, warp_size = 32;

extern "C" __global__ void __launch_bounds__(256)
    quantize_activations(const unsigned char* __restrict__ from, unsigned char* __restrict__ values,
                         float* __restrict__ scales, unsigned columns) {
    const unsigned pieces = columns / piece;
    const uint4* const row = reinterpret_cast<const uint4*>(from) + std::uint64_t{blockIdx.x} * pieces;
    float largest = 0;
    for (unsigned index = threadIdx.x; index < pieces; index += row_threads) {
        const uint4 chunk = row[index];
        float given[piece];
        Bf16::values(chunk, given);
#pragma unroll
        for (unsigned i = 0; i < piece; ++i) largest = fmaxf(largest, fabsf(given[i]));
    }
    __shared__ float of_warps[row_threads / warp_size];
#pragma unroll
    for (int lanes = 16; lanes > 0; lanes /= 2)
        largest = fmaxf(largest, __shfl_xor_sync(0xffffffffu, largest, lanes));
    if (threadIdx.x % warp_size == 0) of_warps[threadIdx.x / warp_size] = largest;
    __syncthreads();
    for (unsigned warp = 0; warp < row_threads / warp_size; ++warp) largest = fmaxf(largest, of_warps[warp]);
    const float scale = largest / 127;
    if (threadIdx.x == 0) scales[blockIdx.x] = scale;
    uint2* const to = reinterpret_cast<uint2*>(values) + std::uint64_t{blockIdx.x} * pieces;
    for (unsigned index = threadIdx.x; index < pieces; index += row_threads) {
        const uint4 chunk = row[index];
        float given[piece];
        Bf16::values(chunk, given);
        unsigned words[2] = {};
#pragma unroll
        for (unsigned i = 0; i < piece; ++i) {
            const float rounded = scale > 0 ? fminf(fmaxf(rintf(given[i] / scale), -127.0f), 127.0f) : 0.0f;
            words[i / 4] |= (static_cast<unsigned>(static_cast<int>(rounded)) & 0xffu) << (8 * (i % 4));
        }
        to[index] = make_uint2(words[0], words[1]);
    }
}

// in_out [m x n], n a multiple of 4: int32 sums of int8 products become f32 results where they lie, each
// times its row's and its column's scale. A block takes four columns a thread of `rows_of_block` rows:
// blockIdx.x counts these.
constexpr unsigned rows_of_block = 4;

extern "C" __global__ void __launch_bounds__(128)
    scale_sums(const unsigned char* __restrict__ buffer, std::uint64_t scales_at,
               const float* __restrict__ row_scales, unsigned* in_out, unsigned m, unsigned n) {
    const unsigned first_row = blockIdx.x * rows_of_block;
    const unsigned column = (blockIdx.y * block_threads + threadIdx.x) * 4;
    if (column >= n) return;
    const float4 of_column = *reinterpret_cast<const float4*>(buffer + scales_at + column * sizeof(float));
    uint4 sums[rows_of_block];
#pragma unroll
    for (unsigned r = 0; r < rows_of_block; ++r) {
        const std::uint64_t row = min(first_row + r, m - 1);
        sums[r] = *reinterpret_cast<const uint4*>(in_out + row * n + column);
    }
#pragma unroll
    for (unsigned r = 0; r < rows_of_block; ++r) {
        const std::uint64_t row = first_row + r;
        if (row >= m) return;
        const float of_row = row_scales[row];
        const auto scaled = [&](unsigned sum, float by) {
            return __float_as_uint(device::scaled(static_cast<float>(static_cast<int>(sum)), of_row, by));
        };
        *reinterpret_cast<uint4*>(in_out + row * n + column) =
            make_uint4(scaled(sums[r].x, of_column.x), scaled(sums[r].y, of_column.y),
                       scaled(sums[r].z, of_column.z), scaled(sums[r].w, of_column.w));
    }
}
