#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/cpu/quantized.h"

namespace assay::kernels {

/// What one group of query heads attends to: the keys and values of the one key/value head that they share.
/// The newest position is given apart, so that no member of a team waits for another to have stored it.
struct AttentionPast {
    const std::uint16_t* keys = nullptr;    ///< f16 [positions × dimension]
    const std::uint16_t* values = nullptr;  ///< f16 [positions × dimension]
    std::size_t positions = 0;
    const std::uint16_t* newest_key = nullptr;    ///< f16 [dimension], position `positions`
    const std::uint16_t* newest_value = nullptr;  ///< f16 [dimension]
};

/// The element-wise parts of a decoder between its matrix products, all in f32, on the calling thread.
/// Lengths and dimensions are multiples of 16; pointers need no more alignment than their type.
struct DecoderOps {
    /// out = in / sqrt(mean(in²) + epsilon) × weight.
    void (*rms_norm)(const float* in, const float* weight, std::size_t count, float epsilon, float* out);
    /// Rotary embedding in place, the halves rotated against each other: (x[i], x[i + dimension / 2]) by the
    /// angle whose cosine and sine are [dimension / 2]. `dimension` is a multiple of 32.
    void (*rotate)(float* head, const float* cosine, const float* sine, std::size_t dimension);
    /// out[h] = softmax(query[h] · keys / sqrt(dimension)) · values for `heads` heads that share their keys
    /// and values. query and out are [heads × dimension], scores is scratch of attention_scratch() floats.
    void (*attend)(const float* query, std::size_t heads, std::size_t dimension, const AttentionPast& past,
                   float* scores, float* out);
    /// out = gate × sigmoid(gate) × up. `out` may be `gate`.
    void (*swiglu)(const float* gate, const float* up, std::size_t count, float* out);
    /// into += what.
    void (*add)(float* into, const float* what, std::size_t count);
    /// Index of the greatest value, the first of equals; 0 when every value is NaN. Any count but 0.
    std::size_t (*greatest)(const float* values, std::size_t count);
    /// Adds up memory as 64-bit words, asking for it a little ahead: nothing but reading, for the rate that a
    /// product could at most reach. What is left over after whole 256 bytes is not read.
    std::uint64_t (*read)(const std::byte* memory, std::size_t bytes);
};

/// The functions for an instruction set; the caller has asked supports(isa).
const DecoderOps& decoder_ops(Isa isa);

/// Floats of scratch that attend() needs for so many heads and positions (the newest included).
std::size_t attention_scratch(std::size_t heads, std::size_t positions);

/// f32 to f16, nearest, ties to even; beyond ±65504 the largest f16 (a cache keeps no infinities).
void store_f16(const float* in, std::size_t count, std::uint16_t* out);

/// Random packed rows [row_begin, row_end), as if weights of mean near 0 and standard deviation `deviation`
/// had been quantized: random bits and scales written straight into the layout, since quantizing a billion
/// weights would take longer than measuring with them. Every row follows from `seed` and its number alone.
void random_rows(WeightFormat format, std::uint64_t seed, float deviation, std::byte* packed,
                 std::size_t columns, std::size_t row_begin, std::size_t row_end);

}  // namespace assay::kernels
