// Compiled for AMX: includes nothing whose inline functions other units share, lest the linker keep this
// unit's copy for a CPU without it.
#include <immintrin.h>

#include "kernels/matrix/ceiling_loops.h"
#include "kernels/matrix/tiles.h"

namespace assay::kernels::amx {

namespace {

constexpr std::size_t tile_bytes = 1024;

// Five sums: 52 cycles of latency are hidden by four, at 16 cycles each. Tile numbers must be constants.
template <void (*multiply_add_a)(), void (*multiply_add_b)()>
void run_tiles(std::size_t pairs, const void* sources, void* results) {
    configure_full_tiles();
    const char* from = static_cast<const char*>(sources);
    char* to = static_cast<char*>(results);
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    _tile_zero(4);
    // a0 and a1 are tiles 5 and 6, b is tile 7.
    _tile_loadd(5, from, 64);
    _tile_loadd(6, from + tile_bytes, 64);
    _tile_loadd(7, from + 2 * tile_bytes, 64);
    for (std::size_t pair = 0; pair < pairs; ++pair) {
        multiply_add_a();
        multiply_add_b();
    }
    _tile_stored(0, to, 64);
    _tile_stored(1, to + tile_bytes, 64);
    _tile_stored(2, to + 2 * tile_bytes, 64);
    _tile_stored(3, to + 3 * tile_bytes, 64);
    _tile_stored(4, to + 4 * tile_bytes, 64);
}

inline void int8_a() {
    _tile_dpbssd(0, 5, 7);
    _tile_dpbssd(1, 5, 7);
    _tile_dpbssd(2, 5, 7);
    _tile_dpbssd(3, 5, 7);
    _tile_dpbssd(4, 5, 7);
}

inline void int8_b() {
    _tile_dpbssd(0, 6, 7);
    _tile_dpbssd(1, 6, 7);
    _tile_dpbssd(2, 6, 7);
    _tile_dpbssd(3, 6, 7);
    _tile_dpbssd(4, 6, 7);
}

inline void bf16_a() {
    _tile_dpbf16ps(0, 5, 7);
    _tile_dpbf16ps(1, 5, 7);
    _tile_dpbf16ps(2, 5, 7);
    _tile_dpbf16ps(3, 5, 7);
    _tile_dpbf16ps(4, 5, 7);
}

inline void bf16_b() {
    _tile_dpbf16ps(0, 6, 7);
    _tile_dpbf16ps(1, 6, 7);
    _tile_dpbf16ps(2, 6, 7);
    _tile_dpbf16ps(3, 6, 7);
    _tile_dpbf16ps(4, 6, 7);
}

constexpr CeilingLoopEntry entries[] = {
    {CeilingElements::s8, "tdpbssd", 5, tile_bytes, 4, run_tiles<int8_a, int8_b>, 16 * 16 * 64},
    {CeilingElements::bf16, "tdpbf16ps", 5, tile_bytes, 2, run_tiles<bf16_a, bf16_b>, 16 * 16 * 32},
};

}  // namespace

const CeilingLoopTable ceiling_loops = {entries, sizeof entries / sizeof entries[0]};

}  // namespace assay::kernels::amx
