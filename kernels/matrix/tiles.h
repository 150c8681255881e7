#pragma once

// For units compiled with AMX alone.
#include <immintrin.h>
#include <cstdint>

namespace assay::kernels::amx {
namespace {

/// All eight tiles with 16 rows of 64 bytes.
inline void configure_full_tiles() {
    // Intel SDM, volume 1, 18.2: byte 0 the palette, words from byte 16 the bytes a row, bytes from 48 the
    // rows.
    struct alignas(64) {
        std::uint8_t palette = 1, start_row = 0, reserved[14] = {};
        std::uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
        std::uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
    } configuration;
    static_assert(sizeof configuration == 64);
    _tile_loadconfig(&configuration);
}

}  // namespace
}  // namespace assay::kernels::amx
