#pragma once

#include <string_view>
#include <vector>

#include "reports/figure.h"
#include "reports/measured_limits.h"

namespace assay {

/// What a derived figure tells of a kernel. All are quotients of two figures of the same run.
enum class DerivedKind {
    share_of_ceiling,  ///< of gemm.ceiling on the same device, with its arithmetic, isa and threads
    /// Of memory.bandwidth reading, on the same device with as many threads. Of products with a vector alone:
    /// a matrix product meets each weight with many rows, and its bytes a second tell nothing of the memory.
    share_of_memory,
    speed_up_over_f32,   ///< against the same product in f32
    share_of_f32_bytes,  ///< bytes a weight (quantized.accuracy.bytes_per_weight), of the four that f32 takes
    share_of_f16_bytes,  ///< the same of the two that f16 takes
};
std::string_view to_string(DerivedKind kind);  ///< "share_of_ceiling", as in JSON

/// Pointers are good for as long as the outcomes are.
struct DerivedFigure {
    DerivedKind kind = DerivedKind::share_of_ceiling;
    Measured of;
    Measured to;  ///< no outcome: a format's bytes, which are known and not measured
    /// Whether `to` is a product of another shape, for want of one of the same.
    bool other_shape = false;
    Figure figure;  ///< a finite value; above 1 stays above 1
};

/// Pure. By kind, then in the outcomes' order. Only measured outcomes count, and what has nothing to be held
/// against (another instruction set, another number of threads, another device) has no figure.
std::vector<DerivedFigure> derived_figures(const std::vector<Outcome>& outcomes);

}  // namespace assay
