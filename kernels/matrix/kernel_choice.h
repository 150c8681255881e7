#pragma once

#include <optional>
#include <vector>

#include "kernels/cpu/features.h"
#include "kernels/matrix/micro_kernels.h"
#include "kernels/matrix/precision.h"

namespace assay::kernels {

/// A micro-kernel of an instruction set, and what it multiplies: `arithmetic` is another precision than that
/// of the operands where these are widened, f16 to f32, say.
struct MatrixKernel {
    Isa isa = Isa::portable;
    Precision arithmetic = Precision::f32;
    const MicroKernel* micro = nullptr;

    bool sums_integers() const { return arithmetic == Precision::int8; }
};

/// All kernels of `isa` that this CPU may run and that multiply operands of `precision`, the better first:
/// native ones, then those that widen. Empty for f64, and where the CPU has not `isa`.
std::vector<MatrixKernel> matrix_kernels(Precision precision, Isa isa);
/// The first of these; nothing: there is none.
std::optional<MatrixKernel> best_matrix_kernel(Precision precision, Isa isa);
/// That of the best instruction set; nothing for f64 alone.
std::optional<MatrixKernel> best_matrix_kernel(Precision precision);

}  // namespace assay::kernels
