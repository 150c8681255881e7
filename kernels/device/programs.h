#pragma once

#include <optional>
#include <string_view>
#include <vector>

namespace assay::kernels {

/// A program for accelerators that is part of the binary: "opencl/stream.cl", "cuda/stream.fatbin". CUDA's
/// are missing from a build without nvcc.
struct EmbeddedFile {
    std::string_view name;
    std::string_view content;
};
std::vector<EmbeddedFile> embedded_programs();
std::optional<std::string_view> embedded_program(std::string_view name);

}  // namespace assay::kernels
