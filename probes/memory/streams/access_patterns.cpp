#include "probes/memory/streams/access_patterns.h"

namespace assay {

namespace {

using kernels::StreamPattern;

}  // namespace

StreamPattern plain_pattern(kernels::Isa isa, bool non_temporal) {
    StreamPattern pattern;
    pattern.isa = isa;
    pattern.non_temporal = non_temporal;
    return pattern;
}

std::vector<Candidate> candidates_for(const NamedKernel& kernel, kernels::Isa isa, std::size_t sets) {
    std::vector<Candidate> candidates;
    for (std::size_t set = 0; set < sets; ++set)
        for (const StreamPattern& pattern : kernels::stream_patterns(kernel.kernel, isa, kernel.non_temporal))
            candidates.push_back({pattern, set});
    return candidates;
}

}  // namespace assay
