#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "kernels/device/accelerator.h"
#include "kernels/matrix/precision.h"

namespace assay::cuda {

/// What a product of that precision is stored as unless asked otherwise: f64, f32 (of tf32, too), bf16 (of
/// fp8, too), f16; int8 stands for int32.
kernels::Precision lt_result(kernels::Precision precision);
std::size_t lt_result_bytes(kernels::Precision precision);

/// Why the card's matrix units do not take the precision, naming the compute capability that does; nothing
/// where they do.
std::optional<std::string> lt_obstacle(const DeviceInfo& card, kernels::Precision precision);

/// Tensor cores cut their f32 sums where a CPU rounds them: what a sum of k products may err by beside what
/// f32 sums may, of the terms' magnitudes. Nothing where sums are exact or f64.
double lt_cutting_error(kernels::Precision precision, std::size_t k);

/// c = a b through cuBLASLt on the tensor cores, summed in f32 (of f64 in f64, of int8 in int32), with the
/// best of what its heuristics name.
class LtProduct {
  public:
    /// a [m × k] and b *transposed* [n × k], row-major, as fp8 and int8 need them and models keep their
    /// weights; c [m × n], row-major, of lt_result() or another type that the library has for the precision:
    /// bf16's can be f32. They must outlive it. Tries every candidate on them. The reason says what is
    /// missing: the library, or an algorithm for this card and shape.
    static std::variant<std::unique_ptr<LtProduct>, Absent> prepare(
        Accelerator& card, kernels::Precision precision, kernels::Precision result, std::size_t m,
        std::size_t n, std::size_t k, const DeviceMemory& a, const DeviceMemory& b_transposed,
        DeviceMemory& c);
    virtual ~LtProduct() = default;
    /// Queued on the card's first queue.
    virtual void enqueue() = 0;
    virtual std::string library() const = 0;  ///< "libcublasLt.so.13 (13.0.2)"
    virtual int candidates() const = 0;       ///< that could run
};

/// Bytes that it allocates besides.
inline constexpr std::size_t lt_workspace_bytes = std::size_t{64} << 20;

}  // namespace assay::cuda
