#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "kernels/cpu/quantized.h"
#include "kernels/device/accelerator.h"

namespace assay::kernels {

/// Weights as devices multiply them: the same bytes as kernels/cpu/quantized.h packs, but first the values of
/// all rows and then the scales of all rows, so that every row begins at a multiple of 16 bytes; and int4's
/// groups are not interleaved: byte i of a group of 32 has column i low and column i + 16 high. `to` has
/// rows × packed_row_bytes.
void arrange_for_device(WeightFormat format, const std::byte* packed, std::size_t rows, std::size_t columns,
                        std::byte* to);

/// Int8 activations as devices take them: a row's values in their order, an f32 scale for each `share`.
struct DeviceActivations {
    std::vector<std::int8_t> values;
    std::vector<float> scales;
    std::vector<float> as_multiplied() const;  ///< the f32 values that they stand for
};
DeviceActivations quantize_for_device(const float* in, std::size_t count, std::size_t share);

/// What a product multiplies. `scale_columns`: of int8 and fp8, as many columns share a scale (for gemv the
/// whole row; int8 activations of gemm, too).
struct OffloadedWeights {
    WeightFormat format = WeightFormat::int8;
    bool int8_activations = false;  ///< gemv: int8 and int4; gemm: int8
    std::size_t rows = 0, columns = 0;
    std::size_t scale_columns = 0;
    std::size_t bytes() const;
};
/// With the format's own scales.
OffloadedWeights offloaded_weights(WeightFormat format, bool int8_activations, std::size_t rows,
                                   std::size_t columns);

/// How a product is launched: a form of kernels/opencl/quantized.cl or kernels/cuda/quantized.cu.
struct QuantizedForm {
    std::string name;  ///< "2 rows a warp"
    std::string function, options;
    std::size_t rows = 1, columns = 1;  ///< that a group takes
    std::size_t rows_of_item = 0;       ///< gemv by items: rows that each goes through
    std::size_t group_x = 1, group_y = 1;
};
/// Those worth a trial on that device, the first of which runs everywhere.
std::vector<QuantizedForm> gemv_forms(const Accelerator& accelerator, const OffloadedWeights& weights);
std::vector<QuantizedForm> gemm_forms(const Accelerator& accelerator, const OffloadedWeights& weights);

/// Operands and result on the device. Weights begin `at` bytes into `weights`, a multiple of 16.
struct QuantizedOperands {
    const DeviceMemory* weights = nullptr;
    std::size_t at = 0;
    const DeviceMemory* activations = nullptr;  ///< f32, or int8 values
    const DeviceMemory* scales = nullptr;       ///< of int8 activations: gemv one for each 32, gemm one a row
    DeviceMemory* out = nullptr;                ///< f32
};

/// Queued: out [rows] = weights × activations [columns].
void launch_gemv(Accelerator& accelerator, const QuantizedForm& form, const OffloadedWeights& weights,
                 const QuantizedOperands& operands);
/// Queued: out [m × rows] = activations [m × columns] × the weights' transpose.
void launch_gemm(Accelerator& accelerator, const QuantizedForm& form, const OffloadedWeights& weights,
                 std::size_t m, const QuantizedOperands& operands);

}  // namespace assay::kernels
