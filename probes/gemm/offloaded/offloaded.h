#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "kernels/device/accelerator.h"
#include "probes/core/probe.h"
#include "probes/gemm/matrices.h"

namespace assay {

/// How an accelerator's library or kernels want their operands, and leave their result.
struct OffloadedLayout {
    bool transposed_b = false;                            ///< b as [n × k]
    kernels::Precision result = kernels::Precision::f32;  ///< int8 stands for int32
    std::size_t result_bytes = sizeof(float);             ///< of an element
};

/// A way to multiply on an accelerator, ready to be timed.
struct OffloadedWay {
    std::function<void()> enqueue;  ///< one product, on the accelerator's first queue
    kernels::Precision arithmetic = kernels::Precision::f32;
    /// Whose error is allowed: f16 operands may be summed in f16 or in f32.
    kernels::Precision sums = kernels::Precision::f32;
    double more = 0;      ///< allowed beside that of the sums, of the sum of magnitudes
    double rounding = 0;  ///< of a finished result, of its own magnitude
    std::map<std::string, std::string> resolved;
    std::vector<std::string> notes;
};

/// Operands and result on an accelerator, and on the host those that they were copied from.
class OffloadedMatrices {
  public:
    /// Fills the host's operands by seed and copies them.
    OffloadedMatrices(Accelerator& accelerator, kernels::Precision precision, const MatrixShape& shape,
                      const OffloadedLayout& layout, std::uint64_t seed);

    const MatrixShape& shape() const { return host_.shape(); }
    kernels::Precision precision() const { return host_.precision(); }
    const DeviceMemory& a() const { return *a_; }
    const DeviceMemory& b() const { return *b_; }
    DeviceMemory& c() { return *c_; }

    /// Queued: the result becomes what no product gives.
    void poison(Queue& queue);
    /// The result as it stands, as Matrices::check(). Results of 16 bits may be off by their rounding, too.
    Check check(Queue& queue, const OffloadedWay& way, std::uint64_t seed);

  private:
    void write_transposed(Queue& queue);

    std::unique_ptr<Device> host_device_;
    Matrices host_;
    OffloadedLayout layout_;
    std::unique_ptr<DeviceMemory> a_, b_, c_;
};

/// The best of own kernels' forms in a trial of a few products each, or why there is none.
std::variant<OffloadedWay, Absent> own_way(Accelerator& accelerator, OffloadedMatrices& matrices);
/// Through NVIDIA's library, on a card reached by CUDA.
std::variant<OffloadedWay, Absent> cublas_lt_way(Accelerator& accelerator, OffloadedMatrices& matrices);
OffloadedLayout cublas_lt_layout(kernels::Precision precision);

/// Seconds of one product by the device's clock: the shortest of a few. The first one may also compile.
double trial(Queue& queue, const std::function<void()>& enqueue);

/// gemm.throughput on a device that work is handed to.
Outcome offloaded_throughput(const Case& the_case, Context& context, Accelerator& accelerator);
/// Throws InputError for what such a device does not take.
void check_offloaded(const Case& the_case);
/// Bytes of the device's memory, by the largest of its ways.
std::uint64_t offloaded_bytes(const Accelerator& accelerator, kernels::Precision precision,
                              const MatrixShape& shape);

extern const MetricDeclaration gemm_throughput_metric, gemm_traffic_metric;

}  // namespace assay
