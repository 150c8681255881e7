#include "kernels/matrix/blocks.h"

#include <algorithm>

namespace assay::kernels {

namespace {

constexpr std::size_t blocks_a_thread = 4;

std::size_t divided(std::size_t items, std::size_t by) {
    return (items + by - 1) / by;
}

std::size_t panels_in(int extent, const PackedLayout& layout) {
    return static_cast<std::size_t>(std::max(extent / layout.panel.extent, 1));
}

}  // namespace

BlockPlan plan_blocks(const Blocking& blocking, int k_multiple, const PackedLayout& left,
                      const PackedLayout& right, int threads) {
    BlockPlan plan;
    plan.row_panels = panels_in(blocking.rows, left);
    plan.column_panels = panels_in(blocking.columns, right);
    const auto count = [&] {
        plan.blocks_down = divided(left.panels, plan.row_panels);
        plan.blocks_across = divided(right.panels, plan.column_panels);
        return plan.blocks();
    };
    while (count() < blocks_a_thread * static_cast<std::size_t>(threads) &&
           (plan.row_panels > 1 || plan.column_panels > 1)) {
        const bool rows_longer = plan.row_panels * static_cast<std::size_t>(left.panel.extent) >
                                 plan.column_panels * static_cast<std::size_t>(right.panel.extent);
        std::size_t& longer = (rows_longer && plan.row_panels > 1) || plan.column_panels == 1
                                  ? plan.row_panels
                                  : plan.column_panels;
        longer = divided(longer, 2);
    }
    // Equal blocks rather than large ones and a rest.
    if (left.panels != 0) plan.row_panels = divided(left.panels, plan.blocks_down);
    if (right.panels != 0) plan.column_panels = divided(right.panels, plan.blocks_across);
    count();

    const std::size_t bytes_a_value = right.k_bytes / static_cast<std::size_t>(right.panel.extent);
    const std::size_t multiple = static_cast<std::size_t>(k_multiple);
    const std::size_t wanted =
        std::max<std::size_t>(static_cast<std::size_t>(blocking.part_bytes) / bytes_a_value, 1);
    const std::size_t parts = std::max<std::size_t>(divided(right.k_padded, wanted), 1);
    plan.k = std::max<std::size_t>(divided(divided(right.k_padded, parts), multiple), 1) * multiple;
    return plan;
}

Block block_of(const BlockPlan& plan, const PackedLayout& left, const PackedLayout& right,
               std::size_t index) {
    const std::size_t row = index % plan.blocks_down * plan.row_panels;
    const std::size_t column = index / plan.blocks_down * plan.column_panels;
    return {row, std::min(row + plan.row_panels, left.panels), column,
            std::min(column + plan.column_panels, right.panels)};
}

}  // namespace assay::kernels
