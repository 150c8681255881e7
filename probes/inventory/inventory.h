#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "probes/core/probe.h"
#include "probes/inventory/machine.h"

namespace assay {

Probe inventory_system_probe();

/// The GPUs to compute on (NVIDIA, AMD, Intel; no management displays) that PCI shows, whether or not a
/// driver is there: "NVIDIA A10 [10de:2236] at 0000:17:00.0". `root` is the folder that holds /sys.
std::vector<std::string> visible_gpus(const std::filesystem::path& root = "/");

namespace inventory {
/// The probe's metrics and resolved facts of a machine, but for the clock that must be measured. Pure.
Outcome machine_outcome(const Case& the_case, const Probe& probe, const Machine& machine);
}  // namespace inventory

}  // namespace assay
