#pragma once

#include "probes/core/probe.h"

namespace assay {

Probe inventory_system_probe();

}  // namespace assay
