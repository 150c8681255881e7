#pragma once

// One product an instruction set; gemv() of kernels/cpu/quantized.h chooses. Arguments are gemv()'s.
//
// A packed row, the same for all. int8: `columns` signed bytes, then the row's f32 scale. int4: for each
// group of 32 columns 16 bytes, whose low nibbles are columns 0..15 and whose high nibbles are columns 16..31
// of the group, each the weight's multiple of the scale as a 4-bit two's complement; then the groups' f16
// scales. The bytes of four groups (128 columns) are interleaved, byte i of group g at 4 i + g: a 32-bit lane
// then holds eight nibbles of one lane's columns, which shifts alone bring out. The one to three groups that
// are left at a row's end are not interleaved.

#include <cstddef>

namespace assay::kernels {

inline constexpr std::size_t group_columns = 32;
inline constexpr std::size_t int4_group_bytes = 16;
inline constexpr std::size_t interleaved_groups = 4;
inline constexpr std::size_t interleaved_bytes = interleaved_groups * int4_group_bytes;

/// Where byte `index` of group `group` stands in a packed int4 row of `groups` groups.
constexpr std::size_t int4_byte_position(std::size_t group, std::size_t index, std::size_t groups) {
    if (group >= groups / interleaved_groups * interleaved_groups) return group * int4_group_bytes + index;
    return group / interleaved_groups * interleaved_bytes + index * interleaved_groups +
           group % interleaved_groups;
}

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
