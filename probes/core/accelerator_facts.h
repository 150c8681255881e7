#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "kernels/device/device.h"
#include "probes/core/metric.h"

namespace assay {

/// What a datasheet says of an accelerator, dense (no sparsity), in base SI units (catalogue data, with
/// sources). What is not supported or not published is absent.
struct AcceleratorFacts {
    std::string name;                        ///< "h200-sxm"
    std::string product;                     ///< "NVIDIA H200 SXM"
    std::vector<std::string> match;          ///< NVIDIA: the driver's whole name; others: a part of it
    std::string vendor;                      ///< "nvidia", "amd", "huawei"
    std::map<std::string, double> peak;      ///< by precision (f16, bf16, fp8, int8 ...): flop/s, operation/s
    std::uint64_t memory_bytes = 0;          ///< as marketed, in powers of 1000
    std::optional<double> memory_bandwidth;  ///< byte/s
    std::optional<double> peer_bandwidth_both_directions;  ///< byte/s, all links of a device
    std::optional<int> pcie_generation, pcie_width;
    std::optional<double> power_limit;  ///< watt
    std::string sources;
};

/// The datasheet of the device's model; null when the catalogue has none.
const AcceleratorFacts* find_accelerator(std::span<const AcceleratorFacts> facts, const DeviceInfo& device);

/// The datasheet's peak for `precision`, or its memory bandwidth: what a metric's limit is. Nothing where it
/// says none.
std::optional<Limit> peak_limit(const AcceleratorFacts* facts, const std::string& precision);
std::optional<Limit> memory_bandwidth_limit(const AcceleratorFacts* facts);

}  // namespace assay
