#pragma once

#include "probes/core/probe.h"

namespace assay {

Probe gemm_throughput_probe();

}  // namespace assay
