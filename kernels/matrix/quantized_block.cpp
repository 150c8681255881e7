#include <algorithm>
#include <cstring>

#include "kernels/cpu/half.h"
#include "kernels/matrix/quantized_parts.h"

namespace assay::kernels {

const std::byte* QuantizedProduct::unpack(std::size_t column, std::size_t k, std::size_t part,
                                          const std::byte* packed, Scratch& scratch) const {
    const std::size_t extent = extent_of(right_);
    if (format_ == WeightFormat::int8) return packed + column * right_.panel_bytes + k * right_.k_bytes;
    const std::byte* const panel = packed + column * extent / stored_columns * stored_panel_bytes_;
    // What the kernel's padding of k adds is zero.
    const std::size_t given = std::min(part, shape_.k - k);
    std::byte* const to = scratch.panel.data();
    if (given < part) std::memset(to, 0, part * stored_columns * (right_.k_bytes / extent));
    std::uint32_t* const words_to = reinterpret_cast<std::uint32_t*>(to);
    const bool floats = right_.panel.elements == PackedElements::f32;
    if (format_ == WeightFormat::fp8) {
        const std::uint32_t* words = reinterpret_cast<const std::uint32_t*>(panel) + k / 4 * stored_columns;
        floats ? functions_->fp8_to_f32(words, given, extent, reinterpret_cast<float*>(to))
               : functions_->fp8_to_bf16(words, given, extent, words_to);
    } else {
        const std::uint32_t* words = reinterpret_cast<const std::uint32_t*>(panel) + k / 4 * 16;
        const std::uint16_t* halves =
            reinterpret_cast<const std::uint16_t*>(panel + stored_columns * shape_.k / 2) +
            k / group() * stored_columns;
        for (std::size_t i = 0; i < given / group() * stored_columns; ++i)
            scratch.scales[i] = half_to_float(halves[i]);
        if (grouped())
            functions_->int4_to_s8(words, group(), given, extent, words_to, scratch.starts.data());
        else if (floats)
            functions_->int4_to_f32(words, scratch.scales.data(), group(), given, extent,
                                    reinterpret_cast<float*>(to));
        else
            functions_->int4_to_bf16(words, scratch.scales.data(), group(), given, extent, words_to);
        if (grouped() && left_.panel.elements == PackedElements::u8)
            for (std::size_t i = 0; i < given / group() * stored_columns; ++i) scratch.starts[i] *= -128;
    }
    return to;
}

void QuantizedProduct::multiply_block(const Block& block, const std::byte* packed, float* out,
                                      Scratch& scratch) const {
    const std::size_t rows = extent_of(left_), columns = extent_of(right_);
    const std::size_t tile_bytes = rows * columns * sum_bytes;
    const bool offset = left_.panel.elements == PackedElements::u8;
    for (std::size_t k = 0; k < left_.k_padded; k += plan_.k) {
        const std::size_t part = std::min(plan_.k, left_.k_padded - k);
        const bool last = k + part == left_.k_padded;
        std::byte* tile = scratch.tiles.data();
        const std::byte* b = nullptr;
        for (std::size_t column = block.column_begin; column < block.column_end; ++column) {
            // Two panels of 16 columns come from one that is stored.
            const std::size_t half = format_ == WeightFormat::int8 ? 0 : column * columns % stored_columns;
            if (half == 0 || column == block.column_begin) b = unpack(column, k, part, packed, scratch);
            const std::byte* const ours = b + half * part * (right_.k_bytes / columns);
            for (std::size_t row = block.row_begin; row < block.row_end; ++row, tile += tile_bytes) {
                const std::byte* a = activations_.data() + row * left_.panel_bytes + k * left_.k_bytes;
                if (!grouped()) {
                    kernel_.micro->multiply(part, a, ours,
                                            starts_.empty() ? nullptr : starts_.data() + column * columns,
                                            tile, columns, k != 0);
                } else {
                    for (std::size_t at = 0; at < part; at += group()) {
                        const std::size_t values = at / group() * stored_columns + half;
                        kernel_.micro->multiply(group(), a + at * left_.k_bytes, ours + at * right_.k_bytes,
                                                offset ? scratch.starts.data() + values : nullptr,
                                                scratch.group_tile.data(), columns, false);
                        functions_->add_scaled(scratch.group_tile.data(), scratch.scales.data() + values,
                                               rows, columns, k != 0 || at != 0,
                                               reinterpret_cast<float*>(tile));
                    }
                }
                if (last) finish(row, column, tile, out);
            }
        }
    }
}

void QuantizedProduct::finish(std::size_t row, std::size_t column, const std::byte* tile, float* out) const {
    const std::size_t rows = extent_of(left_), columns = extent_of(right_);
    const std::size_t inside_rows = std::min(rows, shape_.m - row * rows);
    const std::size_t inside_columns = std::min(columns, shape_.n - column * columns);
    const float* scales = column_scales_.empty() ? nullptr : column_scales_.data() + column * columns;
    const bool integers = kernel_.sums_integers() && !grouped();
    for (std::size_t i = 0; i < inside_rows; ++i) {
        const std::byte* from = tile + i * columns * sum_bytes;
        float* to = out + (row * rows + i) * shape_.n + column * columns;
        const float row_scale = row_scales_[row * rows + i];
        integers ? functions_->finish_integers(reinterpret_cast<const std::int32_t*>(from), row_scale, scales,
                                               inside_columns, to)
                 : functions_->finish_floats(reinterpret_cast<const float*>(from), row_scale, scales,
                                             inside_columns, to);
    }
}

}  // namespace assay::kernels
