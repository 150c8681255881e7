#pragma once

// What CUDA's kernels need beside the language: conversions, loads that keep out of the caches' way, dot
// products of bytes. Conversions are the CPU's (bit for bit), or instructions that round as they do. Without
// nvcc every function has a form for the host, for the tests' emulation of a multiprocessor, which also
// declares what is CUDA's own (threadIdx, uint4).

#include <cstdint>

#if defined(__CUDACC__) && __cplusplus < 202002L
#error "compile with -std=c++20 --expt-relaxed-constexpr, as scripts/cmake/cuda.cmake does"
#endif

#include "kernels/cpu/fp8.h"
#include "kernels/cpu/half.h"
#include "kernels/matrix/bfloat16.h"

#ifdef __CUDACC__
#define ASSAY_DEVICE __device__ __forceinline__
#else
#include <chrono>
#include <thread>
#define ASSAY_DEVICE inline
#endif

namespace assay::device {

/// IEEE binary16 to binary32; exact.
ASSAY_DEVICE float half_to_float(std::uint16_t half) {
#ifdef __CUDA_ARCH__
    float value;
    asm("cvt.f32.f16 %0, %1;" : "=f"(value) : "h"(half));
    return value;
#else
    return kernels::half_to_float(half);
#endif
}

/// binary32 to binary16, rounded to nearest, ties to even; too large becomes infinite.
ASSAY_DEVICE std::uint16_t float_to_half(float value) {
#ifdef __CUDA_ARCH__
    std::uint16_t half;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(half) : "f"(value));
    return half;
#else
    return kernels::float_to_half(value);
#endif
}

/// bfloat16 to binary32, exact, and back, rounded to nearest, ties to even.
ASSAY_DEVICE float bfloat16_to_float(std::uint16_t value) {
    return kernels::bfloat16_to_float(value);
}
ASSAY_DEVICE std::uint16_t float_to_bfloat16(float value) {
    return kernels::float_to_bfloat16(value);
}

/// FP8 E4M3 to binary32, exact, and back, rounded to nearest, ties to even; beyond ±448 the largest.
ASSAY_DEVICE float fp8_to_float(std::uint8_t value) {
    return kernels::fp8_to_float(value);
}
ASSAY_DEVICE std::uint8_t float_to_fp8(float value) {
    return kernels::float_to_fp8(value);
}

/// Two values that lie beside each other in memory, the lower one first; exact. FP8 costs one instruction
/// from compute capability 8.9 on.
struct Pair {
    float low, high;
};
ASSAY_DEVICE Pair halves_to_floats(std::uint32_t two) {
    return {half_to_float(static_cast<std::uint16_t>(two)),
            half_to_float(static_cast<std::uint16_t>(two >> 16))};
}
ASSAY_DEVICE Pair bfloat16s_to_floats(std::uint32_t two) {
    return {bfloat16_to_float(static_cast<std::uint16_t>(two)),
            bfloat16_to_float(static_cast<std::uint16_t>(two >> 16))};
}
ASSAY_DEVICE Pair fp8s_to_floats(std::uint16_t two) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 890
    std::uint32_t halves;
    asm("cvt.rn.f16x2.e4m3x2 %0, %1;" : "=r"(halves) : "h"(two));
    return halves_to_floats(halves);
#else
    return {fp8_to_float(static_cast<std::uint8_t>(two)), fp8_to_float(static_cast<std::uint8_t>(two >> 8))};
#endif
}

/// Two values as bfloat16 beside each other, the lower one first, rounded as float_to_bfloat16 does. One
/// instruction from compute capability 8.0 on.
ASSAY_DEVICE std::uint32_t floats_to_bfloat16s(float low, float high) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
    std::uint32_t two;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(two) : "f"(high), "f"(low));
    return two;
#else
    return float_to_bfloat16(low) | static_cast<std::uint32_t>(float_to_bfloat16(high)) << 16;
#endif
}

/// 16 bytes (8, 4) that are read once: by the read-only path, and first to leave the first-level cache. The
/// kernel must not write them. `from` is aligned to their size. Volatile, so that the compiler leaves several
/// beside each other where they stand, and all are under way at once.
ASSAY_DEVICE uint4 load_once(const uint4* from) {
#ifdef __CUDA_ARCH__
    uint4 value;
    asm volatile("ld.global.nc.L1::no_allocate.v4.u32 {%0, %1, %2, %3}, [%4];"
                 : "=r"(value.x), "=r"(value.y), "=r"(value.z), "=r"(value.w)
                 : "l"(from));
    return value;
#else
    return *from;
#endif
}
ASSAY_DEVICE uint2 load_once(const uint2* from) {
#ifdef __CUDA_ARCH__
    uint2 value;
    asm volatile("ld.global.nc.L1::no_allocate.v2.u32 {%0, %1}, [%2];"
                 : "=r"(value.x), "=r"(value.y)
                 : "l"(from));
    return value;
#else
    return *from;
#endif
}
ASSAY_DEVICE std::uint32_t load_once(const std::uint32_t* from) {
#ifdef __CUDA_ARCH__
    std::uint32_t value;
    asm volatile("ld.global.nc.L1::no_allocate.u32 %0, [%1];" : "=r"(value) : "l"(from));
    return value;
#else
    return *from;
#endif
}

/// 16 bytes that nobody reads soon: first to leave the caches.
ASSAY_DEVICE void store_once(uint4* to, uint4 value) {
#ifdef __CUDA_ARCH__
    asm volatile("st.global.cs.v4.u32 [%0], {%1, %2, %3, %4};"
                 :
                 : "l"(to), "r"(value.x), "r"(value.y), "r"(value.z), "r"(value.w)
                 : "memory");
#else
    *to = value;
#endif
}

/// sum + the four signed bytes of `a` times those of `b`, each with its own.
ASSAY_DEVICE int dot4(int a, int b, int sum) {
#ifdef __CUDA_ARCH__
    return __dp4a(a, b, sum);
#else
    for (int byte = 0; byte < 4; ++byte)
        sum += static_cast<std::int8_t>(a >> (8 * byte)) * static_cast<std::int8_t>(b >> (8 * byte));
    return sum;
#endif
}

/// A sum times its row's and its column's scale, the smaller first: then no step is infinite where the result
/// is finite. A scale that is NaN stays one.
ASSAY_DEVICE float scaled(float sum, float row_scale, float column_scale) {
    const float smaller = row_scale < column_scale ? row_scale : column_scale;
    const float larger = row_scale < column_scale ? column_scale : row_scale;
    return sum * smaller * larger;
}

/// A clock that all multiprocessors share, and a wait of about that long.
ASSAY_DEVICE std::uint64_t nanoseconds() {
#ifdef __CUDA_ARCH__
    std::uint64_t time;
    asm volatile("mov.u64 %0, %globaltimer;" : "=l"(time));
    return time;
#else
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                          std::chrono::steady_clock::now().time_since_epoch())
                                          .count());
#endif
}
ASSAY_DEVICE void pause(unsigned duration_ns) {
#ifdef __CUDA_ARCH__
    __nanosleep(duration_ns);
#else
    std::this_thread::sleep_for(std::chrono::nanoseconds(duration_ns));
#endif
}

}  // namespace assay::device
