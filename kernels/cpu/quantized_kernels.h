#pragma once

// The products of an instruction set, as a table; gemv() of kernels/cpu/quantized.h chooses.
//
// A packed row, the same for all. int8: `columns` signed bytes, then the row's f32 scale. int4: for each
// group of 32 columns 16 bytes, whose low nibbles are columns 0..15 and whose high nibbles are columns 16..31
// of the group, each the weight's multiple of the scale as a 4-bit two's complement; then the groups' f16
// scales, one for each 32 columns or, of int4_g128, for each 128. The bytes of four groups (128 columns) are
// interleaved, byte i of group g at 4 i + g: a 32-bit lane then holds eight nibbles of one lane's columns,
// which shifts alone bring out. The one to three groups that are left at a row's end are not interleaved.
// fp8: a byte a column, then the row's f32 scale. bf16, f32: the elements.
//
// Quantized activations are blocks of what one step of the product needs, 16 lanes of 32 bits. Against int8
// weights 64 columns: lane l meets columns 4 l to 4 l + 3. Against int4 weights 128 columns, that is four
// groups: lane 4 l + g meets of group g the columns 4 l to 4 l + 3 by low nibbles, and those 16 further by
// high ones. Products that take unsigned weights have them 128 (int4: 8) too large: `starts` is what that
// comes to in each lane of int4, taken off. Nothing is kept once for each lane that several share: of a long
// vector the blocks then leave room for weights in 48 KiB of first-level cache. What is beyond the last
// column is zero.

#include <cstddef>
#include <cstdint>

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

struct Int8Activations {
    std::int8_t values[64];
    float scales[2];  ///< of each half
};
struct Int4Activations {
    std::int8_t low[64];
    std::int8_t high[64];
    float scales[interleaved_groups];
    std::int16_t starts[16];
};

/// Arguments are gemv()'s, or gemv_int8_activations()'s; null where a set has no form of its own.
struct GemvTable {
    using WithFloats = void (*)(const std::byte* packed, std::size_t columns, const float* in, float* out,
                                std::size_t row_begin, std::size_t row_end);
    using WithIntegers = void (*)(const std::byte* packed, std::size_t columns, const std::byte* activations,
                                  float* out, std::size_t row_begin, std::size_t row_end);
    WithFloats int8, int4, int4_g128, fp8, bf16, f32;
    WithIntegers int8_integers, int4_integers, int4_g128_integers;
};

namespace portable {
extern const GemvTable gemv_table;
}
namespace avx2 {
extern const GemvTable gemv_table, integers_table;
}
namespace avx512 {
extern const GemvTable gemv_table;
}
namespace avx512_vnni {
extern const GemvTable gemv_table;
}
namespace neon {
extern const GemvTable gemv_table;
}

}  // namespace assay::kernels
