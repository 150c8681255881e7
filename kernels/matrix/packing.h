#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/matrix/kernel_choice.h"

namespace assay::kernels {

std::size_t bytes_of(PackedElements elements);

enum class Side { left, right };

/// An operand as it is given: element (i, l) of `extent` rows of the left operand (columns of the right one)
/// and `k` is data[i × extent_stride + l × k_stride].
struct OperandView {
    Precision precision = Precision::f32;
    const void* data = nullptr;
    std::size_t extent = 0, k = 0;
    std::size_t extent_stride = 0, k_stride = 1;
};

/// Where a kernel wants the elements of one operand.
struct PackedLayout {
    PackedLayout(const MatrixKernel& kernel, Side side, std::size_t extent, std::size_t k);

    PanelLayout panel;
    std::size_t panels = 0;
    std::size_t k_padded = 0;
    std::size_t k_bytes = 0;  ///< of all rows of a panel, for one value of k
    std::size_t panel_bytes = 0;
    std::size_t bytes() const { return panels * panel_bytes; }
};

/// Packs panels [begin, end) into their places from `packed` on, converting and filling up with zeros.
void pack_panels(const OperandView& view, const PackedLayout& layout, std::size_t begin, std::size_t end,
                 void* packed);

/// Packs one row of `k` elements, already of the layout's kind (u8 still signed), into a panel.
void pack_row(const void* row, std::size_t k, const PackedLayout& layout, std::size_t row_in_panel,
              void* panel);

/// Of a kernel whose left operand is kept as u8, signed plus 128, what its sums of each column must start
/// with: -128 × the column's sum, modulo 2^32, for the columns of panels [begin, end). starts[column].
void column_starts(const void* packed_right, const PackedLayout& layout, std::size_t begin, std::size_t end,
                   std::int32_t* starts);

}  // namespace assay::kernels
