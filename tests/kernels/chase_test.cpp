#include "kernels/cpu/chase.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <stdexcept>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/cpu/affinity.h"
#include "kernels/cpu/thread_team.h"

namespace assay::kernels {
namespace {

/// Memory for `lines` lines of 64 bytes.
class Lines {
  public:
    explicit Lines(std::size_t lines) : words_(lines * 8 + 8) {
        const std::size_t beyond = reinterpret_cast<std::uintptr_t>(words_.data()) % 64;
        begin_ = reinterpret_cast<std::byte*>(words_.data()) + (beyond == 0 ? 0 : 64 - beyond);
    }
    std::byte* begin() { return begin_; }

  private:
    std::vector<std::uint64_t> words_;
    std::byte* begin_ = nullptr;
};

/// The links in their order, from the first one until it comes again, or `limit` of them.
std::vector<const ChainLink*> walk(const Chain& chain, std::size_t limit) {
    std::vector<const ChainLink*> links;
    const ChainLink* at = chain.first();
    do {
        links.push_back(at);
        at = at->next;
    } while (at != chain.first() && links.size() < limit);
    return links;
}

std::size_t line_of(const ChainLink* link, Lines& memory, std::size_t line_bytes) {
    return static_cast<std::size_t>(reinterpret_cast<const std::byte*>(link) - memory.begin()) / line_bytes;
}

TEST(Chase, AChainVisitsEveryLineOnceAndComesBack) {
    for (const std::size_t lines : {2u, 3u, 15u, 16u, 17u, 31u, 33u, 256u, 1000u, 4099u}) {
        Lines memory(lines);
        const Chain chain = build_chain(memory.begin(), lines * 64, 64, 5);
        ASSERT_EQ(chain.links, lines);
        std::set<std::size_t> visited;
        for (const ChainLink* link : walk(chain, 2 * lines)) {
            EXPECT_EQ(reinterpret_cast<std::uintptr_t>(link) % 64, 0u);
            EXPECT_TRUE(visited.insert(line_of(link, memory, 64)).second);
        }
        EXPECT_EQ(visited.size(), lines);
        EXPECT_LT(*visited.rbegin(), lines) << "all of them lie within the memory";
        EXPECT_EQ(misplaced_links(chain), 0u);
    }
}

TEST(Chase, LinksCanLieFurtherApartThanALine) {
    Lines memory(1000);
    const Chain chain = build_chain(memory.begin(), 1000 * 64 + 60, 128, 5);
    EXPECT_EQ(chain.links, 500u);
    for (const ChainLink* link : walk(chain, 1000))
        EXPECT_EQ((reinterpret_cast<const std::byte*>(link) - memory.begin()) % 128, 0);
    EXPECT_EQ(misplaced_links(chain), 0u);
}

TEST(Chase, EndsWhereASlowReferenceDoes) {
    Lines memory(300);
    const Chain chain = build_chain(memory.begin(), 300 * 64, 64, 9);
    const std::vector<const ChainLink*> links = walk(chain, 300);
    for (const std::size_t from : {0u, 1u, 299u})
        for (const std::size_t steps : {0u, 1u, 15u, 16u, 17u, 32u, 299u, 300u, 301u, 12345u})
            EXPECT_EQ(chase(links[from], steps), links[(from + steps) % 300]) << from << " + " << steps;
}

TEST(Chase, ABrokenChainIsFound) {
    constexpr std::size_t lines = 1000;
    Lines memory(lines);
    const auto link_at = [&](std::size_t line) {
        return reinterpret_cast<ChainLink*>(memory.begin() + line * 64);
    };
    // Two links change their targets: the cycle falls apart into two.
    Chain chain = build_chain(memory.begin(), lines * 64, 64, 1);
    std::swap(link_at(3)->next, link_at(700)->next);
    EXPECT_LT(walk(chain, lines).size(), lines);
    EXPECT_GT(misplaced_links(chain), 0u);
    // A link is left out.
    chain = build_chain(memory.begin(), lines * 64, 64, 1);
    link_at(500)->next = link_at(500)->next->next;
    EXPECT_GT(misplaced_links(chain), 0u);
    // The last link leads to another than the first.
    chain = build_chain(memory.begin(), lines * 64, 64, 1);
    for (std::size_t line = 0; line < lines; ++line)
        if (link_at(line)->next == chain.first()) link_at(line)->next = chain.first()->next;
    EXPECT_GT(misplaced_links(chain), 0u);
}

TEST(Chase, TheOrderIsRandomAndFollowsTheSeed) {
    constexpr std::size_t lines = 4096;
    Lines memory(lines), other_memory(lines);
    const auto order = [&](Lines& at, std::uint64_t seed) {
        const Chain chain = build_chain(at.begin(), lines * 64, 64, seed);
        std::vector<std::size_t> visited;
        for (const ChainLink* link : walk(chain, lines)) visited.push_back(line_of(link, at, 64));
        return visited;
    };
    const std::vector<std::size_t> first = order(memory, 1);
    EXPECT_EQ(first, order(other_memory, 1));
    EXPECT_NE(first, order(memory, 2));
    // Neighbours and equal strides are as rare as chance makes them: about one of 4096 each.
    std::size_t neighbours = 0, equal_strides = 0;
    for (std::size_t at = 2; at < lines; ++at) {
        const std::size_t stride = first[at] - first[at - 1];
        neighbours += (first[at] ^ 1) == first[at - 1] ? 1 : 0;
        equal_strides += stride == first[at - 1] - first[at - 2] ? 1 : 0;
    }
    EXPECT_LT(neighbours, 12u);
    EXPECT_LT(equal_strides, 12u);
}

TEST(Chase, EveryCycleOfFewLinesIsAsLikely) {
    // Five links have 4! cycles.
    Lines memory(5);
    std::map<std::vector<std::size_t>, int> seen;
    for (std::uint64_t seed = 0; seed < 4800; ++seed) {
        const Chain chain = build_chain(memory.begin(), 5 * 64, 64, seed);
        std::vector<std::size_t> order;
        for (const ChainLink* link : walk(chain, 5)) order.push_back(line_of(link, memory, 64));
        std::rotate(order.begin(), std::find(order.begin(), order.end(), 0u), order.end());
        ++seen[order];
    }
    EXPECT_EQ(seen.size(), 24u);
    for (const auto& [order, count] : seen) {
        EXPECT_GT(count, 130);
        EXPECT_LT(count, 270);
    }
}

TEST(Chase, RefusesWhatIsNoChain) {
    Lines memory(4);
    EXPECT_THROW(build_chain(memory.begin(), 127, 64, 1), std::invalid_argument);
    EXPECT_THROW(build_chain(memory.begin(), 0, 64, 1), std::invalid_argument);
    EXPECT_THROW(build_chain(memory.begin(), 256, 8, 1), std::invalid_argument);
    EXPECT_THROW(build_chain(memory.begin(), 256, 48, 1), std::invalid_argument);
    EXPECT_THROW(build_chain(memory.begin(), std::size_t{1} << 39, 64, 1), std::invalid_argument);
}

TEST(Cores, AreNoMoreThanTheCpusAndAtLeastOne) {
    EXPECT_GE(allowed_cores(), 1);
    EXPECT_LE(allowed_cores(), allowed_cpus());
    EXPECT_EQ(cores_among({cpus_by_core().front()}), 1);
    EXPECT_EQ(cores_among({1 << 20, (1 << 20) + 1}), 2) << "CPUs of which the system tells nothing";
}

}  // namespace
}  // namespace assay::kernels
