#include "probes/memory/chains/chain_memory.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <unistd.h>

#include "kernels/cpu/affinity.h"
#include "kernels/cpu/caches.h"
#include "kernels/device/pages.h"
#include "probes/core/bytes_in_words.h"
#include "probes/memory/chains/cache_levels.h"

namespace assay {

namespace {

constexpr std::uint64_t all_caches_multiple = 4;
constexpr std::uint64_t reached_cache_multiple = 16;
constexpr std::uint64_t assumed_cache_bytes = std::uint64_t{64} << 20;
constexpr std::size_t usual_line_bytes = 64;
constexpr std::size_t trial_links = 2048;
constexpr double most_links_a_chunk = 1 << 24;

std::uint64_t told_or_assumed(std::uint64_t cache_bytes) {
    return cache_bytes == 0 ? assumed_cache_bytes : cache_bytes;
}

std::uint64_t whole_units(std::uint64_t bytes) {
    return bytes / smallest_chain_bytes * smallest_chain_bytes;
}

std::size_t small_page_bytes() {
    return static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace

LastLevelCaches last_level_caches() {
    const std::vector<kernels::DataCache> caches = kernels::data_caches_of(kernels::cpus_by_core().front());
    return {kernels::last_level_cache_bytes(), caches.empty() ? 0 : caches.back().bytes};
}

ChainSize size_chain(std::uint64_t asked, LastLevelCaches last_level, std::uint64_t usable_bytes,
                     double share) {
    ChainSize size;
    const std::uint64_t caches = told_or_assumed(last_level.all);
    const bool by_reached = reached_cache_multiple * last_level.reached > all_caches_multiple * caches;
    const std::uint64_t wanted =
        by_reached ? reached_cache_multiple * last_level.reached : all_caches_multiple * caches;
    const std::string rule =
        by_reached ? fmt::format("16 x {} of the last-level cache that this CPU reaches",
                                 binary_size(last_level.reached))
                   : fmt::format("4 x {} of last-level caches{}", binary_size(caches),
                                 last_level.all == 0 ? " (assumed: the system does not tell)" : "");
    const std::uint64_t part = usable_bytes == 0
                                   ? ~std::uint64_t{0}
                                   : static_cast<std::uint64_t>(static_cast<double>(usable_bytes) * share);
    if (asked != 0) {
        size.bytes = asked;
        size.reason =
            fmt::format("The largest chain has {}, as asked for; the rule is {}.", binary_size(asked), rule);
        if (usable_bytes != 0 && chain_footprint(asked) > usable_bytes)
            size.impossible = fmt::format(
                "a chain of {} needs {} with its index, and {} of memory may be used", bytes_in_words(asked),
                bytes_in_words(chain_footprint(asked)), bytes_in_words(usable_bytes));
        else if (asked / usual_line_bytes >= std::uint64_t{1} << 32)
            size.impossible = fmt::format("a chain of {} has 2^32 lines or more", bytes_in_words(asked));
    } else {
        size.bytes = whole_units(std::min(wanted, part));
        size.reason =
            size.bytes == whole_units(wanted)
                ? fmt::format("The largest chain has {}: {}.", binary_size(size.bytes), rule)
                : fmt::format(
                      "The largest chain has {}, {:g} of the {} of memory that may be used; the rule would "
                      "be {}.",
                      binary_size(size.bytes), share, bytes_in_words(usable_bytes), rule);
        if (size.bytes < smallest_chain_bytes)
            size.impossible =
                fmt::format("{:g} of the {} of memory that may be used is less than the smallest chain, {}",
                            share, bytes_in_words(usable_bytes), bytes_in_words(smallest_chain_bytes));
    }
    size.out_of_cache = size.bytes >= 2 * caches;
    if (!size.out_of_cache) size.reason += " That is too small to show the latency of memory.";
    return size;
}

std::vector<std::uint64_t> chain_sizes(std::uint64_t largest, std::uint64_t cache_bytes, bool fine) {
    const std::uint64_t steps_end = 2 * told_or_assumed(cache_bytes);
    std::vector<std::uint64_t> sizes;
    for (std::uint64_t octave = smallest_chain_bytes; octave < largest; octave *= 2) {
        sizes.push_back(octave);
        if (fine && octave < steps_end && octave / 2 * 3 < largest) sizes.push_back(octave / 2 * 3);
    }
    // The last one stands for memory: another beside it would tell nothing more.
    while (!sizes.empty() && static_cast<double>(sizes.back()) * 1.2 > static_cast<double>(largest))
        sizes.pop_back();
    sizes.push_back(largest);
    return sizes;
}

PageProof prove_pages(bool huge_asked, std::size_t small_page_bytes, std::optional<double> huge_share) {
    const std::string asked =
        binary_size(huge_asked ? huge_page_bytes : static_cast<std::uint64_t>(small_page_bytes));
    if (!huge_share)
        return {"unknown", true,
                fmt::format("Pages of {} were asked for; /proc/self/smaps does not tell which were given.",
                            asked)};
    PageProof proof;
    const bool all_huge = *huge_share >= 0.99, none_huge = *huge_share <= 0.01;
    proof.label = all_huge    ? std::to_string(huge_page_bytes)
                  : none_huge ? std::to_string(small_page_bytes)
                              : "mixed";
    proof.as_asked = huge_asked ? all_huge : none_huge;
    if (!proof.as_asked)
        proof.sentence = fmt::format(
            "Pages of {} were asked for, but {:.0f} % of the memory is on pages of 2 MiB "
            "(/proc/self/smaps).",
            asked, 100 * *huge_share);
    return proof;
}

PageProof pages_of(DeviceMemory& memory, bool huge_asked) {
    return prove_pages(huge_asked, small_page_bytes(),
                       huge_page_share(memory.host_pointer(), memory.bytes()));
}

std::uint64_t whole_pages(std::uint64_t bytes, bool huge) {
    const std::uint64_t unit = huge ? huge_page_bytes : small_page_bytes();
    return (bytes + unit - 1) / unit * unit;
}

PagedMemory paged_memory(Device& device, std::uint64_t bytes, bool huge_pages) {
    PagedMemory paged;
    paged.memory = device.allocate(whole_pages(bytes, huge_pages), huge_pages);
    std::byte* const begin = paged.memory->host_pointer();
    for (std::size_t at = 0; at < paged.memory->bytes(); at += small_page_bytes()) begin[at] = std::byte{1};
    paged.pages = pages_of(*paged.memory, huge_pages);
    return paged;
}

std::size_t chain_line_bytes() {
    std::size_t line = usual_line_bytes;
    for (const kernels::DataCache& cache : kernels::data_caches_of(kernels::cpus_by_core().front()))
        line = std::max(line, cache.line_bytes);
    return line;
}

std::uint64_t chain_footprint(std::uint64_t bytes) {
    return bytes + bytes / usual_line_bytes * sizeof(std::uint32_t);
}

Chaser::Chaser(const kernels::Chain& chain, Clock& clock, Seconds chunk)
    : chain_(chain), clock_(clock), at_(chain.first()) {
    timed(trial_links);
    links_ =
        static_cast<std::size_t>(std::clamp(chunk.count() / timed(trial_links), 64.0, most_links_a_chunk));
}

double Chaser::chunk() {
    return timed(links_);
}

double Chaser::timed(std::size_t links) {
    const std::uint64_t expected = (at_->place + links) % chain_.links;
    const Nanoseconds begin = clock_.now();
    at_ = kernels::chase(at_, links);
    // What was found goes into the count before the clock is read: the last load is within the time.
    if (at_ == nullptr || at_->place != expected) ++wrong_ends_;
    return std::max(seconds_of(clock_.now() - begin), 1e-9) / static_cast<double>(links);
}

}  // namespace assay
