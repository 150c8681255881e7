#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "kernels/cpu/quantized.h"
#include "kernels/cpu/thread_team.h"
#include "kernels/matrix/panel_functions.h"
#include "kernels/matrix/product.h"

namespace assay::kernels {

/// What weights of a format are multiplied in: int8 (activations quantized to it, a scale a row) or bf16 (to
/// which int4 and fp8 weights are brought, block by block, while they are multiplied; f32 where there is no
/// such instruction). Nothing where `isa` cannot: int8 weights take int8 alone, fp8 bf16 alone, and tiles of
/// 64 values of k do not go into groups of 32.
std::optional<MatrixKernel> quantized_kernel(WeightFormat format, Precision activations, Isa isa);
/// That of the best instruction set.
std::optional<MatrixKernel> quantized_kernel(WeightFormat format, Precision activations);

/// What QuantizedProduct::weight_bytes() will be.
std::size_t packed_weight_bytes(const MatrixKernel& kernel, WeightFormat format, const ProductShape& shape);

/// out = activations × weightsᵀ: activations [m × k] and out [m × n] f32 and row-major, weights [n × k]
/// quantized as int8, int4, int4_g128 or fp8 and packed beforehand. Activations are quantized or rounded, and
/// packed, within each product. k is a multiple of columns_multiple().
class QuantizedProduct {
  public:
    QuantizedProduct(const MatrixKernel& kernel, WeightFormat format, const ProductShape& shape,
                     ThreadTeam& team);

    ~QuantizedProduct();
    QuantizedProduct(const QuantizedProduct&) = delete;
    QuantizedProduct& operator=(const QuantizedProduct&) = delete;

    /// Of the packed weights, padding included.
    std::size_t weight_bytes() const;
    /// Quantizes and packs, on the whole team; `row(index, to)` writes weights of one row of n.
    void pack_weights(const std::function<void(std::size_t index, float* to)>& row, std::byte* packed);
    void multiply(const float* activations, const std::byte* packed, float* out);

  private:
    struct Scratch;

    void pack_panel(std::size_t panel, const std::function<void(std::size_t, float*)>& row, std::byte* to);
    void pack_activations(const float* activations, std::size_t panel);
    void multiply_block(const Block& block, const std::byte* packed, float* out, Scratch& scratch) const;
    const std::byte* unpack(std::size_t column, std::size_t k, std::size_t part, const std::byte* packed,
                            Scratch& scratch) const;
    void finish(std::size_t row, std::size_t column, const std::byte* tile, float* out) const;

    bool grouped() const;  ///< int4 by int8: each group's sums are scaled on their own
    std::size_t group() const;

    MatrixKernel kernel_;
    WeightFormat format_;
    ProductShape shape_;
    ThreadTeam& team_;
    const PanelFunctions* functions_;
    PackedLayout left_, right_;
    BlockPlan plan_;
    std::size_t stored_panel_bytes_ = 0;
    std::vector<std::byte> activations_;  ///< packed
    std::vector<float> row_scales_;       ///< of activations
    std::vector<float> column_scales_;    ///< of weights with a scale a row
    std::vector<std::int32_t> starts_;    ///< column_starts() of int8 weights
    std::vector<Scratch> scratch_;        ///< of each member
};

/// For references: the numbers that a product really multiplies where it is given these, [k] each.
void activations_as_multiplied(const MatrixKernel& kernel, const float* in, std::size_t k, float* out);
void weights_as_multiplied(const MatrixKernel& kernel, WeightFormat format, const float* in, std::size_t k,
                           float* out);

}  // namespace assay::kernels
