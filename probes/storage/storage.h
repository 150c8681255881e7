#pragma once

#include "probes/core/probe.h"

namespace assay {

Probe storage_random_read_probe();

}  // namespace assay
