#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "probes/core/probe.h"
#include "probes/storage/load/load.h"
#include "probes/storage/target/prepare.h"
#include "probes/storage/target/target.h"

// What all probes that put a steady load on a target have in common: parameters, checks before the run,
// making the target ready, and what the outcome says of both.
namespace assay::storage {

/// What tells such probes from one another.
struct LoadKind {
    std::string_view probe;
    Order order = Order::random;
    bool writes = false;
};

/// `target`, `size` and `engine`, `block_bytes`, `seed`: of every such probe.
std::vector<Parameter> target_parameters(const LoadKind& kind, std::string_view block_bytes);

/// A case's targets, looked at and ready to be put under load.
struct LoadCase {
    std::vector<Target> targets;
    std::vector<std::uint64_t> spans;  ///< bytes of each that are used
    std::vector<Prepared> prepared;    ///< of each; keeps nameless files alive
};

/// What can be known to be wrong beforehand, by looking only: throws InputError. `in_flight`: blocks in
/// flight at once.
void check_load(const LoadKind& kind, const Case& the_case, const Context& context, std::uint64_t in_flight);

/// What making a case's targets ready takes, and reading all of them afterwards where it verifies.
struct PreparationEstimate {
    std::uint64_t scratch_bytes = 0;  ///< written to the run's scratch file; 0 with named targets
    double seconds = 0;
};
PreparationEstimate estimate_preparation(const LoadKind& kind, const Case& the_case, const Context& context);

/// Writes what has to be written first and says so in `outcome.resolved` and `outcome.notes`. Where the
/// outcome cannot be had (no room, holes), its status is no longer measured.
LoadCase prepare_load(const LoadKind& kind, const Case& the_case, Context& context, Outcome& outcome);

/// The load's targets; queue depth and jobs are left to the caller.
LoadOptions load_options(const LoadKind& kind, const Case& the_case, const LoadCase& ready);

/// Whether what was read and written is what should be there; of targets whose content is not ours, whether
/// there is data at all.
void add_content_checks(const LoadCase& ready, const Verification& done, const LoadOptions& options,
                        Outcome& outcome);

/// The verify pass: reads every block of every span whose content is ours, and compares.
void add_verify_pass(const LoadCase& ready, Context& context, Outcome& outcome);

}  // namespace assay::storage
