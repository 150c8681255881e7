// Compiled for AArch64 with the dot product (Armv8.2): includes nothing whose inline functions other units
// share, lest the linker keep this unit's copy for a CPU without it.
#include <arm_neon.h>

#include "kernels/matrix/ceiling_body.h"
#include "kernels/matrix/ceiling_loops.h"

namespace assay::kernels::neon {

namespace {

struct F32 {
    using Source = float32x4_t;
    using Sum = float32x4_t;
    static Sum zero() { return vdupq_n_f32(0); }
    static Source load(const void* from) { return vld1q_f32(static_cast<const float*>(from)); }
    static void store(void* to, Sum sum) { vst1q_f32(static_cast<float*>(to), sum); }
    static Sum multiply_add(Sum sum, Source a, Source b) { return vfmaq_f32(sum, a, b); }
};

struct F64 {
    using Source = float64x2_t;
    using Sum = float64x2_t;
    static Sum zero() { return vdupq_n_f64(0); }
    static Source load(const void* from) { return vld1q_f64(static_cast<const double*>(from)); }
    static void store(void* to, Sum sum) { vst1q_f64(static_cast<double*>(to), sum); }
    static Sum multiply_add(Sum sum, Source a, Source b) { return vfmaq_f64(sum, a, b); }
};

struct S8 {
    using Source = int8x16_t;
    using Sum = int32x4_t;
    static Sum zero() { return vdupq_n_s32(0); }
    static Source load(const void* from) { return vld1q_s8(static_cast<const signed char*>(from)); }
    static void store(void* to, Sum sum) { vst1q_s32(static_cast<int*>(to), sum); }
    static Sum multiply_add(Sum sum, Source a, Source b) { return vdotq_s32(sum, a, b); }
};

constexpr CeilingLoopEntry entries[] = {
    {CeilingElements::f32, "fmla 4s", 24, 16, 1, run_loop<F32, 24>, 4},
    {CeilingElements::f64, "fmla 2d", 24, 16, 1, run_loop<F64, 24>, 2},
    {CeilingElements::s8, "sdot 4s", 24, 16, 4, run_loop<S8, 24>, 16},
};

}  // namespace

const CeilingLoopTable ceiling_loops = {entries, sizeof entries / sizeof entries[0]};

}  // namespace assay::kernels::neon
