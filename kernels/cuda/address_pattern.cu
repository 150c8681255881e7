// Memory that tells its own addresses: kernels/cpu/address_pattern.h says which word stands where. As
// kernels/opencl/address_pattern.cl.

#include "kernels/cuda/device_code.h"

namespace {

constexpr std::uint64_t pattern_step = 0x9e3779b97f4a7c15u;
constexpr int steps = 4;  ///< vectors of two words that a thread takes of a block's part, all under way at once
constexpr int largest_block = 256;

__device__ uint4 vector_of(std::uint64_t low, std::uint64_t high) {
    return make_uint4(static_cast<std::uint32_t>(low), static_cast<std::uint32_t>(low >> 32),
                      static_cast<std::uint32_t>(high), static_cast<std::uint32_t>(high >> 32));
}
__device__ std::uint64_t low_word(uint4 vector) {
    return static_cast<std::uint64_t>(vector.y) << 32 | vector.x;
}
__device__ std::uint64_t high_word(uint4 vector) {
    return static_cast<std::uint64_t>(vector.w) << 32 | vector.z;
}

__device__ std::uint64_t pattern_word(std::uint64_t index, std::uint64_t seed, std::uint64_t mask) {
    const std::uint64_t x = seed + index * pattern_step;
    return x ^ (x >> 32) ^ mask;
}
/// The two words of a vector whose first has the index `index`.
__device__ uint4 pattern_words(std::uint64_t index, std::uint64_t seed, std::uint64_t mask) {
    const std::uint64_t x = seed + index * pattern_step, next = x + pattern_step;
    return vector_of(x ^ (x >> 32) ^ mask, next ^ (next >> 32) ^ mask);
}

/// What a thread or a block found; the host reads blocks' as words in this order.
struct Finding {
    std::uint64_t checked;  ///< words
    std::uint64_t wrong;    ///< of these
    std::uint64_t passing;  ///< parts that were wrong once and right when read again
    std::uint64_t flipped;  ///< all bits in which any was wrong
    std::uint64_t first;    ///< of the first wrong word the index
    std::uint64_t found;    ///< and what was found there
};

__device__ void merge(Finding& to, const Finding& from) {
    to.checked += from.checked;
    to.wrong += from.wrong;
    to.passing += from.passing;
    to.flipped |= from.flipped;
    if (from.first < to.first) {
        to.first = from.first;
        to.found = from.found;
    }
}

__device__ void add_wrong(Finding& finding, std::uint64_t index, std::uint64_t found, std::uint64_t expected) {
    if (found == expected) return;
    ++finding.wrong;
    finding.flipped |= found ^ expected;
    if (index < finding.first) {
        finding.first = index;
        finding.found = found;
    }
}

__device__ std::uint32_t difference(uint4 found, uint4 expected) {
    return (found.x ^ expected.x) | (found.y ^ expected.y) | (found.z ^ expected.z) | (found.w ^ expected.w);
}

}  // namespace

/// Writes `count` vectors, of which the first word has the index `first`. A block takes its part side by side,
/// then strides over all blocks.
extern "C" __global__ void pattern_write(uint4* words, std::uint64_t first, std::uint64_t count, std::uint64_t seed,
                                         std::uint64_t mask) {
    const std::uint64_t width = blockDim.x, part = width * steps;
    for (std::uint64_t begin = blockIdx.x * part; begin < count; begin += gridDim.x * part) {
        const std::uint64_t at = begin + threadIdx.x;
#pragma unroll
        for (int u = 0; u < steps; ++u) {
            const std::uint64_t i = at + u * width;
            if (i < count) assay::device::store_once(words + i, pattern_words(first + 2 * i, seed, mask));
        }
    }
}

/// Reads and compares what pattern_write wrote, from the end down, and leaves a Finding a block. Blocks have a
/// power of two of threads, at most largest_block.
extern "C" __global__ void pattern_verify(const uint4* words, std::uint64_t* findings, std::uint64_t first,
                                          std::uint64_t count, std::uint64_t seed, std::uint64_t mask) {
    const std::uint64_t width = blockDim.x, part = width * steps, last = count - 1;
    Finding finding = {0, 0, 0, 0, ~std::uint64_t{0}, 0};
    for (std::uint64_t begin = blockIdx.x * part; begin < count; begin += gridDim.x * part) {
        const std::uint64_t from = begin + threadIdx.x;
        uint4 read[steps];
#pragma unroll
        for (int u = 0; u < steps; ++u) {
            read[u] = make_uint4(0, 0, 0, 0);
            if (from + u * width < count) read[u] = assay::device::load_once(words + (last - from - u * width));
        }
        std::uint32_t different = 0;
#pragma unroll
        for (int u = 0; u < steps; ++u) {
            if (from + u * width >= count) continue;
            const std::uint64_t index = first + 2 * (last - from - u * width);
            different |= difference(read[u], pattern_words(index, seed, mask));
            finding.checked += 2;
        }
        if (different == 0) continue;
        const std::uint64_t wrong_before = finding.wrong;
        std::uint64_t flipped = 0;
#pragma unroll
        for (int u = 0; u < steps; ++u) {
            if (from + u * width >= count) continue;
            const std::uint64_t at = last - from - u * width, index = first + 2 * at;
            const uint4 again = assay::device::load_once(words + at);
            const std::uint64_t low = pattern_word(index, seed, mask), high = pattern_word(index + 1, seed, mask);
            add_wrong(finding, index, low_word(again), low);
            add_wrong(finding, index + 1, high_word(again), high);
            flipped |= (low_word(read[u]) ^ low) | (high_word(read[u]) ^ high);
        }
        if (finding.wrong == wrong_before) {
            // Which of its words it was is not told.
            ++finding.passing;
            finding.flipped |= flipped;
        }
    }
    __shared__ Finding all[largest_block];
    all[threadIdx.x] = finding;
    for (unsigned half = blockDim.x / 2; half > 0; half /= 2) {
        __syncthreads();
        if (threadIdx.x < half) merge(all[threadIdx.x], all[threadIdx.x + half]);
    }
    if (threadIdx.x != 0) return;
    const Finding& one = all[0];
    std::uint64_t* const out = findings + static_cast<std::uint64_t>(blockIdx.x) * 6;
    out[0] = one.checked;
    out[1] = one.wrong;
    out[2] = one.passing;
    out[3] = one.flipped;
    out[4] = one.first;
    out[5] = one.found;
}
