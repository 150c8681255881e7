// Compiled for AArch64 with arithmetic in f16 (Armv8.2): includes nothing whose inline functions other units
// share, lest the linker keep this unit's copy for a CPU without it.
#include <arm_neon.h>

#include "kernels/matrix/ceiling_body.h"
#include "kernels/matrix/ceiling_loops.h"

namespace assay::kernels::neon_fp16 {

namespace {

struct F16 {
    using Source = float16x8_t;
    using Sum = float16x8_t;
    static Sum zero() { return vdupq_n_f16(0); }
    static Source load(const void* from) { return vld1q_f16(static_cast<const __fp16*>(from)); }
    static void store(void* to, Sum sum) { vst1q_f16(static_cast<__fp16*>(to), sum); }
    static Sum multiply_add(Sum sum, Source a, Source b) { return vfmaq_f16(sum, a, b); }
};

constexpr CeilingLoopEntry entries[] = {
    {CeilingElements::f16, "fmla 8h", 24, 16, 1, run_loop<F16, 24>, 8},
};

}  // namespace

const CeilingLoopTable ceiling_loops = {entries, sizeof entries / sizeof entries[0]};

}  // namespace assay::kernels::neon_fp16
