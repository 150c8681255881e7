#pragma once

// What CUDA adds to C++, as far as our kernels use it, for the host's compiler: a program of kernels/cuda is
// compiled with this before it (kernels.cmake). A thread of a block is a fiber (blocks.cpp); those of one
// warp meet in shuffles, those of one block in barriers.

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>

// ---- words of the language
#define __global__
#define __device__
#define __host__
#define __constant__
#define __forceinline__ inline
#define __noinline__
#define __launch_bounds__(...)
#define __align__(bytes) alignas(bytes)
/// A stream's blocks run one after the other on a thread of its own.
#define __shared__ static thread_local

// ---- vector types, aligned as CUDA's
#define ASSAY_SIMT_VECTORS(base, element, two, four)                            \
    struct alignas(two) base##2 {                                               \
        element x, y;                                                           \
    };                                                                          \
    struct base##3 {                                                            \
        element x, y, z;                                                        \
    };                                                                          \
    struct alignas(four) base##4 {                                              \
        element x, y, z, w;                                                     \
    };                                                                          \
    inline base##2 make_##base##2(element x, element y) {                       \
        return {x, y};                                                          \
    }                                                                           \
    inline base##3 make_##base##3(element x, element y, element z) {            \
        return {x, y, z};                                                       \
    }                                                                           \
    inline base##4 make_##base##4(element x, element y, element z, element w) { \
        return {x, y, z, w};                                                    \
    }
ASSAY_SIMT_VECTORS(char, signed char, 2, 4)
ASSAY_SIMT_VECTORS(uchar, unsigned char, 2, 4)
ASSAY_SIMT_VECTORS(short, short, 4, 8)
ASSAY_SIMT_VECTORS(ushort, unsigned short, 4, 8)
ASSAY_SIMT_VECTORS(int, int, 8, 16)
ASSAY_SIMT_VECTORS(uint, unsigned, 8, 16)
ASSAY_SIMT_VECTORS(float, float, 8, 16)
ASSAY_SIMT_VECTORS(double, double, 16, 16)
ASSAY_SIMT_VECTORS(longlong, long long, 16, 16)
ASSAY_SIMT_VECTORS(ulonglong, unsigned long long, 16, 16)
#undef ASSAY_SIMT_VECTORS
struct dim3 {
    unsigned x = 1, y = 1, z = 1;
};

// ---- where a thread is
namespace assay::simt {
struct Place {
    uint3 thread, block;
    dim3 block_size, grid_size;
};
extern thread_local Place* place;  ///< of the fiber that runs

void block_barrier();
/// Lanes of `mask` (those of them that have not ended) wait for each other.
void warp_barrier(std::uint32_t mask);
/// What lane `source` gave, of 8 bytes at most, once all lanes of `mask` have given theirs; all ones where
/// that lane gives nothing.
std::uint64_t exchange(std::uint32_t mask, std::uint64_t given, unsigned source);
/// A bit for each lane of `mask` that gave true.
std::uint32_t ballot(std::uint32_t mask, bool given);
unsigned lane();

template <typename Value>
Value shuffled(std::uint32_t mask, Value value, unsigned source) {
    static_assert(sizeof(Value) <= 8);
    std::uint64_t bits = 0;
    std::memcpy(&bits, &value, sizeof value);
    bits = exchange(mask, bits, source);
    std::memcpy(&value, &bits, sizeof value);
    return value;
}
}  // namespace assay::simt

#define threadIdx (::assay::simt::place->thread)
#define blockIdx (::assay::simt::place->block)
#define blockDim (::assay::simt::place->block_size)
#define gridDim (::assay::simt::place->grid_size)
#define warpSize 32

// ---- what threads do together
inline void __syncthreads() {
    assay::simt::block_barrier();
}
inline void __syncwarp(std::uint32_t mask = 0xffffffffu) {
    assay::simt::warp_barrier(mask);
}
inline void __threadfence() {
    std::atomic_thread_fence(std::memory_order_seq_cst);
}
inline void __threadfence_block() {
    __threadfence();
}
inline void __threadfence_system() {
    __threadfence();
}

