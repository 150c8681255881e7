// Compiled for AArch64 with products of byte matrices (I8MM): includes nothing whose inline functions
// other units share, lest the linker keep this unit's copy for a CPU without it.
#include <arm_neon.h>

#include "kernels/matrix/micro_kernels.h"
#include "kernels/matrix/pair_tile_body.h"

namespace assay::kernels::neon_i8mm {

namespace {

struct S8 {
    using Sum = int32x4_t;
    using Source = int8x16_t;
    static Sum zero() { return vdupq_n_s32(0); }
    static Sum load_sum(const void* from) { return vld1q_s32(static_cast<const int*>(from)); }
    static void store_sum(void* to, Sum sum) { vst1q_s32(static_cast<int*>(to), sum); }
    static Source load(const void* from) { return vld1q_s8(static_cast<const signed char*>(from)); }
    static Sum multiply_add(Sum sum, Source rows, Source columns) { return vmmlaq_s32(sum, rows, columns); }
    static Sum low(Sum a, Sum b) {
        return vreinterpretq_s32_s64(vzip1q_s64(vreinterpretq_s64_s32(a), vreinterpretq_s64_s32(b)));
    }
    static Sum high(Sum a, Sum b) {
        return vreinterpretq_s32_s64(vzip2q_s64(vreinterpretq_s64_s32(a), vreinterpretq_s64_s32(b)));
    }
};

// Blocks as those of micro_kernels_neon.cpp.
constexpr MicroKernel kernels[] = {
    {"smmla 4s",
     {PackedElements::s8, pair_tile_rows, 8},
     {PackedElements::s8, pair_tile_columns, 8},
     8,
     {2048, 96, 512},
     multiply_pair_tile<S8, 8>},
};

}  // namespace

const MicroKernelTable micro_kernels = {kernels, sizeof kernels / sizeof kernels[0]};

}  // namespace assay::kernels::neon_i8mm
