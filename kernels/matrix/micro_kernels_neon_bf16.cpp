// Compiled for AArch64 with products of bf16 matrices (BF16): includes nothing whose inline functions
// other units share, lest the linker keep this unit's copy for a CPU without it.
#include <arm_neon.h>

#include "kernels/matrix/micro_kernels.h"
#include "kernels/matrix/pair_tile_body.h"

namespace assay::kernels::neon_bf16 {

namespace {

struct Bf16 {
    using Sum = float32x4_t;
    using Source = bfloat16x8_t;
    static Sum zero() { return vdupq_n_f32(0); }
    static Sum load_sum(const void* from) { return vld1q_f32(static_cast<const float*>(from)); }
    static void store_sum(void* to, Sum sum) { vst1q_f32(static_cast<float*>(to), sum); }
    static Source load(const void* from) { return vld1q_bf16(static_cast<const __bf16*>(from)); }
    static Sum multiply_add(Sum sum, Source rows, Source columns) { return vbfmmlaq_f32(sum, rows, columns); }
    static Sum low(Sum a, Sum b) {
        return vreinterpretq_f32_f64(vzip1q_f64(vreinterpretq_f64_f32(a), vreinterpretq_f64_f32(b)));
    }
    static Sum high(Sum a, Sum b) {
        return vreinterpretq_f32_f64(vzip2q_f64(vreinterpretq_f64_f32(a), vreinterpretq_f64_f32(b)));
    }
};

// Blocks as those of micro_kernels_neon.cpp.
constexpr MicroKernel kernels[] = {
    {"bfmmla 4s",
     {PackedElements::bf16, pair_tile_rows, 4},
     {PackedElements::bf16, pair_tile_columns, 4},
     4,
     {2048, 96, 512},
     multiply_pair_tile<Bf16, 4>},
};

}  // namespace

const MicroKernelTable micro_kernels = {kernels, sizeof kernels / sizeof kernels[0]};

}  // namespace assay::kernels::neon_bf16
