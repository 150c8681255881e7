// Products that a vectorizing compiler does well enough: loops of constant length over sixteen lanes. A unit
// includes this within its own unnamed namespace, after it defined `float half_at(const std::byte* at)`, an
// f16 as f32: every copy is compiled for its own instruction set, and none is shared.

namespace body {

constexpr std::size_t body_lanes = 16;

[[maybe_unused]] float float_at(const std::byte* at) {
    float value = 0;
    __builtin_memcpy(&value, at, sizeof value);
    return value;
}

float total_of(const float (&sums)[body_lanes]) {
    float total = 0;
    for (const float sum : sums) total += sum;
    return total;
}

struct Fp8Row {
    static constexpr std::size_t bytes = 1;
    static float scale(const std::byte* row, std::size_t columns) { return float_at(row + columns); }
    static void values(const std::byte* from, float (&to)[body_lanes]) {
        for (std::size_t lane = 0; lane < body_lanes; ++lane) {
            const std::uint32_t bits = static_cast<std::uint8_t>(from[lane]);
            const std::uint32_t magnitude = bits & 0x7fu;
            // kernels/cpu/fp8.h, for all lanes alike.
            const float small = static_cast<float>(static_cast<std::int32_t>(magnitude)) * 0x1p-9f;
            const std::uint32_t large_bits = (magnitude << 20) + (120u << 23);
            float large = 0;
            __builtin_memcpy(&large, &large_bits, sizeof large);
            const float positive = magnitude < 8 ? small : large;
            const float finite = (bits & 0x80u) != 0 ? -positive : positive;
            to[lane] = magnitude == 0x7f ? __builtin_nanf("") : finite;
        }
    }
};

struct Bf16Row {
    static constexpr std::size_t bytes = 2;
    static float scale(const std::byte*, std::size_t) { return 1; }
    static void values(const std::byte* from, float (&to)[body_lanes]) {
        std::uint16_t halves[body_lanes];
        __builtin_memcpy(halves, from, sizeof halves);
        std::uint32_t words[body_lanes];
        for (std::size_t lane = 0; lane < body_lanes; ++lane)
            words[lane] = static_cast<std::uint32_t>(halves[lane]) << 16;
        __builtin_memcpy(to, words, sizeof to);
    }
};

struct F32Row {
    static constexpr std::size_t bytes = 4;
    static float scale(const std::byte*, std::size_t) { return 1; }
    static void values(const std::byte* from, float (&to)[body_lanes]) {
        __builtin_memcpy(to, from, sizeof to);
    }
};

template <typename Row>
void gemv_elements(const std::byte* packed, std::size_t columns, const float* in, float* out,
                   std::size_t row_begin, std::size_t row_end) {
    const bool has_scale = Row::bytes == 1;
    const std::size_t row_bytes = columns * Row::bytes + (has_scale ? sizeof(float) : 0);
    for (std::size_t row = row_begin; row < row_end; ++row) {
        const std::byte* weights = packed + row * row_bytes;
        float sums[body_lanes] = {}, values[body_lanes];
        for (std::size_t column = 0; column < columns; column += body_lanes) {
            Row::values(weights + column * Row::bytes, values);
            for (std::size_t lane = 0; lane < body_lanes; ++lane)
                sums[lane] += values[lane] * in[column + lane];
        }
        out[row] = total_of(sums) * Row::scale(weights, columns);
    }
}

[[maybe_unused]] void gemv_fp8(const std::byte* packed, std::size_t columns, const float* in, float* out,
                               std::size_t row_begin, std::size_t row_end) {
    gemv_elements<Fp8Row>(packed, columns, in, out, row_begin, row_end);
}

[[maybe_unused]] void gemv_bf16(const std::byte* packed, std::size_t columns, const float* in, float* out,
                                std::size_t row_begin, std::size_t row_end) {
    gemv_elements<Bf16Row>(packed, columns, in, out, row_begin, row_end);
}

[[maybe_unused]] void gemv_f32(const std::byte* packed, std::size_t columns, const float* in, float* out,
                               std::size_t row_begin, std::size_t row_end) {
    gemv_elements<F32Row>(packed, columns, in, out, row_begin, row_end);
}

[[maybe_unused]] void gemv_int4_g128(const std::byte* packed, std::size_t columns, const float* in,
                                     float* out, std::size_t row_begin, std::size_t row_end) {
    const std::size_t blocks = columns / 128;
    const std::size_t row_bytes = blocks * (interleaved_bytes + 2);
    for (std::size_t row = row_begin; row < row_end; ++row) {
        const std::byte* weights = packed + row * row_bytes;
        float total[body_lanes] = {};
        for (std::size_t block = 0; block < blocks; ++block) {
            std::uint32_t words[body_lanes];
            __builtin_memcpy(words, weights + block * interleaved_bytes, sizeof words);
            const float* values = in + block * 128;
            float sums[body_lanes] = {};
            for (std::size_t group = 0; group < interleaved_groups; ++group, values += group_columns)
                for (std::size_t lane = 0; lane < body_lanes; ++lane) {
                    const std::uint32_t pair = words[lane] >> (8 * group);
                    const std::int32_t low = static_cast<std::int32_t>(pair << 28) >> 28;
                    const std::int32_t high = static_cast<std::int32_t>(pair << 24) >> 28;
                    sums[lane] += static_cast<float>(low) * values[lane] +
                                  static_cast<float>(high) * values[lane + body_lanes];
                }
            const float scale = half_at(weights + blocks * interleaved_bytes + 2 * block);
            for (std::size_t lane = 0; lane < body_lanes; ++lane) total[lane] += scale * sums[lane];
        }
        out[row] = total_of(total);
    }
}

[[maybe_unused]] void gemv_int8_integers(const std::byte* packed, std::size_t columns,
                                         const std::byte* activations, float* out, std::size_t row_begin,
                                         std::size_t row_end) {
    const Int8Activations* const blocks = reinterpret_cast<const Int8Activations*>(activations);
    for (std::size_t row = row_begin; row < row_end; ++row) {
        const std::byte* weights = packed + row * (columns + sizeof(float));
        float sums[body_lanes] = {};
        for (std::size_t column = 0; column < columns; column += 64) {
            const Int8Activations& block = blocks[column / 64];
            // The row's end may be half a block; its other half meets zeros.
            std::int8_t bytes[64] = {};
            __builtin_memcpy(bytes, weights + column, columns - column < 64 ? columns - column : 64);
            for (std::size_t lane = 0; lane < body_lanes; ++lane) {
                std::int32_t sum = 0;
                for (std::size_t i = 0; i < 4; ++i)
                    sum += std::int32_t{bytes[4 * lane + i]} * block.values[4 * lane + i];
                sums[lane] += static_cast<float>(sum) * block.scales[lane / 8];
            }
        }
        out[row] = total_of(sums) * float_at(weights + columns);
    }
}

/// Sum of a block of 128 columns of int4, by lanes, before scales.
[[maybe_unused]] void multiply_block(const std::uint8_t (&bytes)[interleaved_bytes],
                                     const Int4Activations& block, std::int32_t (&sums)[body_lanes]) {
    for (std::size_t lane = 0; lane < body_lanes; ++lane) {
        std::int32_t sum = block.starts[lane];
        for (std::size_t i = 0; i < 4; ++i) {
            const std::uint8_t pair =
                static_cast<std::uint8_t>(bytes[4 * (lane / 4 * 4 + i) + lane % 4] ^ 0x88u);
            sum += (pair & 15) * block.low[4 * lane + i] + (pair >> 4) * block.high[4 * lane + i];
        }
        sums[lane] = sum;
    }
}

/// The one to three groups at a row's end, interleaved as whole blocks are.
[[maybe_unused]] void interleave_rest(const std::byte* from, std::size_t groups,
                                      std::uint8_t (&bytes)[interleaved_bytes]) {
    for (std::size_t group = 0; group < groups; ++group)
        for (std::size_t i = 0; i < int4_group_bytes; ++i)
            bytes[i * interleaved_groups + group] =
                static_cast<std::uint8_t>(from[group * int4_group_bytes + i]);
}

/// What a row's groups from `first` on, fewer than a block, add up to.
[[maybe_unused]] float rest_of_row(const std::byte* weights, const std::byte* scales, std::size_t first,
                                   std::size_t groups, const Int4Activations& block) {
    std::uint8_t bytes[interleaved_bytes] = {};
    interleave_rest(weights + first * int4_group_bytes, groups - first, bytes);
    std::int32_t sums[body_lanes];
    multiply_block(bytes, block, sums);
    float total = 0;
    for (std::size_t lane = 0; lane < body_lanes; ++lane)
        if (first + lane % 4 < groups)
            total += static_cast<float>(sums[lane]) * half_at(scales + 2 * (first + lane % 4)) *
                     block.scales[lane % 4];
    return total;
}

/// `scale_groups`: groups of 32 that share a scale, 1 or 4.
template <std::size_t scale_groups>
void gemv_int4_integers(const std::byte* packed, std::size_t columns, const std::byte* activations,
                        float* out, std::size_t row_begin, std::size_t row_end) {
    const Int4Activations* const blocks = reinterpret_cast<const Int4Activations*>(activations);
    const std::size_t groups = columns / group_columns;
    const std::size_t row_bytes = groups * int4_group_bytes + groups / scale_groups * 2;
    for (std::size_t row = row_begin; row < row_end; ++row) {
        const std::byte* weights = packed + row * row_bytes;
        const std::byte* scales = weights + groups * int4_group_bytes;
        float sums[body_lanes] = {};
        std::size_t group = 0;
        for (; group + interleaved_groups <= groups; group += interleaved_groups) {
            const Int4Activations& block = blocks[group / interleaved_groups];
            std::uint8_t bytes[interleaved_bytes];
            __builtin_memcpy(bytes, weights + group * int4_group_bytes, sizeof bytes);
            std::int32_t products[body_lanes];
            multiply_block(bytes, block, products);
            for (std::size_t lane = 0; lane < body_lanes; ++lane)
                sums[lane] += static_cast<float>(products[lane]) *
                              half_at(scales + (group + lane % 4) / scale_groups * 2) *
                              block.scales[lane % 4];
        }
        out[row] = total_of(sums);
        if (group < groups)
            out[row] += rest_of_row(weights, scales, group, groups, blocks[group / interleaved_groups]);
    }
}

}  // namespace body
