#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "kernels/cpu/features.h"

namespace assay::kernels {

/// How weights are kept. int8: one f32 scale a row. int4: groups of 32 along the row, an f16 scale a group
/// (4.5 bits a weight).
enum class WeightFormat { int8, int4 };
std::string_view to_string(WeightFormat format);

/// Bytes that one packed row of `columns` weights takes, scales included. `columns` is a multiple of 32.
std::size_t packed_row_bytes(WeightFormat format, std::size_t columns);

/// Quantizes row-major f32 weights [rows × columns] into packed rows (rows × packed_row_bytes). The layout is
/// the same for every instruction set.
void quantize_rows(WeightFormat format, const float* weights, std::size_t rows, std::size_t columns,
                   std::byte* packed);

/// The f32 values that packed rows stand for: what references multiply with.
void dequantize_rows(WeightFormat format, const std::byte* packed, std::size_t rows, std::size_t columns,
                     float* weights);

/// Weight-only quantized matrix-vector product: out[r] = sum_c weight[r][c] × in[c] for r in [row_begin,
/// row_end), on the calling thread. `in` is f32 [columns], `out` f32 [rows], indexed from row 0.
void gemv(Isa isa, WeightFormat format, const std::byte* packed, std::size_t columns, const float* in,
          float* out, std::size_t row_begin, std::size_t row_end);

}  // namespace assay::kernels
