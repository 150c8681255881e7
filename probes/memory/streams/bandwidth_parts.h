#pragma once

#include "probes/core/probe.h"
#include "probes/memory/expected/expected.h"
#include "probes/memory/streams/access_patterns.h"
#include "probes/memory/streams/node_pairs.h"

namespace assay {

/// A kernel as it did best on all threads: what its scaling and its node pairs are measured with.
struct BestRun {
    NamedKernel kernel;
    kernels::StreamPattern pattern;
    bool huge_pages = false;
    SampleSet samples;  ///< on all threads
};

const MetricDeclaration& attainable_bandwidth_metric();
const MetricDeclaration& plain_bandwidth_metric();
const MetricDeclaration& bus_bandwidth_metric();
const MetricDeclaration& scaling_metric();
const MetricDeclaration& node_metric();

/// 1, 2, 4 ... and `threads` itself, and `cores` below it: up to there no two threads share a core, beyond it
/// they do.
std::vector<int> scaling_steps(int threads, int cores);

/// The best run on fewer threads, whose arrays of `bytes` each they touch first; the last point is the run
/// itself. Adds metrics and a check.
void measure_scaling(const BestRun& best, int threads, std::uint64_t bytes, const SamplingPolicy& policy,
                     Context& context, Outcome& outcome);

/// The best run with threads on one node and arrays of `bytes` each on another. Adds metrics, a check, and a
/// note for a pair whose memory the kernel refused.
void measure_node_pairs(const BestRun& best, const std::vector<NodePair>& pairs, std::uint64_t bytes,
                        const SamplingPolicy& policy, Context& context, Outcome& outcome);

/// Beside every memory.bandwidth what the memory of `system` should reach, and in the notes what that says of
/// the best of them. `facts` may be null.
void add_expectation(const MemorySystem& system, const CpuFacts* facts, Outcome& outcome);

}  // namespace assay
