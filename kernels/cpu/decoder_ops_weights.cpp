#include <bit>
#include <cstring>

#include "kernels/cpu/decoder_ops.h"
#include "kernels/cpu/half.h"
#include "kernels/cpu/quantized_kernels.h"

namespace assay::kernels {

namespace {

/// SplitMix64 (Steele, Lea, Flood 2014): any seed will do, and a new generator costs nothing.
struct Random {
    std::uint64_t state;

    std::uint64_t next() {
        state += 0x9e3779b97f4a7c15u;
        std::uint64_t value = state;
        value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
        value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
        return value ^ (value >> 31);
    }

    void fill(std::byte* to, std::size_t bytes) {
        std::size_t at = 0;
        for (; at + 8 <= bytes; at += 8) {
            const std::uint64_t value = next();
            std::memcpy(to + at, &value, 8);
        }
        const std::uint64_t value = next();
        if (at < bytes) std::memcpy(to + at, &value, bytes - at);
    }
};

// Standard deviation of what uniformly random bits stand for: integers -8..7 and -128..127.
constexpr float int4_deviation = 4.609772f;
constexpr float int8_deviation = 73.900209f;

/// 15 random bits as a factor between 0.75 and 1.25, so that a scale read from the wrong place is noticed.
float spread(std::uint64_t bits) {
    return 0.75f + static_cast<float>(bits & 0x7fffu) / 65536.0f;
}

void random_row_int4(Random& random, float deviation, std::byte* row, std::size_t columns,
                     std::size_t scale_columns) {
    random.fill(row, columns / 2);
    const std::size_t groups = columns / scale_columns;
    std::byte* scales = row + columns / 2;
    std::uint64_t bits = 0;
    for (std::size_t group = 0; group < groups; ++group) {
        bits = group % 4 == 0 ? random.next() : bits >> 16;
        // Either sign, as quantize_rows() makes them: -8..7 has a mean below 0, which would else add up.
        const float signed_deviation = (bits & 1u) != 0 ? deviation : -deviation;
        const std::uint16_t scale = float_to_half(signed_deviation / int4_deviation * spread(bits >> 1));
        std::memcpy(scales + group * sizeof scale, &scale, sizeof scale);
    }
}

void random_row_int8(Random& random, float deviation, std::byte* row, std::size_t columns) {
    random.fill(row, columns);
    const float scale = deviation / int8_deviation * spread(random.next());
    std::memcpy(row + columns, &scale, sizeof scale);
}

/// Bits 0 to 5 and the sign: |values| up to 1.875 (as E4M3), no NaN. Their deviation is the root of the mean
/// of all 64 squares.
void random_row_fp8(Random& random, float deviation, std::byte* row, std::size_t columns) {
    constexpr float fp8_deviation = 0.5953f;
    random.fill(row, columns);
    for (std::size_t i = 0; i < columns; ++i) row[i] &= std::byte{0xbf};
    const float scale = deviation / fp8_deviation * spread(random.next());
    std::memcpy(row + columns, &scale, sizeof scale);
}

/// Either sign and any mantissa of the exponent that comes nearest below.
template <typename Bits>
void random_row_floats(Random& random, float deviation, std::byte* row, std::size_t columns) {
    constexpr int unused = 32 - 8 * static_cast<int>(sizeof(Bits));
    const std::uint32_t exponent = std::bit_cast<std::uint32_t>(deviation) & 0x7f800000u;
    random.fill(row, columns * sizeof(Bits));
    for (std::size_t i = 0; i < columns; ++i) {
        Bits bits = 0;
        std::memcpy(&bits, row + i * sizeof bits, sizeof bits);
        bits = static_cast<Bits>((((static_cast<std::uint32_t>(bits) << unused) & 0x807fffffu) | exponent) >>
                                 unused);
        std::memcpy(row + i * sizeof bits, &bits, sizeof bits);
    }
}

}  // namespace

void random_rows(WeightFormat format, std::uint64_t seed, float deviation, std::byte* packed,
                 std::size_t columns, std::size_t row_begin, std::size_t row_end) {
    const std::size_t row_bytes = packed_row_bytes(format, columns);
    for (std::size_t row = row_begin; row < row_end; ++row) {
        // Twice through the generator: neighbouring rows must not be shifted copies of each other.
        Random random{Random{seed + row * 0xd1342543de82ef95u}.next()};
        std::byte* to = packed + row * row_bytes;
        switch (format) {
            case WeightFormat::int8:
                random_row_int8(random, deviation, to, columns);
                break;
            case WeightFormat::int4:
            case WeightFormat::int4_g128:
                random_row_int4(random, deviation, to, columns, columns_multiple(format));
                break;
            case WeightFormat::fp8:
                random_row_fp8(random, deviation, to, columns);
                break;
            case WeightFormat::bf16:
                random_row_floats<std::uint16_t>(random, deviation, to, columns);
                break;
            case WeightFormat::f32:
                random_row_floats<std::uint32_t>(random, deviation, to, columns);
                break;
        }
    }
}

}  // namespace assay::kernels
