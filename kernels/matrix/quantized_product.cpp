#include "kernels/matrix/quantized_product.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <stdexcept>

#include "kernels/cpu/half.h"
#include "kernels/matrix/bfloat16.h"

namespace assay::kernels {

namespace {

constexpr std::size_t sum_bytes = 4;

const PanelFunctions& functions_of(Isa isa) {
#if defined(__x86_64__)
    if (isa == Isa::amx || isa == Isa::avx512) return avx512::panel_functions;
    if (isa == Isa::avx2) return avx2::panel_functions;
#elif defined(__aarch64__)
    if (isa == Isa::neon) return neon::panel_functions;
#endif
    static_cast<void>(isa);
    return portable::panel_functions;
}

bool is_int4(WeightFormat format) {
    return format == WeightFormat::int4 || format == WeightFormat::int4_g128;
}

std::size_t extent_of(const PackedLayout& layout) {
    return static_cast<std::size_t>(layout.panel.extent);
}

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

}  // namespace

std::optional<MatrixKernel> quantized_kernel(WeightFormat format, Precision activations, Isa isa) {
    const bool integers = activations == Precision::int8;
    if (!integers && activations != Precision::bf16) return std::nullopt;
    if (format == WeightFormat::int8 ? !integers
                                     : !is_int4(format) && (format != WeightFormat::fp8 || integers))
        return std::nullopt;
    for (const MatrixKernel& kernel : matrix_kernels(activations, isa)) {
        const MicroKernel& micro = *kernel.micro;
        // Stored panels become such of 16 or 32 columns of 32 bits, and integers such of bytes.
        const bool words = bytes_of(micro.b.elements) * static_cast<std::size_t>(micro.b.group) == 4;
        const bool fits =
            format == WeightFormat::int8 || (words && (micro.b.extent == 16 || micro.b.extent == 32));
        const bool grouped = integers && is_int4(format);
        if (!fits || (grouped && micro.b.elements != PackedElements::s8)) continue;
        if (grouped && columns_multiple(format) % static_cast<std::size_t>(micro.k_multiple) != 0) continue;
        return kernel;
    }
    return std::nullopt;
}

std::optional<MatrixKernel> quantized_kernel(WeightFormat format, Precision activations) {
    for (const Isa isa : {Isa::amx, Isa::avx512, Isa::avx2, Isa::neon, Isa::portable})
        if (const std::optional<MatrixKernel> kernel = quantized_kernel(format, activations, isa))
            return kernel;
    return std::nullopt;
}

void activations_as_multiplied(const MatrixKernel& kernel, const float* in, std::size_t k, float* out) {
    const PanelFunctions& functions = functions_of(kernel.isa);
    if (kernel.sums_integers()) {
        std::vector<std::int8_t> integers(k);
        const float scale = functions.quantize_row(in, k, integers.data());
        for (std::size_t l = 0; l < k; ++l) out[l] = static_cast<float>(integers[l]) * scale;
    } else if (kernel.arithmetic == Precision::bf16) {
        std::vector<std::uint16_t> rounded(k);
        functions.to_bf16(in, k, rounded.data());
        for (std::size_t l = 0; l < k; ++l) out[l] = bfloat16_to_float(rounded[l]);
    } else {
        std::copy_n(in, k, out);
    }
}

void weights_as_multiplied(const MatrixKernel& kernel, WeightFormat format, const float* in, std::size_t k,
                           float* out) {
    std::vector<std::byte> packed(packed_row_bytes(format, k));
    quantize_rows(format, in, 1, k, packed.data());
    dequantize_rows(format, packed.data(), 1, k, out);
    if (kernel.arithmetic != Precision::bf16) return;
    // fp8 fits into bf16 as it is, and its scale comes last; int4 is scaled first.
    if (is_int4(format))
        for (std::size_t l = 0; l < k; ++l) out[l] = bfloat16_to_float(float_to_bfloat16(out[l]));
}

struct QuantizedProduct::Scratch {
    std::vector<std::byte> tiles;      ///< the block's sums
    std::vector<std::byte> panel;      ///< one stored panel's part, as the kernel wants it
    std::vector<float> scales;         ///< of the part's groups, [groups][32]
    std::vector<std::int32_t> starts;  ///< likewise
    std::vector<std::int32_t> group_tile;
    std::vector<std::byte> row;  ///< of activations or weights
};

QuantizedProduct::QuantizedProduct(const MatrixKernel& kernel, WeightFormat format, const ProductShape& shape,
                                   ThreadTeam& team)
    : kernel_(kernel),
      format_(format),
      shape_(shape),
      team_(team),
      functions_(&functions_of(kernel.isa)),
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
    if (format == WeightFormat::int8 || format == WeightFormat::fp8)
        column_scales_.resize((shape.n + stored_columns - 1) / stored_columns * stored_columns +
                              extent_of(right_));
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
    const std::size_t panels =
        format_ == WeightFormat::int8 ? right_.panels : (shape_.n + stored_columns - 1) / stored_columns;
    return panels * stored_panel_bytes_ + column_scales_.size() * sizeof(float);
}

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
    std::vector<float> weights(k), values(k);
    std::vector<std::byte> quantized(packed_row_bytes(format_, k));
    std::vector<std::int16_t> wide(k);
    if (format_ != WeightFormat::int8) std::memset(to, 0, stored_panel_bytes_);
    std::uint16_t* const scales = reinterpret_cast<std::uint16_t*>(to + stored_columns * k / 2);
    for (std::size_t column = 0; column < columns; ++column) {
        const std::size_t index = panel * columns + column;
        if (index < shape_.n)
            row(index, weights.data());
        else
            std::fill(weights.begin(), weights.end(), 0.0f);
        quantize_rows(format_, weights.data(), 1, k, quantized.data());
        if (!column_scales_.empty()) std::memcpy(&column_scales_[index], quantized.data() + k, sizeof(float));
        if (format_ == WeightFormat::int8) {
            const void* from = quantized.data();
            if (right_.panel.elements == PackedElements::s16) {
                std::transform(quantized.begin(), quantized.begin() + static_cast<std::ptrdiff_t>(k),
                               wide.begin(), [](std::byte value) { return static_cast<std::int8_t>(value); });
                from = wide.data();
            }
            pack_row(from, k, right_, column, to);
        } else if (format_ == WeightFormat::fp8) {
            for (std::size_t l = 0; l < k; l += 4)
                std::memcpy(to + (l / 4 * stored_columns + column) * 4, quantized.data() + l, 4);
        } else {
            const std::size_t half = column / 16, lane = column % 16;
            for (std::size_t group = 0; group < k / this->group(); ++group)
                std::memcpy(&scales[group * stored_columns + column],
                            quantized.data() + k / 2 + group * sizeof(std::uint16_t), sizeof(std::uint16_t));
            // Back from multiples of the scale: exact, but for a scale of 0 or NaN, whose multiples are all
            // 0.
            dequantize_rows(format_, quantized.data(), 1, k, values.data());
            for (std::size_t l = 0; l < k; ++l) {
                const float scale = half_to_float(scales[l / this->group() * stored_columns + column]);
                const int nibble = scale == 0 || scale != scale ? 0 : static_cast<int>(values[l] / scale);
                to[(l / 4 * 16 + lane) * 4 + l % 4] |= static_cast<std::byte>((nibble & 15) << (4 * half));
            }
        }
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
