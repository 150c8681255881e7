#pragma once

#include <vector>

#include "probes/memory/streams/stream_arrays.h"

namespace assay {

/// How a kernel is run: the walk, and which of the sets of arrays (each on its own pages) it walks.
struct Candidate {
    kernels::StreamPattern pattern;
    std::size_t set = 0;
    bool operator==(const Candidate&) const = default;
};

/// A plain vector loop, as the peers have it.
kernels::StreamPattern plain_pattern(kernels::Isa isa, bool non_temporal);

/// What the attainable pattern is looked for among, over `sets` sets of arrays: the plain loop on the first
/// set comes first, then the plain loop on others, several streams, prefetches into all caches and past them.
std::vector<Candidate> candidates_for(const NamedKernel& kernel, kernels::Isa isa, std::size_t sets);

}  // namespace assay
