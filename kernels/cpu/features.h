#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace assay::kernels {

/// Instruction sets that kernels are written for, lowest first within an architecture. What a CPU may have or
/// not within one (VNNI, BF16 and FP16 of avx512, AVX-VNNI of avx2) CpuFeatures tells.
enum class Isa { portable, neon, avx2, avx512, amx };
std::string_view to_string(Isa isa);
std::optional<Isa> isa_from_string(std::string_view name);

/// What CPU and operating system allow, read once.
struct CpuFeatures {
    bool avx2 = false;    ///< with FMA and F16C
    bool avx512 = false;  ///< F, BW, DQ, VL
    bool avx512_vnni = false;
    bool avx512_bf16 = false;
    bool avx512_fp16 = false;
    bool avx_vnni = false;
    bool amx_int8 = false;
    bool amx_bf16 = false;
    bool neon_dot_product = false;  ///< aarch64: SDOT
    // With SDOT:
    bool neon_fp16 = false;  ///< arithmetic in f16
    bool neon_bf16 = false;  ///< BFMMLA
    bool neon_i8mm = false;  ///< SMMLA
};
const CpuFeatures& cpu_features();
/// Whether kernels of that instruction set may run. The first question about amx asks Linux for the use of
/// its registers, which every thread of the process then has.
bool supports(Isa isa);
/// The best of portable, neon, avx2 and avx512: of kernels that have no form for matrix registers.
Isa best_vector_isa();

}  // namespace assay::kernels
