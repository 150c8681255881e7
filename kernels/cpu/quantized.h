#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "kernels/cpu/features.h"

namespace assay::kernels {

/// How weights are kept. int8: one f32 scale a row. int4, int4_g128: groups of 32 or 128 along the row, an
/// f16 scale a group (4.5 or 4.125 bits a weight). fp8: E4M3 of the OCP specification (2023), one f32 scale a
/// row. bf16 and f32 are not quantized: what the others are held against. Where a row (of int4: a group) has
/// a weight that is not finite, its scale is NaN, and with it every result of the row.
enum class WeightFormat { int8, int4, int4_g128, fp8, bf16, f32 };
std::string_view to_string(WeightFormat format);
std::optional<WeightFormat> weight_format_from_string(std::string_view name);

/// Columns must be a multiple of this: 32, of int4_g128 128.
std::size_t columns_multiple(WeightFormat format);

/// Bytes that one packed row of `columns` weights takes, scales included.
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

/// Whether weights of that format can meet int8 activations, which integer instructions multiply several
/// times as fast: int8 and int4.
bool meets_int8_activations(WeightFormat format);
/// Bytes of `columns` activations quantized for weights of that format.
std::size_t activation_bytes(WeightFormat format, std::size_t columns);
/// Quantizes activations to int8 with one f32 scale for each 32, laid out for weights of that format. Where
/// an activation lies midway between two integers, instruction sets may differ in which one it becomes.
void quantize_activations(Isa isa, WeightFormat format, const float* in, std::size_t columns,
                          std::byte* activations);
/// The f32 values that quantized activations stand for.
void dequantize_activations(WeightFormat format, const std::byte* activations, std::size_t columns,
                            float* in);
/// gemv() with int8 activations.
void gemv_int8_activations(Isa isa, WeightFormat format, const std::byte* packed, std::size_t columns,
                           const std::byte* activations, float* out, std::size_t row_begin,
                           std::size_t row_end);

}  // namespace assay::kernels
