#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>

#include "kernels/device/device.h"

namespace assay::cuda::lt {

// Our own declarations of cuBLASLt, as its documentation has them; tests hold them against the vendor's
// header.

using Handle = void*;
using MatmulDescriptor = void*;
using MatrixLayout = void*;
using Preference = void*;

enum class Status : int { success = 0, not_initialized = 1, arch_mismatch = 8, not_supported = 15 };
enum class DataType : int { f32 = 0, f64 = 1, f16 = 2, int8 = 3, int32 = 10, bf16 = 14, fp8_e4m3 = 28 };
enum class ComputeType : int { f32 = 68, f64 = 70, int32 = 72, f32_fast_tf32 = 77 };
enum class DescriptorAttribute : int { transpose_a = 3, transpose_b = 4 };
enum class PreferenceAttribute : int { maximum_workspace_bytes = 1 };
inline constexpr std::int32_t transposed = 1;

struct Algorithm {
    std::uint64_t data[8];
};
struct HeuristicResult {
    Algorithm algorithm;
    std::size_t workspace_bytes;
    Status state;
    float waves;
    int reserved[4];
};

/// The functions that we call.
struct Api {
    Status (*create)(Handle*) = nullptr;
    Status (*destroy)(Handle) = nullptr;
    std::size_t (*get_version)() = nullptr;
    Status (*matmul_desc_create)(MatmulDescriptor*, ComputeType, DataType scale) = nullptr;
    Status (*matmul_desc_destroy)(MatmulDescriptor) = nullptr;
    Status (*matmul_desc_set_attribute)(MatmulDescriptor, DescriptorAttribute, const void*,
                                        std::size_t) = nullptr;
    Status (*matrix_layout_create)(MatrixLayout*, DataType, std::uint64_t rows, std::uint64_t columns,
                                   std::int64_t leading_dimension) = nullptr;
    Status (*matrix_layout_destroy)(MatrixLayout) = nullptr;
    Status (*preference_create)(Preference*) = nullptr;
    Status (*preference_destroy)(Preference) = nullptr;
    Status (*preference_set_attribute)(Preference, PreferenceAttribute, const void*, std::size_t) = nullptr;
    Status (*get_heuristic)(Handle, MatmulDescriptor, MatrixLayout a, MatrixLayout b, MatrixLayout c,
                            MatrixLayout d, Preference, int asked, HeuristicResult*, int* found) = nullptr;
    Status (*matmul)(Handle, MatmulDescriptor, const void* alpha, const void* a, MatrixLayout, const void* b,
                     MatrixLayout, const void* beta, const void* c, MatrixLayout, void* d, MatrixLayout,
                     const Algorithm*, void* workspace, std::size_t workspace_bytes, void* stream) = nullptr;

    std::string library;  ///< "libcublasLt.so.13"
    std::string version() const;
};

/// The library for that card and its driver, loaded once; the reason names what is wanted.
std::variant<const Api*, Absent> api(const DeviceInfo& card);

/// Throws DeviceError, which names the call, where `status` is an error.
void require(Status status, const std::string& call);

}  // namespace assay::cuda::lt
