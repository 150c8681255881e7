#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <variant>

#include "kernels/cuda/cublas_lt.h"
#include "kernels/offload/quantized.h"

namespace assay::cuda {

/// Many tokens by quantized weights as inference engines multiply them: on the tensor cores through cuBLASLt,
/// with an own kernel beside it in every product. Int8 activations meet int8 weights in int32 sums, which a
/// kernel then brings to f32 by both sides' scales. For bf16 activations a kernel first makes bf16 weights
/// of the quantized ones (bf16 ones are taken as they are), and sums are f32.
class QuantizedLtProduct {
  public:
    /// Operands as launch_gemm's, but activations that are not int8 as bf16 [m × columns]. They must outlive
    /// it. Tries every algorithm on them. The reason says what is missing: the card's units, the library, an
    /// algorithm for the shape, or a way to multiply such weights: f32 ones, those with other scales than
    /// their format's, and bf16 ones that do not begin their memory.
    static std::variant<std::unique_ptr<QuantizedLtProduct>, Absent> prepare(
        Accelerator& card, const kernels::OffloadedWeights& weights, std::size_t m,
        const kernels::QuantizedOperands& operands);

    /// Queued on the card's first queue.
    void enqueue();
    /// Queued: what enqueue() must make before it multiplies becomes NaN, so that no earlier one's is taken.
    void poison();
    /// What the tensor cores multiply: int8 or bf16.
    kernels::Precision precision() const;
    std::string library() const { return product_->library(); }
    int candidates() const { return product_->candidates(); }

  private:
    QuantizedLtProduct(Accelerator& card, const kernels::OffloadedWeights& weights, std::size_t m,
                       const kernels::QuantizedOperands& operands);
    bool dequantizes() const { return dequantized_ != nullptr; }

    Accelerator& card_;
    kernels::OffloadedWeights weights_;
    std::size_t m_;
    kernels::QuantizedOperands operands_;
    std::unique_ptr<DeviceMemory> dequantized_;
    std::unique_ptr<LtProduct> product_;
};

/// What it allocates on the card.
std::uint64_t quantized_lt_bytes(const kernels::OffloadedWeights& weights);

/// Queued: bf16 activations [m × columns] in int8 with a scale a row, bit for bit as
/// kernels::quantize_for_device() has them.
void quantize_activations(Accelerator& card, std::size_t m, std::size_t columns, const DeviceMemory& from,
                          DeviceMemory& values, DeviceMemory& scales);

/// Queued: to [rows × columns] = the weights (int8, int4 or fp8 with their format's scales) in bf16, each
/// rounded from its f32 value.
void dequantize(Accelerator& card, const kernels::OffloadedWeights& weights,
                const kernels::QuantizedOperands& operands, DeviceMemory& to);

}  // namespace assay::cuda
