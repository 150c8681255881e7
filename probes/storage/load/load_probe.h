#pragma once

#include "probes/storage/load/load_case.h"

// The probes that are one steady load each: random and sequential, reading and writing.
namespace assay::storage {

/// Everything of such a probe but `run`, `check` and `estimate`, which are plain functions and so are its
/// own.
Probe load_probe(const LoadKind& kind, std::string_view summary);

void check_load_case(const LoadKind& kind, const Case& the_case, const Context& context);
Estimate estimate_load(const LoadKind& kind, const Case& the_case, const Context& context);
Outcome run_load(const LoadKind& kind, const Probe& probe, const Case& the_case, Context& context);

/// Gives a probe, which `made` makes, the plain functions that it needs.
template <const LoadKind& kind, Probe (*made)()>
void set_load_functions(Probe& probe) {
    probe.check = [](const Case& the_case, const Context& context) {
        check_load_case(kind, the_case, context);
    };
    probe.estimate = [](const Case& the_case, const Context& context) {
        return estimate_load(kind, the_case, context);
    };
    probe.run = [](const Case& the_case, Context& context) {
        return run_load(kind, made(), the_case, context);
    };
}

}  // namespace assay::storage
