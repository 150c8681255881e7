#pragma once

#include <optional>
#include <string>
#include <vector>

#include "probes/core/probe.h"
#include "probes/storage/load/load.h"
#include "probes/storage/load/recording.h"

namespace assay::storage {

/// The engine that a load is to use, or why there is none.
struct EngineChoice {
    std::optional<EngineKind> engine;
    std::string how;  ///< for people: "io_uring: 812345 against libaio's 790123 operations/s in 1.0 s each"
};

/// Says in `outcome.resolved` which engine was taken and why, its settings in force, and those that were
/// refused; of all loads of a case.
void tell_engine(const EngineChoice& choice, const std::vector<const Recording*>& loads, Outcome& outcome);

/// Why this machine does not have an engine; nothing where it does.
std::optional<std::string> engine_absence(EngineKind kind);

/// `asked` is the case's `engine`: a name, or auto, which tries each engine that there is with the load
/// itself for `seconds` and takes the one with more operations a second; where these are within 2 %, the one
/// that costs less CPU time for each.
EngineChoice choose_engine(const std::string& asked, LoadOptions options, double seconds, Context& context);

}  // namespace assay::storage
