// Compiled for AMX: includes nothing whose inline functions other units share, lest the linker keep this
// unit's copy for a CPU without it.
#include <immintrin.h>

#include "kernels/matrix/amx_tile_body.h"
#include "kernels/matrix/micro_kernels.h"
#include "kernels/matrix/tiles.h"

namespace assay::kernels::amx {

namespace {

// The intrinsics take a tile's number as it is written, so that each needs a line of its own.
#define ASSAY_WITH_TILE(tile, use)     \
    if constexpr ((tile) == 0) use(0); \
    if constexpr ((tile) == 1) use(1); \
    if constexpr ((tile) == 2) use(2); \
    if constexpr ((tile) == 3) use(3); \
    if constexpr ((tile) == 4) use(4); \
    if constexpr ((tile) == 5) use(5); \
    if constexpr ((tile) == 6) use(6); \
    if constexpr ((tile) == 7) use(7)

struct Tiles {
    template <int tile>
    static void zero() {
#define ASSAY_ZERO(number) _tile_zero(number)
        ASSAY_WITH_TILE(tile, ASSAY_ZERO);
    }
    template <int tile>
    static void load(const void* from, std::size_t stride) {
#define ASSAY_LOAD(number) _tile_loadd(number, from, static_cast<long>(stride))
        ASSAY_WITH_TILE(tile, ASSAY_LOAD);
    }
    template <int tile>
    static void store(void* to, std::size_t stride) {
#define ASSAY_STORE(number) _tile_stored(number, to, static_cast<long>(stride))
        ASSAY_WITH_TILE(tile, ASSAY_STORE);
    }
};

struct Int8Tiles : Tiles {
    template <int sum, int a, int b>
    static void multiply_add() {
        static_assert(a == 4 + sum / 2 && b == 6 + sum % 2);
        if constexpr (sum == 0) _tile_dpbssd(0, 4, 6);
        if constexpr (sum == 1) _tile_dpbssd(1, 4, 7);
        if constexpr (sum == 2) _tile_dpbssd(2, 5, 6);
        if constexpr (sum == 3) _tile_dpbssd(3, 5, 7);
    }
};

struct Bf16Tiles : Tiles {
    template <int sum, int a, int b>
    static void multiply_add() {
        static_assert(a == 4 + sum / 2 && b == 6 + sum % 2);
        if constexpr (sum == 0) _tile_dpbf16ps(0, 4, 6);
        if constexpr (sum == 1) _tile_dpbf16ps(1, 4, 7);
        if constexpr (sum == 2) _tile_dpbf16ps(2, 5, 6);
        if constexpr (sum == 3) _tile_dpbf16ps(3, 5, 7);
    }
};

/// The configuration is the thread's; it is set once a thread, which costs next to nothing if it stands.
void ensure_configured() {
    thread_local bool configured = false;
    if (configured) return;
    configure_full_tiles();
    configured = true;
}

template <typename Kind, int element_bytes>
void multiply(std::size_t k, const void* a, const void* b, const std::int32_t* /*start*/, void* sums,
              std::size_t stride, bool accumulate) {
    ensure_configured();
    multiply_amx_tile<Kind>(k * element_bytes, a, b, sums, stride, accumulate);
}

// A tile is done so fast that its panels must come from L1 (32 KiB of the right operand's) and L2, and blocks
// be nearly square for the traffic beyond. By count of bytes, not measured: 32 a cycle from L2, of 64.
constexpr Blocking tile_blocking = {1024, 384, 512};

constexpr MicroKernel kernels[] = {
    {"tdpbssd",
     {PackedElements::s8, 32, 64},
     {PackedElements::s8, 32, 4},
     64,
     tile_blocking,
     multiply<Int8Tiles, 1>},
    {"tdpbf16ps",
     {PackedElements::bf16, 32, 32},
     {PackedElements::bf16, 32, 2},
     32,
     tile_blocking,
     multiply<Bf16Tiles, 2>},
};

}  // namespace

const MicroKernelTable micro_kernels = {kernels, sizeof kernels / sizeof kernels[0]};

}  // namespace assay::kernels::amx
