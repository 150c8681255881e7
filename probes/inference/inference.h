#pragma once

#include "probes/core/probe.h"

namespace assay {

Probe inference_decode_probe();

}  // namespace assay
