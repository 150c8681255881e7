#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "probes/core/probe.h"
#include "probes/memory/chains/memory_load.h"

namespace assay {

/// Latency, and the bandwidth that was reached meanwhile.
struct LoadStep {
    double asked_share = 0;      ///< of the full load
    SampleSet latency;           ///< seconds a link
    SampleSet bandwidth;         ///< bytes a second: the readers', and the chaser's own lines
    std::uint64_t repeated = 0;  ///< chunks that were no samples, since the readers hardly read meanwhile
};

/// What the chaser does for one sample.
struct ChaseChunk {
    double seconds_a_link = 0;
    std::uint64_t bytes = 0;  ///< of the lines that it loaded
};

/// From idle (step 0) to full load (step `steps`), in equal parts of the full load's bandwidth, which is
/// found first. Leaves the load idle, also when it throws.
std::vector<LoadStep> measure_load_steps(MemoryLoad& load, const std::function<ChaseChunk()>& chase,
                                         int steps, const SamplingPolicy& policy, Context& context);

}  // namespace assay
