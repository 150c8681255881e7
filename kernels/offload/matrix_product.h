#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kernels/device/accelerator.h"
#include "kernels/matrix/precision.h"

namespace assay::kernels {

/// How a product is cut: tiles of rows × columns, each summed by one work-item in vector registers (for CPUs)
/// or by a work-group of 16 × 16 through local memory (for GPUs).
struct OffloadedForm {
    bool by_items = false;
    std::size_t rows = 0, columns = 0;
    std::string name() const;  ///< "12 x 32 by items"
};

/// The forms worth a trial on that device, in that precision.
std::vector<OffloadedForm> offloaded_forms(const Accelerator& accelerator, Precision precision);

/// Why the device cannot multiply in that precision by own kernels, naming what it lacks; nothing where it
/// can.
std::optional<std::string> offloading_obstacle(const Accelerator& accelerator, Precision precision);

/// out = a × b on an OpenCL device by own kernels, both operands packed beforehand: f32; f16, summed in f16
/// for 64 products at a time and then in f32 (cl_khr_fp16); int8 into int32 (cl_khr_integer_dot_product).
class OffloadedProduct {
  public:
    /// `imitate`: f16 by f32 arithmetic and int8 without the dot product, for devices that have neither; such
    /// a product tests the kernels and measures nothing. Allocates packed_bytes().
    OffloadedProduct(Accelerator& accelerator, const OffloadedForm& form, Precision precision, std::size_t m,
                     std::size_t n, std::size_t k, bool imitate = false);

    /// Queued. a [m × k], b [k × n], row-major and dense, in their own precision.
    void pack(const DeviceMemory& a, const DeviceMemory& b);
    /// Queued. `out` [m × n], row-major: f32, of int8 int32.
    void multiply(DeviceMemory& out);

    static std::size_t packed_bytes(const OffloadedForm& form, Precision precision, std::size_t m,
                                    std::size_t n, std::size_t k);

  private:
    void pack_side(const DeviceMemory& from, DeviceMemory& to, std::size_t extent, std::size_t extent_stride,
                   std::size_t k_stride, std::size_t panel);

    Accelerator& accelerator_;
    OffloadedForm form_;
    std::size_t m_, n_, k_, steps_;
    std::string options_;
    std::unique_ptr<DeviceMemory> left_, right_;
};

}  // namespace assay::kernels
