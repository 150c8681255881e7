#pragma once

#include <cstdint>

#include "probes/core/clock.h"
#include "probes/inference/decoder.h"

namespace assay::inference {

/// Decodes one token after another, in sequences: after `output` tokens the cache is cut back to its context
/// and the next sequence begins, so that the level stays the same however long it is sampled.
struct Sequences {
    Decoder& decoder;
    Cache& cache;
    std::size_t context = 0;
    std::size_t output = 1;
    Clock& clock;
    std::uint32_t token = 1;   ///< the newest
    std::uint64_t tokens = 0;  ///< made so far

    /// Makes a token and returns how long that took.
    Nanoseconds next() {
        if (cache.length >= context + output) cache.length = context;
        const Nanoseconds begin = clock.now();
        token = decoder.step(token);
        ++tokens;
        return clock.now() - begin;
    }
};

}  // namespace assay::inference
