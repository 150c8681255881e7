#pragma once

// What the files of QuantizedProduct share.

#include "kernels/matrix/quantized_product.h"

namespace assay::kernels {

inline constexpr std::size_t sum_bytes = 4;

const PanelFunctions& panel_functions_of(Isa isa);

inline bool is_int4(WeightFormat format) {
    return format == WeightFormat::int4 || format == WeightFormat::int4_g128;
}

inline std::size_t extent_of(const PackedLayout& layout) {
    return static_cast<std::size_t>(layout.panel.extent);
}

struct QuantizedProduct::Scratch {
    std::vector<std::byte> tiles;      ///< the block's sums
    std::vector<std::byte> panel;      ///< one stored panel's part, as the kernel wants it
    std::vector<float> scales;         ///< of the part's groups, [groups][32]
    std::vector<std::int32_t> starts;  ///< likewise
    std::vector<std::int32_t> group_tile;
    std::vector<std::byte> row;  ///< of activations or weights
};

}  // namespace assay::kernels
