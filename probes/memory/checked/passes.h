#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "kernels/cpu/address_pattern.h"
#include "probes/core/probe.h"
#include "probes/memory/checked/capacity_plan.h"
#include "probes/memory/checked/pattern_check.h"

namespace assay {

/// Memory that a pattern can be written into and read back from, as PatternCheck does.
struct CheckedMemory {
    std::uint64_t bytes = 0;
    std::function<SampleSet(const kernels::AddressPattern&)> write;
    std::function<SampleSet(const kernels::AddressPattern&, WrongWords&)> verify;
};

/// What the passes found, and how fast.
struct Passes {
    int done = 0;
    WrongWords wrong;
    std::string detail;  ///< of the first wrong word; empty where all are right
    SampleSet written, verified;
};

/// A pass, and where it was right and time allows a second one with all bits turned. `begin`: of the case.
Passes run_passes(const CheckedMemory& memory, Context& context, Nanoseconds begin);

/// The words read back right, or the first that was not.
Check pattern_check_of(const Passes& passes, std::uint64_t bytes);

/// The metrics of memory.capacity.
std::vector<MetricDeclaration> capacity_metrics();
/// All of them, of `taken` bytes of which `absent` were not in memory; the share where the label is known.
void add_capacity_metrics(std::uint64_t taken, std::uint64_t absent, const Passes& passes,
                          const LabelledMemory& labelled, Outcome& outcome);
/// What the user named was promised to be there; a part of it would pass for the whole.
Check all_was_had(const TakenMemory& taken, const CapacitySize& size);

}  // namespace assay
