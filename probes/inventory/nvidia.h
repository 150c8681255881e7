#pragma once

#include <string>
#include <vector>

#include "kernels/cuda/nvml.h"

namespace assay::inventory {

/// One sentence for each card: what of its settings decides how fast it runs, as NVML tells it.
std::vector<std::string> describe_cards(const nvml::DriverFacts& facts);

}  // namespace assay::inventory
