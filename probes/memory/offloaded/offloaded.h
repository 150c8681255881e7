#pragma once

#include "kernels/device/accelerator.h"
#include "probes/core/probe.h"

namespace assay {

/// memory.bandwidth on a device that work is handed to: its kernels, timed by its events.
Outcome offloaded_bandwidth(const Case& the_case, Context& context, Accelerator& accelerator);
/// Throws InputError for what such a device does not take.
void check_offloaded_bandwidth(const Case& the_case);
Estimate estimate_offloaded_bandwidth(const Case& the_case, const Context& context);

}  // namespace assay
