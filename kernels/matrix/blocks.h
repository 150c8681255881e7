#pragma once

#include <cstddef>

#include "kernels/matrix/packing.h"

namespace assay::kernels {

/// How a product is cut: blocks of c for a thread to take, and the parts of k that it goes through.
struct BlockPlan {
    std::size_t row_panels = 0, column_panels = 0;  ///< of a block, at most
    std::size_t k = 0;                              ///< of a part, a multiple of the kernel's
    std::size_t blocks_down = 0, blocks_across = 0;

    std::size_t blocks() const { return blocks_down * blocks_across; }
};

/// Blocks as the kernel likes them, but so small that `threads` have several each; parts are multiples of
/// `k_multiple`.
BlockPlan plan_blocks(const Blocking& blocking, int k_multiple, const PackedLayout& left,
                      const PackedLayout& right, int threads);

/// Panels [row_begin, row_end) × [column_begin, column_end) of block `index`, counted down the rows first:
/// neighbours in time share columns.
struct Block {
    std::size_t row_begin, row_end, column_begin, column_end;
};
Block block_of(const BlockPlan& plan, const PackedLayout& left, const PackedLayout& right, std::size_t index);

}  // namespace assay::kernels
