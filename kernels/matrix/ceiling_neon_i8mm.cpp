// Compiled for AArch64 with products of byte matrices (I8MM): includes nothing whose inline functions
// other units share, lest the linker keep this unit's copy for a CPU without it.
#include <arm_neon.h>

#include "kernels/matrix/ceiling_body.h"
#include "kernels/matrix/ceiling_loops.h"

namespace assay::kernels::neon_i8mm {

namespace {

struct S8 {
    using Source = int8x16_t;
    using Sum = int32x4_t;
    static Sum zero() { return vdupq_n_s32(0); }
    static Source load(const void* from) { return vld1q_s8(static_cast<const signed char*>(from)); }
    static void store(void* to, Sum sum) { vst1q_s32(static_cast<int*>(to), sum); }
    static Sum multiply_add(Sum sum, Source a, Source b) { return vmmlaq_s32(sum, a, b); }
};

constexpr CeilingLoopEntry entries[] = {
    {CeilingElements::s8, "smmla 4s", 24, 16, 8, run_loop<S8, 24>, 32},
};

}  // namespace

const CeilingLoopTable ceiling_loops = {entries, sizeof entries / sizeof entries[0]};

}  // namespace assay::kernels::neon_i8mm
