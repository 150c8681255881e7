#pragma once

#include "probes/core/probe.h"

namespace assay {

Probe gemm_throughput_probe();
Probe gemm_ceiling_probe();

}  // namespace assay
