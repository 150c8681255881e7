#pragma once

namespace assay::benchmarks {

// What a source file measures is registered by one function, which main calls. A new file is such
// a function, a line here and one in main.cpp.

void register_openblas_gemm();   ///< gemm/f32/openblas/n:N, gemm/f64/openblas/n:N
void register_onednn_gemm();     ///< gemm/f32|bf16|int8/onednn/n:N; only with ASSAY_WITH_ONEDNN
void register_own_gemm();        ///< gemm/f32|bf16|f16|int8/own/n:N
void register_ceiling();         ///< ceiling/f64|f32|bf16|f16|int8: registers alone
void register_quantized_gemm();  ///< quantized_gemm/FORMAT/ACTIVATIONS/own/m:M/n:N/k:K
void register_quantized_gemv();  ///< gemv/FORMAT/own/m:M/k:K, of all weight formats
void register_stream_read();     ///< stream/read/MiB:N

}  // namespace assay::benchmarks
