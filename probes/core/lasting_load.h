#pragma once

#include "probes/core/outcome.h"

namespace assay {

/// What the device's telemetry says of a case that has run: the share of time in which its clock was held
/// down, the checks that no error of its memory and none that the driver calls critical came meanwhile, and
/// the clock's limits in a note. An outcome without telemetry stays as it is.
void judge_telemetry(Outcome& outcome);

/// Names in a note each figure whose last third is more than 3 % worse than its first, beyond what scatter
/// explains, with what held the clock down in that third.
void note_falls(Outcome& outcome);

}  // namespace assay
