#include "kernels/matrix/packing.h"

#include <algorithm>
#include <cstring>
#include <type_traits>
#include <vector>

#include "kernels/cpu/half.h"
#include "kernels/matrix/bfloat16.h"

namespace assay::kernels {

std::size_t bytes_of(PackedElements elements) {
    switch (elements) {
        case PackedElements::f32:
            return 4;
        case PackedElements::bf16:
        case PackedElements::f16:
        case PackedElements::s16:
            return 2;
        case PackedElements::s8:
        case PackedElements::u8:
            return 1;
    }
    return 0;
}

namespace {

struct Bfloat16 {
    std::uint16_t bits;
};
struct Half {
    std::uint16_t bits;
};

float widened(Bfloat16 value) {
    return bfloat16_to_float(value.bits);
}
float widened(Half value) {
    return half_to_float(value.bits);
}

/// Rows of a panel one after another, [extent][k]; `convert` makes a packed element of a given one.
template <typename Packed, typename Given, typename Convert>
void gather(const OperandView& view, std::size_t first, std::size_t count, Convert convert, std::byte* rows) {
    const Given* data = static_cast<const Given*>(view.data);
    Packed* to = reinterpret_cast<Packed*>(rows);
    // Neighbours in memory first, whichever they are.
    if (view.k_stride == 1) {
        for (std::size_t i = 0; i < count; ++i)
            for (std::size_t l = 0; l < view.k; ++l)
                to[i * view.k + l] = convert(data[(first + i) * view.extent_stride + l]);
    } else {
        for (std::size_t l = 0; l < view.k; ++l)
            for (std::size_t i = 0; i < count; ++i)
                to[i * view.k + l] = convert(data[(first + i) * view.extent_stride + l * view.k_stride]);
    }
}

void gather_panel(const OperandView& view, PackedElements elements, std::size_t first, std::size_t count,
                  std::byte* rows) {
    const auto as_is = [](auto value) { return value; };
    switch (view.precision) {
        case Precision::int8:
            if (elements == PackedElements::s16)
                return gather<std::int16_t, std::int8_t>(
                    view, first, count, [](std::int8_t value) { return std::int16_t{value}; }, rows);
            return gather<std::int8_t, std::int8_t>(view, first, count, as_is, rows);
        case Precision::f32:
            return gather<float, float>(view, first, count, as_is, rows);
        case Precision::bf16:
            if (elements == PackedElements::f32)
                return gather<float, Bfloat16>(
                    view, first, count, [](Bfloat16 value) { return widened(value); }, rows);
            return gather<Bfloat16, Bfloat16>(view, first, count, as_is, rows);
        case Precision::f16:
            if (elements == PackedElements::f32)
                return gather<float, Half>(
                    view, first, count, [](Half value) { return widened(value); }, rows);
            return gather<Half, Half>(view, first, count, as_is, rows);
        case Precision::f64:
        case Precision::tf32:
        case Precision::fp8:
            return;  // no kernel of the CPU's takes them
    }
}

template <std::size_t bytes>
void scatter(const std::byte* row, std::size_t count, std::size_t step, std::byte* to) {
    for (std::size_t i = 0; i < count; ++i) std::memcpy(to + i * step, row + i * bytes, bytes);
}

}  // namespace

PackedLayout::PackedLayout(const MatrixKernel& kernel, Side side, std::size_t extent, std::size_t k)
    : panel(side == Side::left ? kernel.micro->a : kernel.micro->b) {
    const std::size_t rows = static_cast<std::size_t>(panel.extent);
    const std::size_t multiple = static_cast<std::size_t>(kernel.micro->k_multiple);
    panels = (extent + rows - 1) / rows;
    k_padded = (k + multiple - 1) / multiple * multiple;
    k_bytes = rows * bytes_of(panel.elements);
    panel_bytes = k_padded * k_bytes;
}

void pack_row(const void* row, std::size_t k, const PackedLayout& layout, std::size_t row_in_panel,
              void* panel) {
    const std::size_t group = static_cast<std::size_t>(layout.panel.group);
    const std::size_t element = bytes_of(layout.panel.elements);
    const std::size_t group_bytes = group * element;
    const std::size_t step = static_cast<std::size_t>(layout.panel.extent) * group_bytes;
    if (k == 0) return;  // a panel of nothing has no address
    const std::byte* from = static_cast<const std::byte*>(row);
    std::byte* to = static_cast<std::byte*>(panel) + row_in_panel * group_bytes;
    const std::size_t whole = k / group;
    switch (group_bytes) {
        case 2:
            scatter<2>(from, whole, step, to);
            break;
        case 4:
            scatter<4>(from, whole, step, to);
            break;
        default:
            for (std::size_t i = 0; i < whole; ++i)
                std::memcpy(to + i * step, from + i * group_bytes, group_bytes);
    }
    // What is left of the row's last group and, up to the padded k, whole groups of zeros.
    const std::size_t left = k % group * element;
    std::byte* tail = to + whole * step;
    if (left != 0) {
        std::memcpy(tail, from + whole * group_bytes, left);
        std::memset(tail + left, 0, group_bytes - left);
        tail += step;
    }
    for (std::size_t i = (k + group - 1) / group; i < layout.k_padded / group; ++i, tail += step)
        std::memset(tail, 0, group_bytes);
    if (layout.panel.elements != PackedElements::u8) return;
    for (std::size_t i = 0; i < layout.k_padded / group; ++i) {
        std::uint32_t word = 0;
        static_assert(sizeof word == 4);
        std::memcpy(&word, to + i * step, sizeof word);
        word ^= 0x80808080u;
        std::memcpy(to + i * step, &word, sizeof word);
    }
}

void pack_panels(const OperandView& view, const PackedLayout& layout, std::size_t begin, std::size_t end,
                 void* packed) {
    const std::size_t extent = static_cast<std::size_t>(layout.panel.extent);
    const std::size_t row_bytes = view.k * bytes_of(layout.panel.elements);
    std::vector<std::byte> rows(extent * row_bytes);
    const std::vector<std::byte> zeros(row_bytes);
    for (std::size_t panel = begin; panel < end; ++panel) {
        const std::size_t first = panel * extent;
        const std::size_t count = std::min(extent, view.extent - first);
        gather_panel(view, layout.panel.elements, first, count, rows.data());
        std::byte* to = static_cast<std::byte*>(packed) + panel * layout.panel_bytes;
        for (std::size_t i = 0; i < extent; ++i)
            pack_row(i < count ? rows.data() + i * row_bytes : zeros.data(), view.k, layout, i, to);
    }
}

void column_starts(const void* packed_right, const PackedLayout& layout, std::size_t begin, std::size_t end,
                   std::int32_t* starts) {
    const std::size_t columns = static_cast<std::size_t>(layout.panel.extent);
    const std::size_t group = static_cast<std::size_t>(layout.panel.group);
    for (std::size_t panel = begin; panel < end; ++panel) {
        const std::int8_t* from = static_cast<const std::int8_t*>(packed_right) + panel * layout.panel_bytes;
        std::vector<std::uint32_t> sums(columns);
        for (std::size_t l = 0; l < layout.k_padded; l += group)
            for (std::size_t column = 0; column < columns; ++column)
                for (std::size_t i = 0; i < group; ++i)
                    sums[column] += static_cast<std::uint32_t>(std::int32_t{*from++});
        for (std::size_t column = 0; column < columns; ++column)
            starts[panel * columns + column] = static_cast<std::int32_t>(sums[column] * -128u);
    }
}

}  // namespace assay::kernels
