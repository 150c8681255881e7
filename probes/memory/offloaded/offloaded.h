#pragma once

#include "kernels/device/accelerator.h"
#include "probes/core/probe.h"
#include "probes/memory/checked/capacity_plan.h"

namespace assay {

/// memory.bandwidth on a device that work is handed to: its kernels, timed by its events.
Outcome offloaded_bandwidth(const Case& the_case, Context& context, Accelerator& accelerator);
/// Throws InputError for what such a device does not take.
void check_offloaded_bandwidth(const Case& the_case);
Estimate estimate_offloaded_bandwidth(const Case& the_case, const Context& context);

/// memory.capacity there: the device writes and reads back; ECC's counters before and after.
Outcome offloaded_capacity(const Case& the_case, Context& context, Accelerator& accelerator,
                           const UsableBytes& usable);
void check_offloaded_capacity(const Case& the_case);
Estimate estimate_offloaded_capacity(const Case& the_case, const Context& context);

}  // namespace assay
