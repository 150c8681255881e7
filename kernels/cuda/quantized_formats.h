#pragma once

// The formats of quantized weights, as CUDA's kernels read them: columns of a chunk (16 bytes, what a thread
// loads at once) and values(), what they are in f32; whether a scale belongs to a row, and scale(), the one
// at an index.

#include "kernels/cuda/device_code.h"

namespace assay::quantized {

__device__ __forceinline__ unsigned part(const uint4& of, int index) {
    return index == 0 ? of.x : index == 1 ? of.y : index == 2 ? of.z : of.w;
}

// Byte (nibble) `index` of a word whose bytes are signed ones plus 128 (plus 8): as the low bits of 2^23,
// without the conversions that a multiprocessor does few of.
__device__ __forceinline__ float byte_of(unsigned biased, int index) {
    return __uint_as_float(((biased >> (8 * index)) & 0xffu) | 0x4b000000u) - 8388736.0f;
}
__device__ __forceinline__ float nibble_of(unsigned biased, int index) {
    return __uint_as_float(((biased >> (4 * index)) & 0xfu) | 0x4b000000u) - 8388616.0f;
}

struct Int8 {
    static constexpr unsigned columns = 16;
    static constexpr bool row_scale = true;
    __device__ static float scale(const unsigned char* scales, std::uint64_t index) {
        return reinterpret_cast<const float*>(scales)[index];
    }
    __device__ static void values(const uint4& chunk, float (&to)[columns]) {
#pragma unroll
        for (int word = 0; word < 4; ++word) {
            const unsigned biased = part(chunk, word) ^ 0x80808080u;
#pragma unroll
            for (int byte = 0; byte < 4; ++byte) to[4 * word + byte] = byte_of(biased, byte);
        }
    }
};

struct Int4 {
    static constexpr unsigned columns = 32;
    static constexpr bool row_scale = false;
    __device__ static float scale(const unsigned char* scales, std::uint64_t index) {
        return device::half_to_float(reinterpret_cast<const std::uint16_t*>(scales)[index]);
    }
    __device__ static void values(const uint4& chunk, float (&to)[columns]) {
#pragma unroll
        for (int word = 0; word < 4; ++word) {
            const unsigned biased = part(chunk, word) ^ 0x88888888u;
#pragma unroll
            for (int byte = 0; byte < 4; ++byte) {
                to[4 * word + byte] = nibble_of(biased, 2 * byte);
                to[4 * word + byte + 16] = nibble_of(biased, 2 * byte + 1);
            }
        }
    }
};

struct Fp8 {
    static constexpr unsigned columns = 16;
    static constexpr bool row_scale = true;
    __device__ static float scale(const unsigned char* scales, std::uint64_t index) {
        return reinterpret_cast<const float*>(scales)[index];
    }
    __device__ static void values(const uint4& chunk, float (&to)[columns]) {
#pragma unroll
        for (int word = 0; word < 4; ++word) {
#pragma unroll
            for (int half = 0; half < 2; ++half) {
                const device::Pair pair =
                    device::fp8s_to_floats(static_cast<std::uint16_t>(part(chunk, word) >> (16 * half)));
                to[4 * word + 2 * half] = pair.low;
                to[4 * word + 2 * half + 1] = pair.high;
            }
        }
    }
};

struct Bf16 {
    static constexpr unsigned columns = 8;
    static constexpr bool row_scale = false;
    __device__ static float scale(const unsigned char*, std::uint64_t) { return 1; }
    __device__ static void values(const uint4& chunk, float (&to)[columns]) {
#pragma unroll
        for (int word = 0; word < 4; ++word) {
            const device::Pair pair = device::bfloat16s_to_floats(part(chunk, word));
            to[2 * word] = pair.low;
            to[2 * word + 1] = pair.high;
        }
    }
};

struct F32 {
    static constexpr unsigned columns = 4;
    static constexpr bool row_scale = false;
    __device__ static float scale(const unsigned char*, std::uint64_t) { return 1; }
    __device__ static void values(const uint4& chunk, float (&to)[columns]) {
#pragma unroll
        for (int word = 0; word < 4; ++word) to[word] = __uint_as_float(part(chunk, word));
    }
};

template <typename Format>
constexpr bool has_group_scale = Format::columns == 32;

}  // namespace assay::quantized
