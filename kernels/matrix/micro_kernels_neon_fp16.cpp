// Compiled for AArch64 with arithmetic in f16 (Armv8.2): includes nothing whose inline functions other units
// share, lest the linker keep this unit's copy for a CPU without it.
#include <arm_neon.h>

#include "kernels/matrix/micro_kernels.h"

namespace assay::kernels::neon_fp16 {

namespace {

// 24 of the 32 registers for sums, 3 for columns, 1 whose lanes are the rows (micro_kernels_neon.cpp says
// why).
constexpr int row_count = 8;
constexpr int registers = 3;
constexpr int column_count = 8 * registers;

template <int lane>
inline void add_row(float16x8_t* sums, const float16x8_t* columns, float16x8_t rows) {
#pragma GCC unroll 3
    for (int r = 0; r < registers; ++r)
        // vfmaq_laneq_f16: of that GCC 12 makes a copy of the lane, once, and has no registers left for sums.
        __asm__("fmla %0.8h, %1.8h, %2.h[%3]" : "+w"(sums[r]) : "w"(columns[r]), "x"(rows), "i"(lane));
}

inline void store_sums(float* to, float16x8_t sums, bool accumulate) {
    float32x4_t low = vcvt_f32_f16(vget_low_f16(sums)), high = vcvt_high_f32_f16(sums);
    if (accumulate) {
        low = vaddq_f32(low, vld1q_f32(to));
        high = vaddq_f32(high, vld1q_f32(to + 4));
    }
    vst1q_f32(to, low);
    vst1q_f32(to + 4, high);
}

/// As half_tile_body.h, where the reason is: after every 64 products f32 sums take up those of f16.
void multiply_by_lanes(std::size_t k, const void* a, const void* b, const std::int32_t* /*start*/, void* sums,
                       std::size_t stride, bool accumulate) {
    constexpr std::size_t promotion = 64;
    const __fp16* at_a = static_cast<const __fp16*>(a);
    const __fp16* at_b = static_cast<const __fp16*>(b);
    std::size_t done = 0;
    do {
        const std::size_t end = done + promotion < k ? done + promotion : k;
        float16x8_t tile[row_count][registers];
#pragma GCC unroll 8
        for (int row = 0; row < row_count; ++row)
#pragma GCC unroll 3
            for (int r = 0; r < registers; ++r) tile[row][r] = vdupq_n_f16(0);
        for (; done < end; ++done) {
            float16x8_t columns[registers];
#pragma GCC unroll 3
            for (int r = 0; r < registers; ++r) columns[r] = vld1q_f16(at_b + 8 * r);
            const float16x8_t rows = vld1q_f16(at_a);
            add_row<0>(tile[0], columns, rows);
            add_row<1>(tile[1], columns, rows);
            add_row<2>(tile[2], columns, rows);
            add_row<3>(tile[3], columns, rows);
            add_row<4>(tile[4], columns, rows);
            add_row<5>(tile[5], columns, rows);
            add_row<6>(tile[6], columns, rows);
            add_row<7>(tile[7], columns, rows);
            at_a += row_count;
            at_b += column_count;
        }
#pragma GCC unroll 8
        for (int row = 0; row < row_count; ++row)
#pragma GCC unroll 3
            for (int r = 0; r < registers; ++r)
                store_sums(static_cast<float*>(sums) + static_cast<std::size_t>(row) * stride + 8 * r,
                           tile[row][r], accumulate);
        accumulate = true;
    } while (done < k);
}

// Parts and blocks of bytes as those of f32.
constexpr MicroKernel kernels[] = {
    {"fmla 8h",
     {PackedElements::f16, row_count, 1},
     {PackedElements::f16, column_count, 1},
     1,
     {2048, 96, 512},
     multiply_by_lanes},
};

}  // namespace

const MicroKernelTable micro_kernels = {kernels, sizeof kernels / sizeof kernels[0]};

}  // namespace assay::kernels::neon_fp16
