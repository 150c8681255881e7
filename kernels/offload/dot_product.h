#pragma once

#include <string>

#include "kernels/device/accelerator.h"

namespace assay::kernels {

/// True where one instruction of an OpenCL device adds up four products of bytes.
inline bool has_dot_product(const Accelerator& accelerator) {
    return accelerator.has_extension("cl_khr_integer_dot_product");
}

/// Compiler options without which its functions may be unknown: compilers made from clang (Intel's)
/// declare them to no program of OpenCL C 1.2.
inline std::string dot_product_options(const Accelerator& accelerator) {
    return accelerator.info().interface.starts_with("OpenCL 3.") ? " -cl-std=CL3.0" : "";
}

}  // namespace assay::kernels
