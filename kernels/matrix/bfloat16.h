#pragma once

#include <bit>
#include <cstdint>

#include "kernels/device/on_both.h"

namespace assay::kernels {

/// bfloat16 to binary32; exact.
ASSAY_ON_BOTH inline float bfloat16_to_float(std::uint16_t value) {
    return std::bit_cast<float>(static_cast<std::uint32_t>(value) << 16);
}

/// binary32 to bfloat16, rounded to nearest, ties to even; a NaN stays one.
ASSAY_ON_BOTH inline std::uint16_t float_to_bfloat16(float value) {
    const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
    if ((bits & 0x7fffffffu) > 0x7f800000u) return static_cast<std::uint16_t>((bits >> 16) | 0x40u);
    return static_cast<std::uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

}  // namespace assay::kernels
