// Compiled for AArch64 with the dot product (Armv8.2): includes nothing whose inline functions other units
// share, lest the linker keep this unit's copy for a CPU without it.
#include <arm_neon.h>

#include "kernels/matrix/micro_kernels.h"
#include "kernels/matrix/tile_body.h"

namespace assay::kernels::neon {

namespace {

struct F32 {
    using Sum = float32x4_t;
    using Source = float32x4_t;
    static Sum zero() { return vdupq_n_f32(0); }
    static Sum load_sum(const void* from) { return vld1q_f32(static_cast<const float*>(from)); }
    static void store_sum(void* to, Sum sum) { vst1q_f32(static_cast<float*>(to), sum); }
    static Source load(const void* from) { return load_sum(from); }
    static Source broadcast(const void* word) { return vld1q_dup_f32(static_cast<const float*>(word)); }
    static Sum multiply_add(Sum sum, Source a, Source b) { return vfmaq_f32(sum, a, b); }
};

/// Four signed bytes of a row against four of each column, in 32-bit integers.
struct S8 {
    using Sum = int32x4_t;
    using Source = int8x16_t;
    static Sum zero() { return vdupq_n_s32(0); }
    static Sum load_sum(const void* from) { return vld1q_s32(static_cast<const int*>(from)); }
    static void store_sum(void* to, Sum sum) { vst1q_s32(static_cast<int*>(to), sum); }
    static Source load(const void* from) { return vld1q_s8(static_cast<const signed char*>(from)); }
    static Source broadcast(const void* word) {
        return vreinterpretq_s8_s32(vld1q_dup_s32(static_cast<const int*>(word)));
    }
    static Sum multiply_add(Sum sum, Source a, Source b) { return vdotq_s32(sum, a, b); }
};

// 24 of the 32 registers for sums, 4 for columns. As on x86 a part of a block fills half of 1 MiB of L2,
// which the documents' AArch64 machines share in fours; not measured on any of them.
constexpr MicroKernel kernels[] = {
    {"fmla 4s",
     {PackedElements::f32, 6, 1},
     {PackedElements::f32, 16, 1},
     1,
     {2048, 96, 512},
     multiply_tile<F32, 6, 4, 1>},
    {"sdot 4s",
     {PackedElements::s8, 6, 4},
     {PackedElements::s8, 16, 4},
     4,
     {2048, 96, 512},
     multiply_tile<S8, 6, 4, 4>},
};

}  // namespace

const MicroKernelTable micro_kernels = {kernels, sizeof kernels / sizeof kernels[0]};

}  // namespace assay::kernels::neon
