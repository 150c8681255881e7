#pragma once

#include "probes/core/probe.h"
#include "probes/memory/checked/capacity_plan.h"

namespace assay {

/// What memory.capacity does, with `usable` in place of what the system says; for tests.
Outcome check_capacity(const Case& the_case, Context& context, const UsableBytes& usable);

}  // namespace assay
