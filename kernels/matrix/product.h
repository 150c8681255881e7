#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/cpu/thread_team.h"
#include "kernels/matrix/blocks.h"
#include "kernels/matrix/packing.h"

namespace assay::kernels {

struct ProductShape {
    std::size_t m = 0, n = 0, k = 0;
};

/// c = a × b, a [m × k], b [k × n], by own kernels on operands packed beforehand. c is row-major, dense,
/// int32 (which wraps) for int8 and f32 for all others. Blocked for the caches: a thread takes one block of c
/// after the other, and goes through k in parts that keep a panel of b in L1 and a block of a in L2 (Goto and
/// van de Geijn 2008).
class MatrixProduct {
  public:
    MatrixProduct(const MatrixKernel& kernel, const ProductShape& shape, ThreadTeam& team);

    const PackedLayout& left() const { return left_; }
    const PackedLayout& right() const { return right_; }

    /// `view` as given into left().bytes() or right().bytes() from `packed` on, on the whole team.
    void pack_left(const OperandView& view, void* packed);
    /// The right one also settles what sums start with, so it is the one that is multiplied by from then on.
    void pack_right(const OperandView& view, void* packed);

    /// On the whole team. Empty shapes give zeros (k = 0) or nothing.
    void multiply(const void* packed_left, const void* packed_right, void* c);

  private:
    void multiply_block(const Block& block, const void* packed_left, const void* packed_right, void* c,
                        std::byte* tiles) const;

    MatrixKernel kernel_;
    ProductShape shape_;
    ThreadTeam& team_;
    PackedLayout left_, right_;
    BlockPlan plan_;
    std::vector<std::int32_t> starts_;
    // Of each member, the sums of the block that it is at: side by side, since rows of c a power of two apart
    // would share a few sets of the caches.
    std::vector<std::vector<std::byte>> tiles_;
};

}  // namespace assay::kernels
