#include "kernels/matrix/quantized_product.h"

#include <algorithm>
#include <atomic>
#include <stdexcept>
#include <string>

#include "kernels/matrix/quantized_parts.h"

namespace assay::kernels {

namespace {

/// Parts of k are of whole groups, so that each group's scale is met once.
std::size_t multiple_of(const MatrixKernel& kernel, WeightFormat format) {
    return std::max(columns_multiple(format), static_cast<std::size_t>(kernel.micro->k_multiple));
}

/// Weights that are unpacked while they are multiplied should meet many rows each time. Measured on Zen 5:
/// 128 rows cost fp8 a third of its speed.
Blocking blocking_of(const MatrixKernel& kernel, WeightFormat format) {
    constexpr Blocking unpacking = {2048, 512, 512};
    return format == WeightFormat::int8 ? kernel.micro->blocking : unpacking;
}

/// Bytes of one stored panel of 32 columns: words, then scales where groups have them.
std::size_t stored_bytes(WeightFormat format, std::size_t k) {
    if (is_int4(format))
        return stored_columns * k / 2 + k / columns_multiple(format) * stored_columns * sizeof(std::uint16_t);
    return stored_columns * k;
}

std::size_t scales_of_columns(const MatrixKernel& kernel, WeightFormat format, std::size_t n) {
    if (is_int4(format)) return 0;
    return (n + stored_columns - 1) / stored_columns * stored_columns +
           static_cast<std::size_t>(kernel.micro->b.extent);
}

}  // namespace

std::size_t packed_weight_bytes(const MatrixKernel& kernel, WeightFormat format, const ProductShape& shape) {
    const std::size_t panels =
        format == WeightFormat::int8
            ? PackedLayout(kernel, Side::right, shape.n, shape.k).bytes()
            : (shape.n + stored_columns - 1) / stored_columns * stored_bytes(format, shape.k);
    return panels + scales_of_columns(kernel, format, shape.n) * sizeof(float);
}

QuantizedProduct::QuantizedProduct(const MatrixKernel& kernel, WeightFormat format, const ProductShape& shape,
                                   ThreadTeam& team)
    : kernel_(kernel),
      format_(format),
      shape_(shape),
      team_(team),
      functions_(&panel_functions_of(kernel.isa)),
      left_(kernel, Side::left, shape.m, shape.k),
      right_(kernel, Side::right, shape.n, shape.k),
      plan_(plan_blocks(blocking_of(kernel, format), static_cast<int>(multiple_of(kernel, format)), left_,
                        right_, team.size())),
      row_scales_(left_.panels * extent_of(left_), 1.0f),
      scratch_(static_cast<std::size_t>(team.size())) {
    if (shape.k % columns_multiple(format) != 0)
        throw std::invalid_argument("a quantized product of k = " + std::to_string(shape.k) +
                                    ": a multiple of " + std::to_string(columns_multiple(format)) +
                                    " would be accepted");
    stored_panel_bytes_ = format == WeightFormat::int8 ? right_.panel_bytes : stored_bytes(format, shape.k);
    activations_.resize(left_.bytes());
    column_scales_.resize(scales_of_columns(kernel, format, shape.n));
    if (format == WeightFormat::int8 && left_.panel.elements == PackedElements::u8)
        starts_.resize(right_.panels * extent_of(right_));
    team_.run([&](int member) {
        Scratch& scratch = scratch_[static_cast<std::size_t>(member)];
        const std::size_t tile = extent_of(left_) * extent_of(right_);
        scratch.tiles.resize(plan_.row_panels * plan_.column_panels * tile * sum_bytes);
        const std::size_t groups = plan_.k / columns_multiple(format_) + 1;
        scratch.scales.resize(groups * stored_columns);
        scratch.starts.resize(groups * stored_columns);
        scratch.group_tile.resize(tile);
        scratch.panel.resize(plan_.k * stored_columns * sizeof(float));
    });
}

QuantizedProduct::~QuantizedProduct() = default;

bool QuantizedProduct::grouped() const {
    return is_int4(format_) && kernel_.sums_integers();
}

std::size_t QuantizedProduct::group() const {
    return columns_multiple(format_);
}

std::size_t QuantizedProduct::weight_bytes() const {
    return packed_weight_bytes(kernel_, format_, shape_);
}

void QuantizedProduct::multiply(const float* activations, const std::byte* packed, float* out) {
    if (shape_.m == 0 || shape_.n == 0) return;
    if (shape_.k == 0) {
        std::fill(out, out + shape_.m * shape_.n, 0.0f);
        return;
    }
    team_.run([&](int member) {
        const ItemRange mine = member_range(left_.panels, 1, member, team_.size());
        for (std::size_t panel = mine.begin; panel < mine.end; ++panel) pack_activations(activations, panel);
    });
    std::atomic<std::size_t> next = 0;
    team_.run([&](int member) {
        for (std::size_t index = next++; index < plan_.blocks(); index = next++)
            multiply_block(block_of(plan_, left_, right_, index), packed, out,
                           scratch_[static_cast<std::size_t>(member)]);
    });
}

}  // namespace assay::kernels
