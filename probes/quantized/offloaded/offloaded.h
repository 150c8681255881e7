#pragma once

#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/device/accelerator.h"
#include "kernels/offload/quantized.h"
#include "probes/core/cpu_choice.h"
#include "probes/core/probe.h"
#include "probes/quantized/accuracy.h"
#include "probes/quantized/cycled_weights.h"

namespace assay {

/// Throws InputError where one of these parameters, which are of cpu:0 alone, is not auto.
void refuse_cpu_parameters(const Case& the_case, std::initializer_list<std::string_view> names);

/// How many matrices a device goes through: on cards 1 GiB of them, since drivers tell no caches and none so
/// far has more than a quarter of that; where kernels run on the host's CPUs, as many as there.
MatrixCount count_device_matrices(const Accelerator& accelerator, std::uint64_t matrix_bytes);

/// On the host, while matrices are made.
std::uint64_t device_staging_bytes(std::uint64_t matrix_bytes);

/// Packed random matrices on a device, as CycledWeights' and arranged for devices. Made on the host and
/// copied, a piece of memory after the other.
class DeviceMatrices {
  public:
    DeviceMatrices(Accelerator& accelerator, kernels::WeightFormat format, std::size_t rows,
                   std::size_t columns, std::size_t matrices, std::uint64_t seed);

    std::size_t matrices() const { return matrices_; }
    /// Where matrix `index` lies.
    kernels::QuantizedOperands operands(std::size_t index) const;
    /// Matrix `index` once more on the host, as the CPU packs it.
    std::vector<std::byte> packed(std::size_t index) const;

  private:
    void fill(std::size_t first, std::size_t count, std::span<std::byte> packed,
              kernels::ThreadTeam& team) const;

    kernels::WeightFormat format_;
    std::size_t rows_, columns_, matrices_, of_piece_, matrix_bytes_, stride_;
    std::uint64_t seed_;
    std::vector<std::unique_ptr<DeviceMemory>> pieces_;  ///< drivers limit what is allocated at once
};

/// Host values on a device.
std::unique_ptr<DeviceMemory> copied(Accelerator& accelerator, const void* values, std::size_t bytes);
/// f32 results from a device.
std::vector<float> read_back(Accelerator& accelerator, const DeviceMemory& from, std::size_t count);

/// A product that can be queued, and what it is called.
struct NamedProduct {
    std::string name;
    std::function<void()> enqueue;
};
/// The fastest of several in a trial of a few products.
struct ChosenProduct {
    std::size_t index = 0;
    double seconds = 0;  ///< of a product, the shortest
    std::string note;    ///< how it was timed and what was tried, to follow "By own kernels, "
};
/// `operations` of a product. Throws DeviceError where none can be launched.
ChosenProduct choose_product(Accelerator& accelerator, const std::vector<NamedProduct>& products,
                             double operations);

/// Products that a sample takes: by the device's clock, whose steps can be a microsecond and more.
int products_of_sample(double seconds);

/// quantized.gemv and quantized.gemm on a device that work is handed to.
Outcome offloaded_gemv(const Case& the_case, Context& context, Accelerator& accelerator);
Outcome offloaded_gemm(const Case& the_case, Context& context, Accelerator& accelerator);
/// Throws InputError for what quantized.gemm does not take on such a device.
void check_offloaded_gemm(const Case& the_case);

/// quantized.accuracy's error of y by the device's own kernels, whose operands the host quantizes: that of
/// the format and of the device's arithmetic. Adds to the outcome whether they multiplied right, and how.
double error_on_device(const Case& the_case, Accelerator& accelerator, const std::vector<float>& activations,
                       const std::vector<float>& weights, const AccuracySizes& sizes, Outcome& outcome);

}  // namespace assay
