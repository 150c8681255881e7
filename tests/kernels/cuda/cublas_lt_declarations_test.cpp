// Our declarations of cuBLASLt against NVIDIA's, where its toolkit is at hand when the tests are built.
#if __has_include(<cublasLt.h>)

#include <cublasLt.h>
#include <gtest/gtest.h>

#include "kernels/cuda/cublas_lt_api.h"

namespace assay::cuda::lt {
namespace {

static_assert(static_cast<int>(DataType::f32) == CUDA_R_32F);
static_assert(static_cast<int>(DataType::f64) == CUDA_R_64F);
static_assert(static_cast<int>(DataType::f16) == CUDA_R_16F);
static_assert(static_cast<int>(DataType::bf16) == CUDA_R_16BF);
static_assert(static_cast<int>(DataType::int8) == CUDA_R_8I);
static_assert(static_cast<int>(DataType::int32) == CUDA_R_32I);
static_assert(static_cast<int>(DataType::fp8_e4m3) == CUDA_R_8F_E4M3);
static_assert(static_cast<int>(ComputeType::f32) == CUBLAS_COMPUTE_32F);
static_assert(static_cast<int>(ComputeType::f64) == CUBLAS_COMPUTE_64F);
static_assert(static_cast<int>(ComputeType::int32) == CUBLAS_COMPUTE_32I);
static_assert(static_cast<int>(ComputeType::f32_fast_tf32) == CUBLAS_COMPUTE_32F_FAST_TF32);
static_assert(static_cast<int>(DescriptorAttribute::transpose_a) == CUBLASLT_MATMUL_DESC_TRANSA);
static_assert(static_cast<int>(DescriptorAttribute::transpose_b) == CUBLASLT_MATMUL_DESC_TRANSB);
static_assert(static_cast<int>(PreferenceAttribute::maximum_workspace_bytes) ==
              CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES);
static_assert(transposed == CUBLAS_OP_T && sizeof transposed == sizeof(cublasOperation_t));
static_assert(static_cast<int>(Status::success) == CUBLAS_STATUS_SUCCESS);
static_assert(static_cast<int>(Status::not_initialized) == CUBLAS_STATUS_NOT_INITIALIZED);
static_assert(static_cast<int>(Status::arch_mismatch) == CUBLAS_STATUS_ARCH_MISMATCH);
static_assert(static_cast<int>(Status::not_supported) == CUBLAS_STATUS_NOT_SUPPORTED);
static_assert(sizeof(Algorithm) == sizeof(cublasLtMatmulAlgo_t));
static_assert(sizeof(HeuristicResult) == sizeof(cublasLtMatmulHeuristicResult_t));
static_assert(offsetof(HeuristicResult, workspace_bytes) ==
              offsetof(cublasLtMatmulHeuristicResult_t, workspaceSize));
static_assert(offsetof(HeuristicResult, state) == offsetof(cublasLtMatmulHeuristicResult_t, state));

TEST(CublasLtDeclarations, AreThoseOfTheVendorsHeader) {
    SUCCEED() << "held when this was compiled";
}

}  // namespace
}  // namespace assay::cuda::lt

#endif
