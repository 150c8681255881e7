#pragma once

// What a quantized product does around its micro-kernel, as tables, one an instruction set;
// kernels/matrix/quantized_kernel.cpp chooses.
//
// Quantized right operands are kept in panels of 32 columns. int4: a 32-bit word for each four values of k
// and each of 16 lanes; byte i of lane l holds value i of column l in its low four bits, of column 16 + l in
// its high ones. fp8: a word for each four values of k and each of 32 columns, value i in byte i.

#include <cstddef>
#include <cstdint>

namespace assay::kernels {

inline constexpr std::size_t stored_columns = 32;

/// Into a micro-kernel's panels of `extent` columns, 16 (two panels, one after the other) or 32, for `k`
/// values, a multiple of 4; scales are [k / group][32].
struct PanelFunctions {
    void (*int4_to_f32)(const std::uint32_t* words, const float* scales, std::size_t group, std::size_t k,
                        std::size_t extent, float* out);
    void (*int4_to_bf16)(const std::uint32_t* words, const float* scales, std::size_t group, std::size_t k,
                         std::size_t extent, std::uint32_t* out);
    /// Without scales; sums [k / group][32] of the values of each group.
    void (*int4_to_s8)(const std::uint32_t* words, std::size_t group, std::size_t k, std::size_t extent,
                       std::uint32_t* out, std::int32_t* sums);
    void (*fp8_to_f32)(const std::uint32_t* words, std::size_t k, std::size_t extent, float* out);
    void (*fp8_to_bf16)(const std::uint32_t* words, std::size_t k, std::size_t extent, std::uint32_t* out);

    /// A row of activations as int8, and its scale; NaN where one is not finite.
    float (*quantize_row)(const float* in, std::size_t count, std::int8_t* out);
    void (*to_bf16)(const float* in, std::size_t count, std::uint16_t* out);

    /// sums[i][j] (+)= tile[i][j] × scales[j], both [rows × columns].
    void (*add_scaled)(const std::int32_t* tile, const float* scales, std::size_t rows, std::size_t columns,
                       bool accumulate, float* sums);
    /// out[j] = sums[j] × row_scale × column_scales[j]; column_scales may be null: ones.
    void (*finish_integers)(const std::int32_t* sums, float row_scale, const float* column_scales,
                            std::size_t count, float* out);
    void (*finish_floats)(const float* sums, float row_scale, const float* column_scales, std::size_t count,
                          float* out);
};

namespace portable {
extern const PanelFunctions panel_functions;
}
namespace avx2 {
extern const PanelFunctions panel_functions;
}
namespace avx512 {
extern const PanelFunctions panel_functions;
}
namespace neon {
extern const PanelFunctions panel_functions;
}

}  // namespace assay::kernels
