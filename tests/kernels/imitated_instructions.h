#pragma once

// Imitations of instructions that this CPU may not have: with them, all of a kernel but the instructions
// themselves is checked on any machine.

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

#include "kernels/cpu/half.h"
#include "kernels/matrix/amx_tile_body.h"
#include "kernels/matrix/half_tile_body.h"
#include "kernels/matrix/kernel_choice.h"

namespace assay::kernels {

/// Eight tiles of 16 rows of 64 bytes (Intel SDM, volume 2: TILELOADD, TDPBSSD, TDPBF16PS).
struct ImitatedTiles {
    using Tile = std::array<std::array<std::byte, 64>, 16>;
    static inline std::array<Tile, 8> tiles;

    template <int tile>
    static void zero() {
        tiles[tile] = {};
    }
    template <int tile>
    static void load(const void* from, std::size_t stride) {
        for (std::size_t row = 0; row < 16; ++row)
            std::memcpy(tiles[tile][row].data(), static_cast<const char*>(from) + row * stride, 64);
    }
    template <int tile>
    static void store(void* to, std::size_t stride) {
        for (std::size_t row = 0; row < 16; ++row)
            std::memcpy(static_cast<char*>(to) + row * stride, tiles[tile][row].data(), 64);
    }

    template <typename Element>
    static Element element(int tile, std::size_t row, std::size_t index) {
        Element value;
        std::memcpy(&value, tiles[static_cast<std::size_t>(tile)][row].data() + index * sizeof value,
                    sizeof value);
        return value;
    }
    /// sum[m][n] += dot of `Element`s m of a and, in words, n of b.
    template <typename Element, typename Sum, typename Value>
    static void multiply_add(int sum, int a, int b, Value value) {
        constexpr std::size_t group = 4 / sizeof(Element);
        for (std::size_t m = 0; m < 16; ++m)
            for (std::size_t n = 0; n < 16; ++n) {
                Sum total = element<Sum>(sum, m, n);
                for (std::size_t word = 0; word < 16; ++word)
                    for (std::size_t i = 0; i < group; ++i)
                        total += static_cast<Sum>(value(element<Element>(a, m, word * group + i)) *
                                                  value(element<Element>(b, word, n * group + i)));
                std::memcpy(tiles[static_cast<std::size_t>(sum)][m].data() + n * sizeof total, &total,
                            sizeof total);
            }
    }
};

struct ImitatedInt8 : ImitatedTiles {
    template <int sum, int a, int b>
    static void multiply_add() {
        ImitatedTiles::multiply_add<std::int8_t, std::int32_t>(sum, a, b,
                                                               [](std::int8_t value) { return int{value}; });
    }
};

struct ImitatedBf16 : ImitatedTiles {
    template <int sum, int a, int b>
    static void multiply_add() {
        ImitatedTiles::multiply_add<std::uint16_t, float>(sum, a, b, [](std::uint16_t value) {
            return std::bit_cast<float>(static_cast<std::uint32_t>(value) << 16);
        });
    }
};

template <typename Kind, int element_bytes>
void multiply_imitated(std::size_t k, const void* a, const void* b, const std::int32_t* /*start*/, void* sums,
                       std::size_t stride, bool accumulate) {
    multiply_amx_tile<Kind>(k * element_bytes, a, b, sums, stride, accumulate);
}

struct ImitatedF16 {
    using Half = std::array<std::uint16_t, 32>;
    using Sum = std::array<float, 16>;
    static Half zero() { return {}; }
    template <typename Register>
    static Register loaded(const void* from) {
        Register value;
        std::memcpy(&value, from, sizeof value);
        return value;
    }
    static Half load(const void* from) { return loaded<Half>(from); }
    static Half broadcast(const void* from) {
        Half half;
        half.fill(loaded<std::uint16_t>(from));
        return half;
    }
    static Half multiply_add(Half sum, Half a, Half b) {
        for (std::size_t i = 0; i < sum.size(); ++i)
            sum[i] = float_to_half(half_to_float(a[i]) * half_to_float(b[i]) + half_to_float(sum[i]));
        return sum;
    }
    static Sum half_of(const Half& half, std::size_t from) {
        Sum sum;
        for (std::size_t i = 0; i < sum.size(); ++i) sum[i] = half_to_float(half[from + i]);
        return sum;
    }
    static Sum low(Half half) { return half_of(half, 0); }
    static Sum high(Half half) { return half_of(half, 16); }
    static Sum zero_sum() { return {}; }
    static Sum load_sum(const void* from) { return loaded<Sum>(from); }
    static void store_sum(void* to, Sum sum) { std::memcpy(to, &sum, sizeof sum); }
    static Sum add(Sum a, Sum b) {
        for (std::size_t i = 0; i < a.size(); ++i) a[i] += b[i];
        return a;
    }
};

#if defined(__x86_64__)
/// AMX kernels in the real ones' layouts: reading their table needs no tiles. int8, then bf16.
inline std::array<MicroKernel, 2> imitated_amx_kernels() {
    MicroKernel int8 = amx::micro_kernels.kernels[0], bf16 = amx::micro_kernels.kernels[1];
    int8.multiply = multiply_imitated<ImitatedInt8, 1>;
    bf16.multiply = multiply_imitated<ImitatedBf16, 2>;
    return {int8, bf16};
}
#endif

}  // namespace assay::kernels
