// Memory traffic in patterns; elements are 32-bit integers, whose sums and products are exact in any order. As
// kernels/opencl/stream.cl, but every number of steps under way has a name of its own.

#include "kernels/cuda/device_code.h"

namespace {

__device__ std::uint32_t mixed(std::uint32_t value) {
    value = (value ^ (value >> 16)) * 0x85ebca6bu;
    value = (value ^ (value >> 13)) * 0xc2b2ae35u;
    return value ^ (value >> 16);
}

// What a kernel does with its inputs, and which it has.
struct Write {
    static constexpr bool a = false, b = false;
    __device__ static std::uint32_t value(std::uint32_t, std::uint32_t, std::uint32_t scalar) { return scalar; }
};
struct Copy {
    static constexpr bool a = true, b = false;
    __device__ static std::uint32_t value(std::uint32_t left, std::uint32_t, std::uint32_t) { return left; }
};
struct Scale {
    static constexpr bool a = true, b = false;
    __device__ static std::uint32_t value(std::uint32_t left, std::uint32_t, std::uint32_t scalar) {
        return scalar * left;
    }
};
struct Add {
    static constexpr bool a = true, b = true;
    __device__ static std::uint32_t value(std::uint32_t left, std::uint32_t right, std::uint32_t) {
        return left + right;
    }
};
struct Triad {
    static constexpr bool a = true, b = true;
    __device__ static std::uint32_t value(std::uint32_t left, std::uint32_t right, std::uint32_t scalar) {
        return left + scalar * right;
    }
};

template <typename What>
__device__ uint4 values(uint4 left, uint4 right, std::uint32_t scalar) {
    return make_uint4(What::value(left.x, right.x, scalar), What::value(left.y, right.y, scalar),
                      What::value(left.z, right.z, scalar), What::value(left.w, right.w, scalar));
}

template <typename What>
__device__ void plain(uint4* out, const uint4* a, const uint4* b, std::uint32_t scalar, std::uint64_t count) {
    const std::uint64_t i = static_cast<std::uint64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (i >= count) return;
    const uint4 none = make_uint4(0, 0, 0, 0);
    out[i] = values<What>(What::a ? a[i] : none, What::b ? b[i] : none, scalar);
}

/// A block takes `unroll` vectors a thread side by side, then strides over all blocks; `count` is a multiple of
/// what a block takes. All loads of a step are under way before the first is used.
template <typename What, int unroll>
__device__ void strided(uint4* out, const uint4* a, const uint4* b, std::uint32_t scalar, std::uint64_t count) {
    const std::uint64_t width = blockDim.x, block = width * unroll;
    for (std::uint64_t i = blockIdx.x * block + threadIdx.x; i < count; i += gridDim.x * block) {
        uint4 left[unroll], right[unroll];
#pragma unroll
        for (int u = 0; u < unroll; ++u) {
            left[u] = right[u] = make_uint4(0, 0, 0, 0);
            if (What::a) left[u] = assay::device::load_once(a + i + u * width);
            if (What::b) right[u] = assay::device::load_once(b + i + u * width);
        }
#pragma unroll
        for (int u = 0; u < unroll; ++u)
            assay::device::store_once(out + i + u * width, values<What>(left[u], right[u], scalar));
    }
}

__device__ std::uint32_t sum_of_four(uint4 value) {
    return value.x + value.y + value.z + value.w;
}

/// A sum a thread, which the host adds up.
template <int unroll>
__device__ void read(std::uint32_t* out, const uint4* a, std::uint64_t count) {
    const std::uint64_t width = blockDim.x, block = width * unroll;
    std::uint32_t sum = 0;
    for (std::uint64_t i = blockIdx.x * block + threadIdx.x; i < count; i += gridDim.x * block) {
        uint4 loaded[unroll];
#pragma unroll
        for (int u = 0; u < unroll; ++u) loaded[u] = assay::device::load_once(a + i + u * width);
#pragma unroll
        for (int u = 0; u < unroll; ++u) sum += sum_of_four(loaded[u]);
    }
    out[static_cast<std::uint64_t>(blockIdx.x) * blockDim.x + threadIdx.x] = sum;
}

}  // namespace

/// The element at an index, as kernels/offload/stream.h gives it for the host.
extern "C" __global__ void fill(std::uint32_t* to, std::uint64_t count, std::uint32_t seed) {
    const std::uint64_t step = static_cast<std::uint64_t>(gridDim.x) * blockDim.x;
    for (std::uint64_t i = static_cast<std::uint64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += step)
        to[i] = mixed(static_cast<std::uint32_t>(i) ^ mixed(static_cast<std::uint32_t>(i >> 32) + seed));
}

#define ARGUMENTS uint4 *out, const uint4 *a, const uint4 *b, std::uint32_t scalar, std::uint64_t count
#define PATTERNS(name, What)                                                                              \
    extern "C" __global__ void name##_plain(ARGUMENTS) { plain<What>(out, a, b, scalar, count); }         \
    extern "C" __global__ void name##_strided1(ARGUMENTS) { strided<What, 1>(out, a, b, scalar, count); } \
    extern "C" __global__ void name##_strided2(ARGUMENTS) { strided<What, 2>(out, a, b, scalar, count); } \
    extern "C" __global__ void name##_strided4(ARGUMENTS) { strided<What, 4>(out, a, b, scalar, count); } \
    extern "C" __global__ void name##_strided8(ARGUMENTS) { strided<What, 8>(out, a, b, scalar, count); }
PATTERNS(write, Write)
PATTERNS(copy, Copy)
PATTERNS(scale, Scale)
PATTERNS(add, Add)
PATTERNS(triad, Triad)

#define READ_ARGUMENTS std::uint32_t *out, const uint4 *a, const uint4*, std::uint32_t, std::uint64_t count
extern "C" __global__ void read_plain(READ_ARGUMENTS) { read<1>(out, a, count); }
extern "C" __global__ void read_strided1(READ_ARGUMENTS) { read<1>(out, a, count); }
extern "C" __global__ void read_strided2(READ_ARGUMENTS) { read<2>(out, a, count); }
extern "C" __global__ void read_strided4(READ_ARGUMENTS) { read<4>(out, a, count); }
extern "C" __global__ void read_strided8(READ_ARGUMENTS) { read<8>(out, a, count); }
