#pragma once

#include "probes/core/probe.h"

namespace assay {

Probe storage_random_read_probe();
Probe storage_random_write_probe();
Probe storage_sequential_read_probe();
Probe storage_sequential_write_probe();
Probe storage_latency_curve_probe();
Probe storage_model_load_probe();
Probe storage_checkpoint_probe();

}  // namespace assay
