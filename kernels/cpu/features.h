#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace assay::kernels {

/// Instruction sets that kernels are written for, lowest first within an architecture.
enum class Isa { portable, avx2, avx512, avx512_vnni };
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
};
const CpuFeatures& cpu_features();
bool supports(Isa isa);
Isa best_isa();

}  // namespace assay::kernels
