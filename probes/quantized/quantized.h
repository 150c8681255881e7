#pragma once

#include "probes/core/probe.h"

namespace assay {

Probe quantized_gemv_probe();

}  // namespace assay
