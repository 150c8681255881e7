// kernels/matrix/panel_functions.h in plain loops of constant length, which compilers vectorize. A unit
// includes this within its own unnamed namespace: every copy is compiled for its own instruction set, and
// none is shared.

constexpr std::size_t lanes = 16;

/// Where value `l` of the half of the columns `half` begins, in words of 32 bits that each hold `values` of
/// k.
inline std::size_t place(std::size_t l, std::size_t half, std::size_t k, std::size_t extent,
                         std::size_t values) {
    return extent == lanes ? (half * k + l) / values * lanes : l / values * 2 * lanes + half * lanes;
}

/// The high half of the word: rounded to nearest, ties to even; NaN stays one.
inline std::uint32_t bf16_high(std::uint32_t bits) {
    const std::uint32_t rounded = bits + 0x7fffu + ((bits >> 16) & 1u);
    return ((bits & 0x7fffffffu) > 0x7f800000u ? bits | 0x400000u : rounded) & 0xffff0000u;
}

inline void store_pairs(const float (&even)[lanes], const float (&odd)[lanes], std::uint32_t* to) {
    std::uint32_t even_bits[lanes], odd_bits[lanes];
    __builtin_memcpy(even_bits, even, sizeof even);
    __builtin_memcpy(odd_bits, odd, sizeof odd);
    for (std::size_t lane = 0; lane < lanes; ++lane)
        even_bits[lane] = bf16_high(odd_bits[lane]) | bf16_high(even_bits[lane]) >> 16;
    __builtin_memcpy(to, even_bits, sizeof even_bits);
}

/// Value `index` of four of each lane's low or high (`half`) nibbles, times scales.
inline void int4_values(const std::uint32_t* words, std::size_t index, std::size_t half, const float* scales,
                        float (&out)[lanes]) {
    const std::uint32_t shift = static_cast<std::uint32_t>(28 - 8 * index - 4 * half);
    for (std::size_t lane = 0; lane < lanes; ++lane)
        out[lane] = static_cast<float>(static_cast<std::int32_t>(words[lane] << shift) >> 28) *
                    scales[half * lanes + lane];
}

/// Value `index` of four bytes of E4M3 (kernels/cpu/fp8.h, for all lanes alike). Steps are loops of their
/// own, on arrays: as one they stay scalar.
inline void fp8_values(const std::uint32_t* words, std::size_t index, float (&out)[lanes]) {
    std::uint32_t bytes[lanes], bits[lanes];
    float small[lanes];
    const std::uint32_t shift = static_cast<std::uint32_t>(8 * index);
    for (std::size_t lane = 0; lane < lanes; ++lane) bytes[lane] = words[lane] >> shift;
    for (std::size_t lane = 0; lane < lanes; ++lane)
        small[lane] = static_cast<float>(static_cast<std::int32_t>(bytes[lane] & 0x7fu)) * 0x1p-9f;
    __builtin_memcpy(bits, small, sizeof bits);
    for (std::size_t lane = 0; lane < lanes; ++lane) {
        const std::uint32_t magnitude = bytes[lane] & 0x7fu;
        const std::uint32_t large = (magnitude << 20) + (120u << 23);
        const std::uint32_t number = magnitude < 8 ? bits[lane] : large;
        bits[lane] = (magnitude == 0x7f ? 0x7fc00000u : number) | (bytes[lane] & 0x80u) << 24;
    }
    __builtin_memcpy(out, bits, sizeof bits);
}

void int4_to_f32(const std::uint32_t* words, const float* scales, std::size_t group, std::size_t k,
                 std::size_t extent, float* out) {
    for (std::size_t l = 0; l < k; ++l)
        for (std::size_t half = 0; half < 2; ++half) {
            float values[lanes];
            int4_values(words + l / 4 * lanes, l % 4, half, scales + l / group * stored_columns, values);
            __builtin_memcpy(out + place(l, half, k, extent, 1), values, sizeof values);
        }
}

void int4_to_bf16(const std::uint32_t* words, const float* scales, std::size_t group, std::size_t k,
                  std::size_t extent, std::uint32_t* out) {
    for (std::size_t l = 0; l < k; l += 2)
        for (std::size_t half = 0; half < 2; ++half) {
            float even[lanes], odd[lanes];
            const float* const ours = scales + l / group * stored_columns;
            int4_values(words + l / 4 * lanes, l % 4, half, ours, even);
            int4_values(words + l / 4 * lanes, l % 4 + 1, half, ours, odd);
            store_pairs(even, odd, out + place(l, half, k, extent, 2));
        }
}

void int4_to_s8(const std::uint32_t* words, std::size_t group, std::size_t k, std::size_t extent,
                std::uint32_t* out, std::int32_t* sums) {
    for (std::size_t l = 0; l < k; l += 4, words += lanes) {
        std::int32_t* const ours = sums + l / group * stored_columns;
        if (l % group == 0)
            for (std::size_t column = 0; column < stored_columns; ++column) ours[column] = 0;
        for (std::size_t half = 0; half < 2; ++half) {
            std::uint32_t* to = out + place(l, half, k, extent, 4);
            for (std::size_t lane = 0; lane < lanes; ++lane) {
                const std::uint32_t nibbles = (words[lane] >> (4 * half)) & 0x0f0f0f0fu;
                // Bytewise (x ^ 8) - 8: no byte borrows from its neighbour, for all keep bit 7 set meanwhile.
                to[lane] = (((nibbles ^ 0x08080808u) | 0x80808080u) - 0x08080808u) ^ 0x80808080u;
                const std::uint32_t unsigned_nibbles = nibbles ^ 0x08080808u;
                const std::uint32_t pairs =
                    (unsigned_nibbles & 0x00ff00ffu) + ((unsigned_nibbles >> 8) & 0x00ff00ffu);
                ours[half * lanes + lane] +=
                    static_cast<std::int32_t>((pairs & 0xffffu) + (pairs >> 16)) - 4 * 8;
            }
        }
    }
}

