// The quantizing of activations, included once by each quantized_activations_<isa>.cpp with ASSAY_LANES
// floats a vector. Vectors are the compilers' own (GCC and Clang), so that one text serves every instruction
// set. Nothing here may use a library function that is not inlined: the linker could then hand a copy made
// for one instruction set to another's callers.

#include <utility>

#include "kernels/cpu/quantized_activations_tables.h"
#include "kernels/cpu/quantized_kernels.h"

namespace assay::kernels {
namespace {

constexpr std::size_t lanes = ASSAY_LANES;
using Floats = float __attribute__((vector_size(lanes * 4)));
using SignedWords = std::int32_t __attribute__((vector_size(lanes * 4)));

constexpr std::int32_t infinity_bits = 0x7f800000;

/// Each lane met by the one `distance` further, around the end.
template <std::size_t distance, std::size_t... lane>
SignedWords turned(SignedWords words, std::index_sequence<lane...>) {
    return __builtin_shufflevector(words, words, static_cast<int>((lane + distance) % lanes)...);
}

template <std::size_t distance = lanes / 2>
std::int32_t largest_of(SignedWords words) {
    const SignedWords others = turned<distance>(words, std::make_index_sequence<lanes>());
    const SignedWords larger = words > others ? words : others;
    if constexpr (distance == 1)
        return larger[0];
    else
        return largest_of<distance / 2>(larger);
}

/// 32 activations as integers; returns their scale. What is not finite makes the scale NaN, and so the
/// result.
float quantize_group(const float* in, std::int8_t* out) {
    // As integers, magnitudes are ordered as they are as floats, and what is not finite is above all others.
    SignedWords largest = {};
    for (std::size_t i = 0; i < group_columns; i += lanes) {
        SignedWords magnitudes;
        __builtin_memcpy(&magnitudes, in + i, sizeof magnitudes);
        magnitudes &= 0x7fffffff;
        largest = magnitudes > largest ? magnitudes : largest;
    }
    const std::int32_t bits = largest_of(largest);
    float magnitude = 0;
    __builtin_memcpy(&magnitude, &bits, sizeof magnitude);
    const float scale = magnitude / 127;
    // A subnormal scale has no finite reciprocal; what it would stand for is nothing beside any other
    // product.
    const bool counts = scale >= 0x1p-126f && bits < infinity_bits;
    const float inverse = counts ? 1 / scale : 0;
    std::int32_t integers[group_columns];
    for (std::size_t i = 0; i < group_columns; i += lanes) {
        Floats values;
        __builtin_memcpy(&values, in + i, sizeof values);
        // Adding 1.5 × 2^23 rounds to the nearest integer, which is then in the lowest bits.
        const Floats shifted = values * inverse + 0x1.8p23f;
        __builtin_memcpy(integers + i, &shifted, sizeof shifted);
    }
    for (std::size_t i = 0; i < group_columns; ++i)
        out[i] = counts ? static_cast<std::int8_t>(integers[i]) : std::int8_t{0};
    if (bits >= infinity_bits) return __builtin_nanf("");
    return counts ? scale : 0.0f;
}

void quantize_int8_block(const float* in, std::size_t groups, Int8Activations& block) {
    block = {};
    for (std::size_t group = 0; group < groups; ++group)
        block.scales[group] =
            quantize_group(in + group * group_columns, block.values + group * group_columns);
}

void quantize_int4_block(const float* in, std::size_t groups, Int4Activations& block) {
    std::int32_t words[interleaved_groups][group_columns / 4] = {};  // four activations each
    for (std::size_t group = 0; group < interleaved_groups; ++group) {
        std::int8_t values[group_columns] = {};
        block.scales[group] = group < groups ? quantize_group(in + group * group_columns, values) : 0.0f;
        __builtin_memcpy(words[group], values, sizeof values);
    }
    std::int32_t low[16], high[16], sums[16];
    for (std::size_t part = 0; part < 4; ++part)
        for (std::size_t group = 0; group < interleaved_groups; ++group) {
            low[4 * part + group] = words[group][part];
            high[4 * part + group] = words[group][4 + part];
        }
    for (std::size_t lane = 0; lane < 16; ++lane) {
        sums[lane] = 0;
        for (int shift = 0; shift < 32; shift += 8)
            sums[lane] += (low[lane] << shift >> 24) + (high[lane] << shift >> 24);
    }
    for (std::size_t lane = 0; lane < 16; ++lane)
        block.starts[lane] = static_cast<std::int16_t>(-8 * sums[lane]);
    __builtin_memcpy(block.low, low, sizeof low);
    __builtin_memcpy(block.high, high, sizeof high);
}

template <std::size_t block_groups, typename Block, auto quantize_block>
void quantize(const float* in, std::size_t columns, std::byte* out) {
    constexpr std::size_t block_columns = block_groups * group_columns;
    Block* block = reinterpret_cast<Block*>(out);
    for (std::size_t column = 0; column < columns; column += block_columns, ++block) {
        const std::size_t left = (columns - column) / group_columns;
        quantize_block(in + column, left < block_groups ? left : block_groups, *block);
    }
}

const ActivationTable table_here = {quantize<2, Int8Activations, quantize_int8_block>,
                                    quantize<interleaved_groups, Int4Activations, quantize_int4_block>};

}  // namespace
}  // namespace assay::kernels
