#include "probes/memory/streams/access_patterns.h"

#include <fmt/format.h>

namespace assay {

namespace {

using kernels::Prefetch;
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

std::string describe(const StreamPattern& pattern) {
    if (pattern.prefetch == Prefetch::none && pattern.streams == 1) return "plain loop";
    const std::string streams =
        pattern.streams == 1 ? "" : fmt::format("{} streams a thread", pattern.streams);
    if (pattern.prefetch == Prefetch::none) return streams;
    return fmt::format("{}{}{}prefetch {} bytes ahead", streams, streams.empty() ? "" : ", ",
                       pattern.prefetch == Prefetch::non_temporal ? "non-temporal " : "",
                       pattern.prefetch_bytes);
}

}  // namespace assay
