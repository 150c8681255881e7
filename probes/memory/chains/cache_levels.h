#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "kernels/cpu/caches.h"

namespace assay {

/// The latency of a chain of `bytes`.
struct LatencyPoint {
    std::uint64_t bytes = 0;
    double seconds = 0;
};

/// A stretch of the curve in which latency hardly grows.
struct LatencyLevel {
    std::size_t middle = 0;  ///< index of the point that stands for it, of median latency
    double seconds = 0;      ///< of that one
    std::size_t last = 0;    ///< of the last point below the step to the next level
};

/// The levels of a curve whose points ascend by bytes. The step between two of them is where the curve passes
/// twice the lower one, or their geometric mean: a cache that is a little too small still holds most of a
/// chain. Larger chains are never faster, so a point that lies above a later one was disturbed, and counts as
/// the later one.
std::vector<LatencyLevel> latency_levels(std::span<const LatencyPoint> curve);

/// A claimed cache beside what the curve shows.
struct CacheReading {
    kernels::DataCache claimed;
    std::optional<std::size_t> level;  ///< the level that ends where the cache does; nothing: no step is near
    std::string sentence;              ///< "L2: claims 1 MiB, the curve steps between 0.75 MiB and 1 MiB"
};
/// One for each claimed cache. The last level is memory's and belongs to none. A step further than four times
/// from the claimed size belongs to another cache.
std::vector<CacheReading> read_caches(std::span<const LatencyPoint> curve,
                                      std::span<const LatencyLevel> levels,
                                      std::span<const kernels::DataCache> claimed);

/// "0.75 MiB" of 786432.
std::string binary_size(std::uint64_t bytes);

}  // namespace assay
