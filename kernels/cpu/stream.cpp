#include "kernels/cpu/stream.h"

#include <array>
#include <stdexcept>
#include <string>

#include "kernels/cpu/stream_kernels.h"

namespace assay::kernels {

namespace {

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

std::string_view to_string(StreamKernel kernel) {
    switch (kernel) {
        case StreamKernel::read:
            return "read";
        case StreamKernel::write:
            return "write";
        case StreamKernel::copy:
            return "copy";
        case StreamKernel::scale:
            return "scale";
        case StreamKernel::add:
            return "add";
        case StreamKernel::triad:
            return "triad";
    }
    return "unknown";
}

int stream_bytes_per_element(StreamKernel kernel) {
    constexpr int element = sizeof(double);
    switch (kernel) {
        case StreamKernel::read:
        case StreamKernel::write:
            return element;
        case StreamKernel::copy:
        case StreamKernel::scale:
            return 2 * element;
        case StreamKernel::add:
        case StreamKernel::triad:
            return 3 * element;
    }
    return 0;
}

int stream_bus_bytes_per_element(StreamKernel kernel, bool non_temporal) {
    constexpr int allocated = sizeof(double);
    return stream_bytes_per_element(kernel) + (stream_stores(kernel) && !non_temporal ? allocated : 0);
}

bool stream_stores(StreamKernel kernel) {
    return kernel != StreamKernel::read;
}

std::vector<StreamPattern> stream_patterns(StreamKernel kernel, Isa isa, bool non_temporal) {
    std::vector<StreamPattern> patterns;
    for (const PrefetchChoice& choice : prefetches) {
        if (choice.prefetch != Prefetch::none && kernel == StreamKernel::write) continue;
        for (const int streams : {1, 2, 4})
            patterns.push_back({isa, non_temporal, choice.prefetch, choice.bytes, streams});
    }
    return patterns;
}

std::string describe(const StreamPattern& pattern) {
    if (pattern.prefetch == Prefetch::none && pattern.streams == 1) return "plain loop";
    const std::string streams =
        pattern.streams == 1 ? "" : std::to_string(pattern.streams) + " streams a thread";
    if (pattern.prefetch == Prefetch::none) return streams;
    return streams + (streams.empty() ? "" : ", ") +
           (pattern.prefetch == Prefetch::non_temporal ? "non-temporal " : "") + "prefetch " +
           std::to_string(pattern.prefetch_bytes) + " bytes ahead";
}

bool stream_possible(const StreamPattern& pattern) {
    if (!supports(pattern.isa)) return false;
    if (pattern.streams != 1 && pattern.streams != 2 && pattern.streams != 4) return false;
    return !pattern.non_temporal || pattern.isa != Isa::portable || portable::has_non_temporal_stores;
}

double stream(StreamKernel kernel, const StreamPattern& pattern, const StreamArrays& arrays, double scalar,
              std::size_t begin, std::size_t end) {
    if (!stream_possible(pattern) || (pattern.non_temporal && !stream_stores(kernel)))
        throw std::invalid_argument("stream " + std::string(to_string(kernel)) + ": no " +
                                    std::string(to_string(pattern.isa)) + " form with " +
                                    (pattern.non_temporal ? "non-temporal" : "plain") + " stores and " +
                                    std::to_string(pattern.streams) + " streams here");
    if (begin >= end) return 0;
#if defined(__x86_64__)
    if (pattern.isa == Isa::avx512) return avx512::stream(kernel, pattern, arrays, scalar, begin, end);
    if (pattern.isa == Isa::avx2) return avx2::stream(kernel, pattern, arrays, scalar, begin, end);
#elif defined(__aarch64__)
    if (pattern.isa == Isa::neon) return neon::stream(kernel, pattern, arrays, scalar, begin, end);
#endif
    return portable::stream(kernel, pattern, arrays, scalar, begin, end);
}

}  // namespace assay::kernels
