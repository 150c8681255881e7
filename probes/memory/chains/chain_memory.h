#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kernels/cpu/chase.h"
#include "kernels/device/device.h"
#include "probes/core/clock.h"

namespace assay {

constexpr std::uint64_t smallest_chain_bytes = std::uint64_t{16} << 10;
constexpr std::uint64_t huge_page_bytes = std::uint64_t{2} << 20;

/// How large the largest chain is, and why.
struct ChainSize {
    std::uint64_t bytes = 0;
    std::string reason;        ///< one sentence for the notes
    std::string impossible;    ///< why there can be none, with the arithmetic; empty where there can
    bool out_of_cache = true;  ///< at least twice all last-level caches: what it shows is memory's latency
};
/// Last-level caches, 0 where the system does not tell.
struct LastLevelCaches {
    std::uint64_t all = 0;      ///< of the machine together
    std::uint64_t reached = 0;  ///< the one that the chasing CPU reaches
};
/// This machine's, for the CPU that chases.
LastLevelCaches last_level_caches();

/// 4 × all last-level caches, and 16 × the one that the chasing CPU reaches, so that at most a sixteenth of
/// its loads finds its line there; as long as that is no more than `share` of the usable memory; `asked` = 0
/// for auto. What is asked for may take all that is usable. `usable_bytes` = 0: not known, no limit.
ChainSize size_chain(std::uint64_t asked, LastLevelCaches caches, std::uint64_t usable_bytes,
                     double share = 0.5);

/// From 16 KiB to `largest`: 1 and, with `fine`, 1.5 times each power of two up to twice the caches, where
/// the curve has its steps; doublings beyond.
std::vector<std::uint64_t> chain_sizes(std::uint64_t largest, std::uint64_t cache_bytes, bool fine);

/// What backs a piece of memory.
struct PageProof {
    std::string label;     ///< bytes of its pages: "4096", "2097152"; "mixed" or "unknown" where it is so
    bool as_asked = true;  ///< false: other pages than asked for
    std::string sentence;  ///< what was not had, or not proved; empty when all is well
};
/// From the share of it that the system says to be on huge pages.
PageProof prove_pages(bool huge_asked, std::size_t small_page_bytes, std::optional<double> huge_share);

/// What backs memory whose pages are there.
PageProof pages_of(DeviceMemory& memory, bool huge_asked);
/// The bytes of as many whole pages of the kind asked for as hold `bytes`.
std::uint64_t whole_pages(std::uint64_t bytes, bool huge);

/// Memory whose pages are there and known.
struct PagedMemory {
    std::unique_ptr<DeviceMemory> memory;
    PageProof pages;
};
/// Touches every page, then looks into /proc/self/smaps. Throws std::system_error when memory is missing.
PagedMemory paged_memory(Device& device, std::uint64_t bytes, bool huge_pages);

/// Bytes of a cache line as the system tells it, 64 where it does not.
std::size_t chain_line_bytes();
/// Memory that chains of so many bytes take while they are built: an index beside each line.
std::uint64_t chain_footprint(std::uint64_t bytes);

/// Walks a chain in chunks, each from where the one before ended.
class Chaser {
  public:
    /// Finds by a trial how many links take `chunk` of the clock's time.
    Chaser(const kernels::Chain& chain, Clock& clock, Seconds chunk);

    /// Seconds a link, over one chunk.
    double chunk();
    std::size_t links_a_chunk() const { return links_; }
    /// Chunks that did not end at the link that lies so many links further.
    std::uint64_t wrong_ends() const { return wrong_ends_; }

  private:
    double timed(std::size_t links);

    const kernels::Chain& chain_;
    Clock& clock_;
    const kernels::ChainLink* at_;
    std::size_t links_ = 0;
    std::uint64_t wrong_ends_ = 0;
};

}  // namespace assay
