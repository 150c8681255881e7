// Compiled for AArch64 with products of bf16 matrices (BF16): includes nothing whose inline functions
// other units share, lest the linker keep this unit's copy for a CPU without it.
#include <arm_neon.h>

#include "kernels/matrix/ceiling_body.h"
#include "kernels/matrix/ceiling_loops.h"

namespace assay::kernels::neon_bf16 {

namespace {

struct Bf16 {
    using Source = bfloat16x8_t;
    using Sum = float32x4_t;
    static Sum zero() { return vdupq_n_f32(0); }
    static Source load(const void* from) { return vld1q_bf16(static_cast<const __bf16*>(from)); }
    static void store(void* to, Sum sum) { vst1q_f32(static_cast<float*>(to), sum); }
    static Sum multiply_add(Sum sum, Source a, Source b) { return vbfmmlaq_f32(sum, a, b); }
};

constexpr CeilingLoopEntry entries[] = {
    {CeilingElements::bf16, "bfmmla 4s", 24, 16, 4, run_loop<Bf16, 24>, 16},
};

}  // namespace

const CeilingLoopTable ceiling_loops = {entries, sizeof entries / sizeof entries[0]};

}  // namespace assay::kernels::neon_bf16
