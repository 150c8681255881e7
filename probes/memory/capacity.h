#pragma once

#include "probes/core/probe.h"
#include "probes/memory/checked/capacity_plan.h"

namespace assay {

/// How much a case checks where `usable` bytes may be used; of the host's memory less than of a card's.
CapacitySize capacity_size(const Case& the_case, bool host, std::uint64_t usable);
/// How long the system may take to hand it out.
Seconds taking_limit(const Case& the_case, const Context& context);

/// What memory.capacity does, with `usable` in place of what the system says; for tests.
Outcome check_capacity(const Case& the_case, Context& context, const UsableBytes& usable);

}  // namespace assay
