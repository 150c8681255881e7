#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace assay::kernels {

/// What stands at the beginning of a cache line of a chain; the rest of the line is not touched.
struct ChainLink {
    const ChainLink* next = nullptr;
    std::uint64_t place = 0;  ///< links from the first one to this
};

/// One cycle through every line of a piece of memory, in random order: each of the (n - 1)! cycles, those
/// that Sattolo's algorithm draws, is as likely. No stride can be seen in it, and a line that a prefetcher
/// fetches beside the one asked for is the next one no more often than any other. It owns no memory.
struct Chain {
    std::size_t links = 0;
    std::size_t line_bytes = 64;
    /// The links at every `post_distance` places, from place 0 on.
    std::vector<const ChainLink*> posts;
    std::size_t post_distance = 1;

    const ChainLink* first() const { return posts.front(); }
};

/// Lays a chain over `bytes / line_bytes` lines from `memory` on. `line_bytes` is the distance of two links:
/// a cache line, a power of two of at least 16. Throws std::invalid_argument where there are fewer than two
/// lines, or more than 2^32 - 1.
Chain build_chain(std::byte* memory, std::size_t bytes, std::size_t line_bytes, std::uint64_t seed);

/// Follows the links from all posts at once and counts those that are not where they must be: 0 where the
/// chain visits every one of its `links` lines exactly once and then comes back. Reads every line.
std::size_t misplaced_links(const Chain& chain);

/// The link `steps` links after `from`. Each load's address is what the load before it read, and nothing else
/// is loaded or stored.
const ChainLink* chase(const ChainLink* from, std::size_t steps);

}  // namespace assay::kernels
