// Compiled for AArch64 with the dot product (Armv8.2): includes nothing whose inline functions other units
// share, lest the linker keep this unit's copy for a CPU without it.
#include <arm_neon.h>

#include "kernels/matrix/micro_kernels.h"

namespace assay::kernels::neon {

namespace {

// Not tile_body.h: its broadcasts (ld1r) take a vector pipe besides the load's on Arm's cores from N1 to V2,
// by their optimization guides, 6 for 24 multiplications. These multiply by a lane of a register instead,
// which holds the values of several rows.

/// 32 bits of a row against each 32 bits of columns: one f32.
struct F32 {
    using Sum = float32x4_t;
    using Source = float32x4_t;
    using HalfSource = float32x2_t;
    static Sum zero() { return vdupq_n_f32(0); }
    static Sum load_sum(const void* from) { return vld1q_f32(static_cast<const float*>(from)); }
    static void store_sum(void* to, Sum sum) { vst1q_f32(static_cast<float*>(to), sum); }
    static Source load(const char* from) { return load_sum(from); }
    static HalfSource load_half(const char* from) {
        return vld1_f32(static_cast<const float*>(static_cast<const void*>(from)));
    }
    template <int lane>
    static Sum multiply_add(Sum sum, Source column, Source rows) {
        return vfmaq_laneq_f32(sum, column, rows, lane);
    }
    template <int lane>
    static Sum multiply_add(Sum sum, Source column, HalfSource rows) {
        return vfmaq_lane_f32(sum, column, rows, lane);
    }
};

/// Likewise four signed bytes, summed in 32-bit integers.
struct S8 {
    using Sum = int32x4_t;
    using Source = int8x16_t;
    using HalfSource = int8x8_t;
    static Sum zero() { return vdupq_n_s32(0); }
    static Sum load_sum(const void* from) { return vld1q_s32(static_cast<const int*>(from)); }
    static void store_sum(void* to, Sum sum) { vst1q_s32(static_cast<int*>(to), sum); }
    static Source load(const char* from) {
        return vld1q_s8(static_cast<const signed char*>(static_cast<const void*>(from)));
    }
    static HalfSource load_half(const char* from) {
        return vld1_s8(static_cast<const signed char*>(static_cast<const void*>(from)));
    }
    template <int lane>
    static Sum multiply_add(Sum sum, Source column, Source rows) {
        return vdotq_laneq_s32(sum, column, rows, lane);
    }
    template <int lane>
    static Sum multiply_add(Sum sum, Source column, HalfSource rows) {
        return vdotq_lane_s32(sum, column, rows, lane);
    }
};

// 24 of the 32 registers for sums, 4 for columns, 2 for rows.
constexpr int row_count = 6;
constexpr int registers = 4;
constexpr int column_count = 4 * registers;

template <typename Operation, int lane, typename Rows>
inline void add_row(typename Operation::Sum* sums, const typename Operation::Source* columns, Rows rows) {
#pragma GCC unroll 4
    for (int r = 0; r < registers; ++r)
        sums[r] = Operation::template multiply_add<lane>(sums[r], columns[r], rows);
}

template <typename Operation, int group>
void multiply_by_lanes(std::size_t k, const void* a, const void* b, const std::int32_t* start, void* sums,
                       std::size_t stride, bool accumulate) {
    using Sum = typename Operation::Sum;
    using Source = typename Operation::Source;
    const char* at_a = static_cast<const char*>(a);
    const char* at_b = static_cast<const char*>(b);
    Sum tile[row_count][registers];
    const auto sums_at = [&](int row, int r) {
        return static_cast<std::int32_t*>(sums) + static_cast<std::size_t>(row) * stride + 4 * r;
    };
#pragma GCC unroll 6
    for (int row = 0; row < row_count; ++row)
#pragma GCC unroll 4
        for (int r = 0; r < registers; ++r)
            tile[row][r] = accumulate         ? Operation::load_sum(sums_at(row, r))
                           : start != nullptr ? Operation::load_sum(start + 4 * r)
                                              : Operation::zero();
    for (std::size_t step = 0; step < k; step += group) {
        Source columns[registers];
#pragma GCC unroll 4
        for (int r = 0; r < registers; ++r)
            columns[r] = Operation::load(at_b + static_cast<std::size_t>(r) * sizeof(Source));
        const Source upper = Operation::load(at_a);
        const typename Operation::HalfSource lower = Operation::load_half(at_a + sizeof(Source));
        add_row<Operation, 0>(tile[0], columns, upper);
        add_row<Operation, 1>(tile[1], columns, upper);
        add_row<Operation, 2>(tile[2], columns, upper);
        add_row<Operation, 3>(tile[3], columns, upper);
        add_row<Operation, 0>(tile[4], columns, lower);
        add_row<Operation, 1>(tile[5], columns, lower);
        at_a += row_count * 4;
        at_b += registers * sizeof(Source);
    }
#pragma GCC unroll 6
    for (int row = 0; row < row_count; ++row)
#pragma GCC unroll 4
        for (int r = 0; r < registers; ++r) Operation::store_sum(sums_at(row, r), tile[row][r]);
}

// As on x86 a part of a block fills half of 1 MiB of L2, which the documents' AArch64 machines share in
// fours; not measured on any of them.
constexpr Blocking blocking = {2048, 96, 512};

constexpr MicroKernel kernels[] = {
    {"fmla 4s",
     {PackedElements::f32, row_count, 1},
     {PackedElements::f32, column_count, 1},
     1,
     blocking,
     multiply_by_lanes<F32, 1>},
    {"sdot 4s",
     {PackedElements::s8, row_count, 4},
     {PackedElements::s8, column_count, 4},
     4,
     blocking,
     multiply_by_lanes<S8, 4>},
};

}  // namespace

const MicroKernelTable micro_kernels = {kernels, sizeof kernels / sizeof kernels[0]};

}  // namespace assay::kernels::neon
