#pragma once

#include "probes/core/probe.h"

namespace assay {

Probe memory_bandwidth_probe();

}  // namespace assay
