#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "probes/quantized/matrix_product.h"
#include "probes/quantized/offloaded/offloaded.h"

namespace assay {

/// Each as bf16 keeps it.
void round_to_bf16(std::span<float> values);

/// [m × k] as own kernels take them: int8 with a scale a row, or bf16 values in f32.
struct DeviceTokens {
    std::vector<float> as_multiplied;
    std::size_t columns;
    std::unique_ptr<DeviceMemory> values, scales;  ///< scales of int8 alone
    /// With CUDA, what int8 ones are quantized from by quantize(), in every product; else the host did it.
    std::unique_ptr<DeviceMemory> bf16;

    /// Queued, where there is something to do; and poison(): values become what none are quantized to.
    void quantize(Accelerator& accelerator) const;
    void poison(Accelerator& accelerator) const;

    DeviceTokens(Accelerator& accelerator, bool integers, std::vector<float> given, std::size_t k);
};

/// A way to multiply on a device.
struct GemmWay {
    NamedProduct product;
    std::string implementation;  ///< "own", "cublaslt"
    std::string arithmetic;      ///< what is multiplied: "int8", "bf16", "f32"
    std::string library = {};    ///< "libcublasLt.so.13 (13.0.2)"; empty: none
    bool bf16_weights = false;   ///< what is multiplied are weights rounded to bf16
    double more_error = 0;       ///< allowed beside that of f32 sums, of the terms' magnitudes
    /// Queued: results, and what is made before them, become what no product has.
    std::function<void()> poison;
    std::string note;  ///< what becomes of the operands
};
struct GemmWays {
    std::vector<GemmWay> ways;
    std::string absence;  ///< why not by the library, where one could expect it
};
/// Those of this device, on operands that must outlive them.
GemmWays gemm_ways(Accelerator& accelerator, const GemmShape& shape, const kernels::OffloadedWeights& weights,
                   const DeviceMemory& packed, const DeviceTokens& tokens, DeviceMemory& out);

}  // namespace assay
