#include "kernels/matrix/product.h"

#include <algorithm>
#include <atomic>
#include <cstring>

namespace assay::kernels {

namespace {

constexpr std::size_t sum_bytes = 4;  // int32 or f32

}  // namespace

MatrixProduct::MatrixProduct(const MatrixKernel& kernel, const ProductShape& shape, ThreadTeam& team)
    : kernel_(kernel),
      shape_(shape),
      team_(team),
      left_(kernel, Side::left, shape.m, shape.k),
      right_(kernel, Side::right, shape.n, shape.k),
      plan_(plan_blocks(kernel.micro->blocking, kernel.micro->k_multiple, left_, right_, team.size())),
      tiles_(static_cast<std::size_t>(team.size())) {
    const std::size_t tile_bytes = static_cast<std::size_t>(left_.panel.extent) *
                                   static_cast<std::size_t>(right_.panel.extent) * sum_bytes;
    team_.run([&](int member) {
        tiles_[static_cast<std::size_t>(member)].resize(plan_.row_panels * plan_.column_panels * tile_bytes);
    });
}

void MatrixProduct::pack_left(const OperandView& view, void* packed) {
    team_.run([&](int member) {
        const ItemRange mine = member_range(left_.panels, 1, member, team_.size());
        pack_panels(view, left_, mine.begin, mine.end, packed);
    });
}

void MatrixProduct::pack_right(const OperandView& view, void* packed) {
    const bool offset = left_.panel.elements == PackedElements::u8;
    if (offset) starts_.resize(right_.panels * static_cast<std::size_t>(right_.panel.extent));
    team_.run([&](int member) {
        const ItemRange mine = member_range(right_.panels, 1, member, team_.size());
        pack_panels(view, right_, mine.begin, mine.end, packed);
        if (offset) column_starts(packed, right_, mine.begin, mine.end, starts_.data());
    });
}

void MatrixProduct::multiply(const void* packed_left, const void* packed_right, void* c) {
    if (shape_.m == 0 || shape_.n == 0) return;
    if (shape_.k == 0) {
        std::memset(c, 0, shape_.m * shape_.n * sum_bytes);
        return;
    }
    std::atomic<std::size_t> next = 0;
    team_.run([&](int member) {
        for (std::size_t index = next++; index < plan_.blocks(); index = next++)
            multiply_block(block_of(plan_, left_, right_, index), packed_left, packed_right, c,
                           tiles_[static_cast<std::size_t>(member)].data());
    });
}

void MatrixProduct::multiply_block(const Block& block, const void* packed_left, const void* packed_right,
                                   void* c, std::byte* tiles) const {
    const std::size_t rows = static_cast<std::size_t>(left_.panel.extent);
    const std::size_t columns = static_cast<std::size_t>(right_.panel.extent);
    const std::size_t tile_bytes = rows * columns * sum_bytes;
    for (std::size_t k = 0; k < left_.k_padded; k += plan_.k) {
        const std::size_t part = std::min(plan_.k, left_.k_padded - k);
        const bool last = k + part == left_.k_padded;
        std::byte* tile = tiles;
        for (std::size_t column = block.column_begin; column < block.column_end; ++column) {
            const std::byte* b = static_cast<const std::byte*>(packed_right) + column * right_.panel_bytes +
                                 k * right_.k_bytes;
            const std::int32_t* start = starts_.empty() ? nullptr : starts_.data() + column * columns;
            for (std::size_t row = block.row_begin; row < block.row_end; ++row, tile += tile_bytes) {
                const std::byte* a =
                    static_cast<const std::byte*>(packed_left) + row * left_.panel_bytes + k * left_.k_bytes;
                kernel_.micro->multiply(part, a, b, start, tile, columns, k != 0);
                if (!last) continue;
                std::byte* to =
                    static_cast<std::byte*>(c) + (row * rows * shape_.n + column * columns) * sum_bytes;
                const std::size_t inside_rows = std::min(rows, shape_.m - row * rows);
                const std::size_t inside_bytes = std::min(columns, shape_.n - column * columns) * sum_bytes;
                for (std::size_t i = 0; i < inside_rows; ++i, to += shape_.n * sum_bytes)
                    std::memcpy(to, tile + i * columns * sum_bytes, inside_bytes);
            }
        }
    }
}

}  // namespace assay::kernels
