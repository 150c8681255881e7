#include <algorithm>
#include <cstring>

#include "kernels/cpu/half.h"
#include "kernels/matrix/quantized_parts.h"

namespace assay::kernels {

// One column of a panel each, from the row of weights as quantize_rows() packs it.

namespace {

/// As the micro-kernel takes it: int8 weights are kept so.
void pack_int8(const std::byte* quantized, std::size_t k, const PackedLayout& right, std::size_t column,
               std::byte* to) {
    if (right.panel.elements != PackedElements::s16) {
        pack_row(quantized, k, right, column, to);
        return;
    }
    std::vector<std::int16_t> wide(k);
    std::transform(quantized, quantized + k, wide.begin(),
                   [](std::byte value) { return static_cast<std::int8_t>(value); });
    pack_row(wide.data(), k, right, column, to);
}

void store_fp8(const std::byte* quantized, std::size_t k, std::size_t column, std::byte* to) {
    for (std::size_t l = 0; l < k; l += 4)
        std::memcpy(to + (l / 4 * stored_columns + column) * 4, quantized + l, 4);
}

void store_int4(WeightFormat format, const std::byte* quantized, std::size_t k, std::size_t column,
                std::byte* to) {
    const std::size_t group_size = columns_multiple(format), half = column / 16, lane = column % 16;
    std::uint16_t* const scales = reinterpret_cast<std::uint16_t*>(to + stored_columns * k / 2);
    for (std::size_t group = 0; group < k / group_size; ++group)
        std::memcpy(&scales[group * stored_columns + column],
                    quantized + k / 2 + group * sizeof(std::uint16_t), sizeof(std::uint16_t));
    // Back from multiples of the scale: exact, but for a scale of 0 or NaN, whose multiples are all 0.
    std::vector<float> values(k);
    dequantize_rows(format, quantized, 1, k, values.data());
    for (std::size_t l = 0; l < k; ++l) {
        const float scale = half_to_float(scales[l / group_size * stored_columns + column]);
        const int nibble = scale == 0 || scale != scale ? 0 : static_cast<int>(values[l] / scale);
        to[(l / 4 * 16 + lane) * 4 + l % 4] |= static_cast<std::byte>((nibble & 15) << (4 * half));
    }
}

}  // namespace

void QuantizedProduct::pack_weights(const std::function<void(std::size_t, float*)>& row, std::byte* packed) {
    if (shape_.k == 0) return;
    const std::size_t columns = format_ == WeightFormat::int8 ? extent_of(right_) : stored_columns;
    const std::size_t panels = (shape_.n + columns - 1) / columns;
    team_.run([&](int member) {
        const ItemRange mine = member_range(panels, 1, member, team_.size());
        for (std::size_t panel = mine.begin; panel < mine.end; ++panel)
            pack_panel(panel, row, packed + panel * stored_panel_bytes_);
        if (!starts_.empty()) column_starts(packed, right_, mine.begin, mine.end, starts_.data());
    });
}

void QuantizedProduct::pack_panel(std::size_t panel, const std::function<void(std::size_t, float*)>& row,
                                  std::byte* to) {
    const std::size_t k = shape_.k;
    const std::size_t columns = format_ == WeightFormat::int8 ? extent_of(right_) : stored_columns;
    std::vector<float> weights(k);
    std::vector<std::byte> quantized(packed_row_bytes(format_, k));
    if (format_ != WeightFormat::int8) std::memset(to, 0, stored_panel_bytes_);
    for (std::size_t column = 0; column < columns; ++column) {
        const std::size_t index = panel * columns + column;
        if (index < shape_.n)
            row(index, weights.data());
        else
            std::fill(weights.begin(), weights.end(), 0.0f);
        quantize_rows(format_, weights.data(), 1, k, quantized.data());
        if (!column_scales_.empty()) std::memcpy(&column_scales_[index], quantized.data() + k, sizeof(float));
        if (format_ == WeightFormat::int8)
            pack_int8(quantized.data(), k, right_, column, to);
        else if (format_ == WeightFormat::fp8)
            store_fp8(quantized.data(), k, column, to);
        else
            store_int4(format_, quantized.data(), k, column, to);
    }
}

void QuantizedProduct::pack_activations(const float* activations, std::size_t panel) {
    const std::size_t rows = extent_of(left_), k = shape_.k;
    std::vector<std::byte> row(k * sizeof(float));
    std::byte* const to = activations_.data() + panel * left_.panel_bytes;
    for (std::size_t i = 0; i < rows; ++i) {
        const std::size_t index = panel * rows + i;
        if (index >= shape_.m) {
            std::memset(row.data(), 0, row.size());
            pack_row(row.data(), k, left_, i, to);
            continue;
        }
        const float* from = activations + index * k;
        const void* packed = row.data();
        switch (left_.panel.elements) {
            case PackedElements::f32:
                packed = from;
                break;
            case PackedElements::bf16:
                functions_->to_bf16(from, k, reinterpret_cast<std::uint16_t*>(row.data()));
                break;
            default:
                row_scales_[index] =
                    functions_->quantize_row(from, k, reinterpret_cast<std::int8_t*>(row.data()));
        }
        if (left_.panel.elements == PackedElements::s16) {
            // From the end, in place.
            const std::int8_t* bytes = reinterpret_cast<const std::int8_t*>(row.data());
            std::int16_t* wide = reinterpret_cast<std::int16_t*>(row.data());
            for (std::size_t l = k; l-- > 0;) wide[l] = bytes[l];
        }
        pack_row(packed, k, left_, i, to);
    }
}

}  // namespace assay::kernels
