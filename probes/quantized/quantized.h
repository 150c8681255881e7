#pragma once

#include "probes/core/probe.h"

namespace assay {

Probe quantized_gemm_probe();
Probe quantized_gemv_probe();
Probe quantized_accuracy_probe();

}  // namespace assay
