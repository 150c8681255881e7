#pragma once

// One product an instruction set; gemv() of kernels/cpu/quantized.h chooses. Arguments are gemv()'s.
//
// A packed row, the same for all: int8: `columns` signed bytes, then the row's f32 scale. int4: for each
// group of 32 columns 16 bytes, whose low nibbles are columns 0..15 and whose high nibbles are columns 16..31
// of the group, each the weight's multiple of the scale plus 8; then the groups' f16 scales.

#include <cstddef>

namespace assay::kernels {

inline constexpr std::size_t group_columns = 32;
inline constexpr std::size_t int4_group_bytes = 16;

namespace portable {
void gemv_int8(const std::byte* packed, std::size_t columns, const float* in, float* out,
               std::size_t row_begin, std::size_t row_end);
void gemv_int4(const std::byte* packed, std::size_t columns, const float* in, float* out,
               std::size_t row_begin, std::size_t row_end);
}  // namespace portable

namespace avx2 {
void gemv_int8(const std::byte* packed, std::size_t columns, const float* in, float* out,
               std::size_t row_begin, std::size_t row_end);
void gemv_int4(const std::byte* packed, std::size_t columns, const float* in, float* out,
               std::size_t row_begin, std::size_t row_end);
}  // namespace avx2

namespace avx512 {
void gemv_int8(const std::byte* packed, std::size_t columns, const float* in, float* out,
               std::size_t row_begin, std::size_t row_end);
void gemv_int4(const std::byte* packed, std::size_t columns, const float* in, float* out,
               std::size_t row_begin, std::size_t row_end);
}  // namespace avx512

}  // namespace assay::kernels
