#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

#include "probes/core/os/block_device.h"

namespace assay::storage {

/// `cpus` with those first from which the device is nearest, otherwise in their order: CPUs of its NUMA node,
/// and before these the few that take its interrupts, where it does not have a queue for each CPU. A read
/// that completes on another CPU than its submitter's costs an interrupt between them: on virtual machines a
/// third of the whole latency. /sys and /proc lie below `root`.
std::vector<int> nearest_first(std::vector<int> cpus, const std::vector<os::BlockDevice>& devices,
                               const std::filesystem::path& root = "/");

/// CPUs that each took at least a tenth of the interrupts named, from the text of /proc/interrupts;
/// ascending.
std::vector<int> interrupted_cpus(std::string_view interrupts, const std::vector<std::string_view>& numbers);

}  // namespace assay::storage
