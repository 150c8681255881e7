#include "probes/memory/streams/access_patterns.h"

#include <array>

#include <fmt/format.h>

namespace assay {

namespace {

using kernels::Prefetch;
using kernels::StreamPattern;

struct PrefetchChoice {
    Prefetch prefetch;
    std::size_t bytes;
};
// Eight streams, and prefetches 512 bytes ahead, were never the best and are not tried.
constexpr std::array<PrefetchChoice, 6> prefetches = {{{Prefetch::none, 0},
                                                       {Prefetch::all_caches, 1024},
                                                       {Prefetch::all_caches, 4096},
                                                       {Prefetch::non_temporal, 1024},
                                                       {Prefetch::non_temporal, 2048},
                                                       {Prefetch::non_temporal, 8192}}};

}  // namespace

StreamPattern plain_pattern(kernels::Isa isa, bool non_temporal) {
    StreamPattern pattern;
    pattern.isa = isa;
    pattern.non_temporal = non_temporal;
    return pattern;
}

std::vector<Candidate> candidates_for(const NamedKernel& kernel, kernels::Isa isa, std::size_t sets) {
    std::vector<Candidate> candidates;
    const bool has_inputs = kernel.kernel != kernels::StreamKernel::write;
    for (std::size_t set = 0; set < sets; ++set) {
        for (const PrefetchChoice& choice : prefetches) {
            if (choice.prefetch != Prefetch::none && !has_inputs) continue;
            for (const int streams : {1, 2, 4}) {
                StreamPattern pattern = plain_pattern(isa, kernel.non_temporal);
                pattern.prefetch = choice.prefetch;
                pattern.prefetch_bytes = choice.bytes;
                pattern.streams = streams;
                candidates.push_back({pattern, set});
            }
        }
    }
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
