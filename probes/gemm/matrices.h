#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "kernels/cpu/thread_team.h"
#include "kernels/device/device.h"
#include "kernels/matrix/precision.h"
#include "probes/core/case.h"
#include "probes/core/outcome.h"
#include "probes/core/probe.h"

namespace assay {

/// a [m × k] times b [k × n] gives c [m × n].
struct MatrixShape {
    std::size_t m = 0, n = 0, k = 0;
    double operations() const {
        return 2.0 * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k);
    }
};
MatrixShape shape_of(const Case& the_case);
kernels::Precision precision_of(const Case& the_case);
/// The run's policy; with `seconds` that time, whatever the precision reached.
SamplingPolicy sampling_of(const Case& the_case, const Context& context);

/// Operands and result, row-major and dense. c holds f64 for f64, int32 for int8, f32 for all others.
class Matrices {
  public:
    Matrices(Device& device, kernels::Precision precision, const MatrixShape& shape);
    /// Bytes of all three: what one product must at least move.
    static std::uint64_t bytes(kernels::Precision precision, const MatrixShape& shape);

    const MatrixShape& shape() const { return shape_; }
    kernels::Precision precision() const { return precision_; }
    std::byte* a() const { return memory_->host_pointer(); }
    std::byte* b() const { return a() + a_bytes_; }
    std::byte* c() const { return b() + b_bytes_; }
    std::size_t a_bytes() const { return a_bytes_; }
    std::size_t b_bytes() const { return b_bytes_; }
    std::size_t c_bytes() const;
    const DeviceMemory& memory() const { return *memory_; }

    /// Operands uniform in [-1, 1), int8 in all its values; each thread fills the part that it first touches.
    void fill(std::uint64_t seed, kernels::ThreadTeam& team);
    /// The result set to what no product gives: every byte poison_byte(), which of floats makes NaN and of
    /// integers one that no sum of fewer than 130 000 products reaches.
    void poison();
    static std::uint8_t poison_byte(kernels::Precision precision);
    /// The result as it stands, on rows drawn by seed, against the reference. `arithmetic` is what the
    /// products were made in; `more` is added to the error allowed, of the sum of magnitudes; `rounding`
    /// is what a result may be off of its own magnitude, which is far less.
    Check check(kernels::Precision arithmetic, std::uint64_t seed, double more = 0,
                double rounding = 0) const;

  private:
    double result(std::size_t index) const;

    kernels::Precision precision_;
    MatrixShape shape_;
    std::size_t a_bytes_, b_bytes_;
    std::unique_ptr<DeviceMemory> memory_;
};

}  // namespace assay
