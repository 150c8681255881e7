#pragma once

#include "probes/core/probe.h"

namespace assay {

Probe memory_bandwidth_probe();
Probe memory_latency_probe();
Probe memory_loaded_latency_probe();
Probe memory_capacity_probe();

}  // namespace assay
