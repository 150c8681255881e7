#include "kernels/cpu/chase.h"

#include <algorithm>
#include <limits>
#include <new>
#include <numeric>
#include <stdexcept>
#include <string>
#include <utility>

namespace assay::kernels {

namespace {

/// SplitMix64 (Steele, Lea and Flood 2014).
class SplitMix {
  public:
    explicit SplitMix(std::uint64_t seed) : state_(seed) {}
    /// Uniform in [0, limit); the bias is below limit / 2^32.
    std::uint32_t below(std::uint64_t limit) {
        state_ += 0x9e3779b97f4a7c15u;
        std::uint64_t mixed = (state_ ^ (state_ >> 30)) * 0xbf58476d1ce4e5b9u;
        mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
        return static_cast<std::uint32_t>(((mixed ^ (mixed >> 31)) >> 32) * limit >> 32);
    }

  private:
    std::uint64_t state_;
};

/// Lines in the order of their visits.
std::vector<std::uint32_t> random_order(std::size_t lines, std::uint64_t seed) {
    std::vector<std::uint32_t> order(lines);
    std::iota(order.begin(), order.end(), std::uint32_t{0});
    SplitMix random(seed);
    for (std::size_t left = lines; left > 1; --left) std::swap(order[left - 1], order[random.below(left)]);
    return order;
}

/// As many as a core can have on their way from memory.
constexpr std::size_t walkers = 16;

/// One of those who walk a chain between them.
struct Walker {
    const ChainLink* at = nullptr;
    std::size_t place = 0;
    std::size_t end = 0;
};

}  // namespace

Chain build_chain(std::byte* memory, std::size_t bytes, std::size_t line_bytes, std::uint64_t seed) {
    const bool possible = line_bytes >= sizeof(ChainLink) && (line_bytes & (line_bytes - 1)) == 0;
    const std::size_t lines = possible ? bytes / line_bytes : 0;
    if (lines < 2 || lines > std::numeric_limits<std::uint32_t>::max())
        throw std::invalid_argument("a chain of " + std::to_string(bytes) + " bytes in lines of " +
                                    std::to_string(line_bytes) + ": 2 to 2^32 - 1 lines are possible");
    const std::vector<std::uint32_t> order = random_order(lines, seed);
    const auto place_of = [&](std::size_t visit) { return memory + order[visit] * line_bytes; };

    Chain chain{lines, line_bytes, {}, (lines + walkers - 1) / walkers};
    // Backwards, so that the link that is pointed to exists.
    ChainLink* const last = new (place_of(lines - 1)) ChainLink{nullptr, lines - 1};
    const ChainLink* next = last;
    for (std::size_t visit = lines - 1; visit-- > 0;) next = new (place_of(visit)) ChainLink{next, visit};
    last->next = next;
    for (std::size_t visit = 0; visit < lines; visit += chain.post_distance)
        chain.posts.push_back(std::launder(reinterpret_cast<const ChainLink*>(place_of(visit))));
    return chain;
}

// Places are distinct numbers of distinct lines. Who finds all of them in their order, and at the end of the
// last stretch the first link again, has seen as many lines as there are places.
std::size_t misplaced_links(const Chain& chain) {
    std::vector<Walker> team;
    for (std::size_t post = 0; post < chain.posts.size(); ++post) {
        const std::size_t place = post * chain.post_distance;
        team.push_back({chain.posts[post], place, std::min(place + chain.post_distance, chain.links)});
    }
    std::size_t misplaced = 0;
    for (std::size_t step = 0; step < chain.post_distance; ++step) {
        for (Walker& walker : team) {
            if (walker.place == walker.end) continue;
            if (walker.at->place != walker.place++) ++misplaced;
            walker.at = walker.at->next;
        }
    }
    for (std::size_t post = 0; post < team.size(); ++post)
        if (team[post].at != chain.posts[(post + 1) % team.size()]) ++misplaced;
    return misplaced;
}

const ChainLink* chase(const ChainLink* from, std::size_t steps) {
    constexpr std::size_t unrolled = 16;
    const ChainLink* at = from;
    for (std::size_t round = steps / unrolled; round > 0; --round) {
#pragma GCC unroll 16
        for (std::size_t i = 0; i < unrolled; ++i) at = at->next;
    }
    for (std::size_t left = steps % unrolled; left > 0; --left) at = at->next;
    return at;
}

}  // namespace assay::kernels
