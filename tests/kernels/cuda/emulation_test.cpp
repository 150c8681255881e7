// What the tests' multiprocessor does with a kernel's threads, which the tests of kernels rely on.

#include <numeric>
#include <vector>

#include <gtest/gtest.h>

#include "tests/fake_cuda/blocks.h"
#include "tests/fake_cuda/simt.h"

namespace assay::simt {
namespace {

TEST(Emulation, RunsEveryThreadOfEveryBlockOnce) {
    std::vector<int> runs(3 * 2 * 8 * 5);
    EXPECT_EQ(run_grid({3, 2, 1}, {8, 5, 1},
                       [&] {
                           const unsigned block = blockIdx.y * gridDim.x + blockIdx.x;
                           const unsigned thread = threadIdx.y * blockDim.x + threadIdx.x;
                           ++runs[block * (blockDim.x * blockDim.y) + thread];
                       }),
              "");
    for (const int count : runs) EXPECT_EQ(count, 1);
}

TEST(Emulation, ABarrierIsPassedWhenAllHaveCome) {
    constexpr unsigned threads = 96;
    std::vector<int> sums(4 * threads);
    EXPECT_EQ(run_grid({4, 1, 1}, {threads, 1, 1},
                       [&] {
                           __shared__ int values[threads];
                           const unsigned me = threadIdx.x;
                           values[me] = static_cast<int>(me + 1000 * blockIdx.x);
                           __syncthreads();
                           const int other = values[threads - 1 - me];
                           __syncthreads();
                           values[me] = other;
                           __syncthreads();
                           sums[blockIdx.x * threads + me] = std::accumulate(values, values + threads, 0);
                       }),
              "");
    for (unsigned block = 0; block < 4; ++block)
        for (unsigned thread = 0; thread < threads; ++thread)
            EXPECT_EQ(sums[block * threads + thread], 95 * 96 / 2 + 1000 * 96 * static_cast<int>(block));
}

TEST(Emulation, AWarpSumsByShuffles) {
    std::vector<float> sums(2 * 64);
    EXPECT_EQ(run_grid({2, 1, 1}, {64, 1, 1},
                       [&] {
                           float value = static_cast<float>(threadIdx.x);
                           for (int bits = 16; bits > 0; bits /= 2)
                               value += __shfl_xor_sync(0xffffffffu, value, bits);
                           sums[blockIdx.x * 64 + threadIdx.x] = value;
                       }),
              "");
    for (unsigned i = 0; i < sums.size(); ++i) EXPECT_EQ(sums[i], i % 64 < 32 ? 496.0f : 1520.0f) << i;
}

TEST(Emulation, ShufflesTakeTheLaneThatCudaTakes) {
    struct Taken {
        int down, up, first, in_eights;
        std::uint32_t odd;
    };
    std::vector<Taken> taken(32);
    EXPECT_EQ(run_grid({1, 1, 1}, {32, 1, 1},
                       [&] {
                           const int me = static_cast<int>(threadIdx.x);
                           Taken& own = taken[threadIdx.x];
                           own.down = __shfl_down_sync(0xffffffffu, me, 4);
                           own.up = __shfl_up_sync(0xffffffffu, me, 4);
                           own.first = __shfl_sync(0xffffffffu, me, 0, 8);
                           own.in_eights = __shfl_down_sync(0xffffffffu, me, 4, 8);
                           own.odd = __ballot_sync(0xffffffffu, me % 2);
                       }),
              "");
    for (int lane = 0; lane < 32; ++lane) {
        const Taken& own = taken[static_cast<std::size_t>(lane)];
        EXPECT_EQ(own.down, lane < 28 ? lane + 4 : lane);
        EXPECT_EQ(own.up, lane >= 4 ? lane - 4 : lane);
        EXPECT_EQ(own.first, lane / 8 * 8);
        EXPECT_EQ(own.in_eights, lane % 8 < 4 ? lane + 4 : lane);
        EXPECT_EQ(own.odd, 0xaaaaaaaau);
    }
}

TEST(Emulation, ThreadsThatHaveEndedAreNotWaitedFor) {
    std::vector<int> seen(64);
    EXPECT_EQ(run_grid({1, 1, 1}, {64, 1, 1},
                       [&] {
                           if (threadIdx.x >= 40) return;
                           __syncthreads();
                           if (threadIdx.x >= 16 && threadIdx.x < 32) return;
                           __syncwarp();
                           seen[threadIdx.x] = 1;
                       }),
              "");
    EXPECT_EQ(std::accumulate(seen.begin(), seen.end(), 0), 24);
}

TEST(Emulation, ABarrierThatSomeNeverReachIsReported) {
    const std::string wrong = run_grid({2, 1, 1}, {64, 1, 1}, [&] {
        if (threadIdx.x % 2 == 0)
            __syncthreads();
        else
            __syncwarp();
    });
    EXPECT_NE(wrong.find("block (0, 0)"), std::string::npos) << wrong;
}

TEST(Emulation, AtomicsCountEveryThread) {
    unsigned count = 0;
    float sum = 0;
    EXPECT_EQ(run_grid({7, 1, 1}, {33, 1, 1},
                       [&] {
                           atomicAdd(&count, 1u);
                           atomicAdd(&sum, 0.5f);
                       }),
              "");
    EXPECT_EQ(count, 231u);
    EXPECT_EQ(sum, 115.5f);
}

}  // namespace
}  // namespace assay::simt
