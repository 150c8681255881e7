// A tile of 32 × 32 results from tile registers, made by the unit that includes this: with the CPU's tiles,
// or with a test's imitation of them. The unit defines a struct Tiles with the static functions
//   zero<tile>(), load<tile>(from, row_stride), store<tile>(to, row_stride)
// and passes one with multiply_add<sum, a, b>(). Strides are in bytes. No include guard: see tile_body.h.

#include <cstddef>
#include <cstdint>

namespace {

/// Tiles 0 to 3 are the sums: (0 1; 2 3); 4 and 5 rows 0..15 and 16..31 of a, 6 and 7 the columns of b
/// likewise.
template <typename Tiles>
void multiply_amx_tile(std::size_t k_bytes, const void* a, const void* b, void* sums, std::size_t stride,
                       bool accumulate) {
    constexpr std::size_t row_bytes = 64, tile_rows = 16, half_panel = tile_rows * row_bytes;
    const char* at_a = static_cast<const char*>(a);
    const char* at_b = static_cast<const char*>(b);
    const std::size_t sums_bytes = stride * sizeof(std::int32_t);
    char* const top = static_cast<char*>(sums);
    char* const bottom = top + tile_rows * sums_bytes;
    if (accumulate) {
        Tiles::template load<0>(top, sums_bytes);
        Tiles::template load<1>(top + row_bytes, sums_bytes);
        Tiles::template load<2>(bottom, sums_bytes);
        Tiles::template load<3>(bottom + row_bytes, sums_bytes);
    } else {
        Tiles::template zero<0>();
        Tiles::template zero<1>();
        Tiles::template zero<2>();
        Tiles::template zero<3>();
    }
    for (std::size_t done = 0; done < k_bytes; done += row_bytes) {
        Tiles::template load<6>(at_b, 2 * row_bytes);
        Tiles::template load<4>(at_a, row_bytes);
        Tiles::template load<7>(at_b + row_bytes, 2 * row_bytes);
        Tiles::template multiply_add<0, 4, 6>();
        Tiles::template load<5>(at_a + half_panel, row_bytes);
        Tiles::template multiply_add<1, 4, 7>();
        Tiles::template multiply_add<2, 5, 6>();
        Tiles::template multiply_add<3, 5, 7>();
        at_a += 2 * half_panel;
        at_b += 2 * half_panel;
    }
    Tiles::template store<0>(top, sums_bytes);
    Tiles::template store<1>(top + row_bytes, sums_bytes);
    Tiles::template store<2>(bottom, sums_bytes);
    Tiles::template store<3>(bottom + row_bytes, sums_bytes);
}

}  // namespace
