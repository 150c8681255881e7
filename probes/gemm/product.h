#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "kernels/cpu/gemm.h"
#include "kernels/matrix/kernel_choice.h"
#include "probes/core/probe.h"
#include "probes/gemm/matrices.h"

namespace assay {

/// A way to multiply, ready to be timed: what is prepared once is done.
struct PreparedProduct {
    std::function<void()> multiply;
    /// Binds the caller to where it is to multiply, as long as what it returns lives. Own kernels' team does
    /// so by itself: empty.
    std::function<std::shared_ptr<void>()> bind_caller;
    kernels::Precision arithmetic = kernels::Precision::f32;
    std::map<std::string, std::string> resolved;
    std::vector<std::string> notes;
};

/// f64 and f32 through OpenBLAS. Start it before a team of ours lives: its threads would inherit the CPU that
/// the caller is pinned to.
PreparedProduct prepare_openblas(const kernels::OpenBlas& blas, const Matrices& matrices, int threads);

/// Own kernels, both operands packed here. Its team lives as long as the product.
PreparedProduct prepare_own(const kernels::MatrixKernel& kernel, const Matrices& matrices, Device& device,
                            int threads);
/// Bytes of the packed operands besides those of the matrices.
std::uint64_t packed_bytes(const kernels::MatrixKernel& kernel, const MatrixShape& shape);

/// The kernel that a case asks for: of its `isa`, else the best. Throws InputError where `isa` has none for
/// the precision; nothing for f64.
std::optional<kernels::MatrixKernel> own_kernel_of(const Case& the_case);

}  // namespace assay