// Lanes beyond the end of a segment of `width` get their own value back.
template <typename Value>
Value __shfl_sync(std::uint32_t mask, Value value, int source, int width = warpSize) {
    const unsigned lane = assay::simt::lane(), segment = lane & ~static_cast<unsigned>(width - 1);
    return assay::simt::shuffled(mask, value, segment + (static_cast<unsigned>(source) & (width - 1)));
}
template <typename Value>
Value __shfl_xor_sync(std::uint32_t mask, Value value, int bits, int width = warpSize) {
    const unsigned lane = assay::simt::lane(), source = lane ^ static_cast<unsigned>(bits);
    const unsigned end = (lane & ~static_cast<unsigned>(width - 1)) + static_cast<unsigned>(width);
    return assay::simt::shuffled(mask, value, source < end ? source : lane);
}
template <typename Value>
Value __shfl_down_sync(std::uint32_t mask, Value value, unsigned delta, int width = warpSize) {
    const unsigned lane = assay::simt::lane(), source = lane + delta;
    const unsigned end = (lane & ~static_cast<unsigned>(width - 1)) + static_cast<unsigned>(width);
    return assay::simt::shuffled(mask, value, source < end ? source : lane);
}
template <typename Value>
Value __shfl_up_sync(std::uint32_t mask, Value value, unsigned delta, int width = warpSize) {
    const unsigned lane = assay::simt::lane(), begin = lane & ~static_cast<unsigned>(width - 1);
    return assay::simt::shuffled(mask, value, lane >= begin + delta ? lane - delta : lane);
}
inline std::uint32_t __ballot_sync(std::uint32_t mask, int given) {
    return assay::simt::ballot(mask, given != 0);
}
inline int __any_sync(std::uint32_t mask, int given) {
    return assay::simt::ballot(mask, given != 0) != 0;
}
inline int __all_sync(std::uint32_t mask, int given) {
    return assay::simt::ballot(mask, given == 0) == 0;
}

template <typename Value>
Value atomicAdd(Value* to, Value value) {
    return std::atomic_ref<Value>(*to).fetch_add(value);
}
template <typename Value>
Value atomicExch(Value* to, Value value) {
    return std::atomic_ref<Value>(*to).exchange(value);
}
template <typename Value>
Value atomicCAS(Value* to, Value expected, Value value) {
    std::atomic_ref<Value>(*to).compare_exchange_strong(expected, value);
    return expected;
}
template <typename Value>
Value atomicOr(Value* to, Value value) {
    return std::atomic_ref<Value>(*to).fetch_or(value);
}
template <typename Value>
Value atomicMin(Value* to, Value value) {
    std::atomic_ref<Value> there(*to);
    Value old = there.load();
    while (value < old && !there.compare_exchange_weak(old, value)) {
    }
    return old;
}
template <typename Value>
Value atomicMax(Value* to, Value value) {
    std::atomic_ref<Value> there(*to);
    Value old = there.load();
    while (old < value && !there.compare_exchange_weak(old, value)) {
    }
    return old;
}

// ---- arithmetic
inline int __dp4a(int a, int b, int sum) {
    for (int byte = 0; byte < 4; ++byte)
        sum += static_cast<std::int8_t>(a >> (8 * byte)) * static_cast<std::int8_t>(b >> (8 * byte));
    return sum;
}
inline unsigned __float_as_uint(float value) {
    unsigned bits = 0;
    std::memcpy(&bits, &value, sizeof bits);
    return bits;
}
inline float __uint_as_float(unsigned bits) {
    float value = 0;
    std::memcpy(&value, &bits, sizeof value);
    return value;
}
inline int __float_as_int(float value) {
    return static_cast<int>(__float_as_uint(value));
}
inline float __int_as_float(int bits) {
    return __uint_as_float(static_cast<unsigned>(bits));
}
inline int __popc(unsigned value) {
    return __builtin_popcount(value);
}
inline int __clz(int value) {
    return value == 0 ? 32 : __builtin_clz(static_cast<unsigned>(value));
}
inline float __fmaf_rn(float a, float b, float c) {
    return std::fma(a, b, c);
}
inline float rsqrtf(float value) {
    return 1 / std::sqrt(value);
}
template <typename Value>
Value __ldg(const Value* from) {
    return *from;
}
using std::max;
using std::min;
