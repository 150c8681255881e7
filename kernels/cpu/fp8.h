#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

#include "kernels/device/on_both.h"

namespace assay::kernels {

/// E4M3 (OCP 8-bit floating point, 2023): bias 7, subnormals, no infinities; 0x7f and 0xff are NaN.
inline constexpr float largest_fp8 = 448;

ASSAY_ON_BOTH inline float fp8_to_float(std::uint8_t value) {
    const std::uint32_t sign = (value & 0x80u) << 24;
    const std::uint32_t magnitude = value & 0x7fu;
    if (magnitude == 0x7f) return std::bit_cast<float>(sign | 0x7fc00000u);
    // Seven bits as those of a float whose exponent is 2^120 too small; small ones as an integer.
    const float positive = magnitude < 8 ? static_cast<float>(magnitude) * 0x1p-9f
                                         : std::bit_cast<float>((magnitude << 20) + (120u << 23));
    return sign != 0 ? -positive : positive;
}

/// Rounded to nearest, ties to even; beyond ±448 the largest (a weight saturates); NaN stays one.
ASSAY_ON_BOTH inline std::uint8_t float_to_fp8(float value) {
    const std::uint8_t sign = std::signbit(value) ? 0x80 : 0;
    const float magnitude = std::abs(value);
    if (std::isnan(value)) return static_cast<std::uint8_t>(sign | 0x7f);
    if (magnitude >= largest_fp8) return static_cast<std::uint8_t>(sign | 0x7e);
    // Below 2^-6 steps are 2^-9; above, three bits follow the leading one.
    if (magnitude < 0x1p-6f)
        return static_cast<std::uint8_t>(sign |
                                         static_cast<std::uint8_t>(std::nearbyint(magnitude * 0x1p9f)));
    const std::uint32_t bits = std::bit_cast<std::uint32_t>(magnitude) - (120u << 23);
    const std::uint32_t rounded = (bits + 0x7ffffu + ((bits >> 20) & 1u)) >> 20;
    return static_cast<std::uint8_t>(sign | rounded);
}

}  // namespace assay::kernels