void fp8_to_f32(const std::uint32_t* words, std::size_t k, std::size_t extent, float* out) {
    for (std::size_t l = 0; l < k; ++l)
        for (std::size_t half = 0; half < 2; ++half) {
            float values[lanes];
            fp8_values(words + l / 4 * stored_columns + half * lanes, l % 4, values);
            __builtin_memcpy(out + place(l, half, k, extent, 1), values, sizeof values);
        }
}

void fp8_to_bf16(const std::uint32_t* words, std::size_t k, std::size_t extent, std::uint32_t* out) {
    for (std::size_t l = 0; l < k; l += 2)
        for (std::size_t half = 0; half < 2; ++half) {
            float even[lanes], odd[lanes];
            const std::uint32_t* from = words + l / 4 * stored_columns + half * lanes;
            fp8_values(from, l % 4, even);
            fp8_values(from, l % 4 + 1, odd);
            store_pairs(even, odd, out + place(l, half, k, extent, 2));
        }
}

float quantize_row(const float* in, std::size_t count, std::int8_t* out) {
    // Magnitudes as integers, which are ordered as the floats are, infinities and NaN above all others.
    std::uint32_t largest_bits = 0;
    for (std::size_t i = 0; i < count; ++i) {
        std::uint32_t bits = 0;
        __builtin_memcpy(&bits, in + i, sizeof bits);
        bits &= 0x7fffffffu;
        largest_bits = largest_bits < bits ? bits : largest_bits;
    }
    float largest = 0;
    __builtin_memcpy(&largest, &largest_bits, sizeof largest);
    const bool finite = largest_bits < 0x7f800000u;
    const float scale = largest / 127;
    // A subnormal scale has no finite reciprocal; such a row counts as zeros.
    const float inverse = finite && scale >= 0x1p-126f ? 1 / scale : 0;
    for (std::size_t i = 0; i < count; ++i) {
        // Adding and taking off 1.5 × 2^23 rounds to the nearest integer, and vectorizes.
        const float rounded = ((inverse == 0 ? 0.0f : in[i]) * inverse + 0x1.8p23f) - 0x1.8p23f;
        out[i] = static_cast<std::int8_t>(static_cast<std::int32_t>(rounded));
    }
    if (!finite) return __builtin_nanf("");
    return inverse == 0 ? 0 : scale;
}

void to_bf16(const float* in, std::size_t count, std::uint16_t* out) {
    for (std::size_t i = 0; i < count; ++i) {
        std::uint32_t bits = 0;
        __builtin_memcpy(&bits, in + i, sizeof bits);
        out[i] = static_cast<std::uint16_t>(bf16_high(bits) >> 16);
    }
}

template <bool accumulate>
inline void add_scaled_rows(const std::int32_t* __restrict tile, const float* __restrict scales,
                            std::size_t rows, std::size_t columns, float* __restrict sums) {
    for (std::size_t first = 0; first < columns; first += lanes) {
        float ours[lanes];
        __builtin_memcpy(ours, scales + first, sizeof ours);
        for (std::size_t row = 0; row < rows; ++row) {
            const std::int32_t* const from = tile + row * columns + first;
            float* const to = sums + row * columns + first;
            for (std::size_t lane = 0; lane < lanes; ++lane)
                to[lane] = (accumulate ? to[lane] : 0.0f) + static_cast<float>(from[lane]) * ours[lane];
        }
    }
}

void add_scaled(const std::int32_t* tile, const float* scales, std::size_t rows, std::size_t columns,
                bool accumulate, float* sums) {
    accumulate ? add_scaled_rows<true>(tile, scales, rows, columns, sums)
               : add_scaled_rows<false>(tile, scales, rows, columns, sums);
}

/// A sum times both scales, the smaller first: then no step is infinite where the result is finite, as the
/// scales' own product and the sum times the larger can be. A scale that is NaN stays one.
inline float scaled(float sum, float row_scale, float column_scale) {
    const float smaller = row_scale < column_scale ? row_scale : column_scale;
    const float larger = row_scale < column_scale ? column_scale : row_scale;
    return sum * smaller * larger;
}

void finish_integers(const std::int32_t* sums, float row_scale, const float* column_scales, std::size_t count,
                     float* out) {
    for (std::size_t i = 0; i < count; ++i)
        out[i] = scaled(static_cast<float>(sums[i]), row_scale,
                        column_scales != nullptr ? column_scales[i] : 1.0f);
}

void finish_floats(const float* sums, float row_scale, const float* column_scales, std::size_t count,
                   float* out) {
    for (std::size_t i = 0; i < count; ++i)
        out[i] = scaled(sums[i], row_scale, column_scales != nullptr ? column_scales[i] : 1.0f);
}

constexpr PanelFunctions functions_here = {int4_to_f32,     int4_to_bf16, int4_to_s8, fp8_to_f32,
                                           fp8_to_bf16,     quantize_row, to_bf16,    add_scaled,
                                           finish_integers, finish_floats};
