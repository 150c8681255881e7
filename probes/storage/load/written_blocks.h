#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "probes/storage/load/offsets.h"

namespace assay::storage {

/// What a job wrote last to an evenly spread few of its blocks, so that lost and stale writes are found when
/// these are read back. Of all blocks it would take gigabytes on a large device.
class WrittenBlocks {
  public:
    static constexpr std::size_t most_kept = 4096;

    explicit WrittenBlocks(BlockRange range) : range_(range) {
        const std::uint64_t blocks = range.end - range.first;
        while ((blocks >> shift_) > most_kept) ++shift_;
        generations_.resize(static_cast<std::size_t>((blocks >> shift_) + 1), 0);
    }

    /// False where an earlier write to this block is still in flight: which of the two would last is unknown,
    /// so that another block must be chosen.
    bool begin(std::uint64_t block, std::uint64_t generation) {
        std::uint64_t* const kept = find(block);
        if (kept == nullptr) return true;
        if ((*kept & in_flight) != 0) return false;
        *kept = generation | in_flight;
        return true;
    }
    void end(std::uint64_t block) {
        if (std::uint64_t* const kept = find(block)) *kept &= ~in_flight;
    }

    struct Written {
        std::uint64_t block;
        std::uint64_t generation;
    };
    std::vector<Written> all() const {
        std::vector<Written> written;
        for (std::size_t i = 0; i < generations_.size(); ++i) {
            if (generations_[i] == 0 || (generations_[i] & in_flight) != 0) continue;
            written.push_back({range_.first + (static_cast<std::uint64_t>(i) << shift_), generations_[i]});
        }
        return written;
    }

  private:
    static constexpr std::uint64_t in_flight = 1ULL << 63;  // generations stay below

    std::uint64_t* find(std::uint64_t block) {
        const std::uint64_t place = block - range_.first;
        if ((place & ((1ULL << shift_) - 1)) != 0) return nullptr;
        return &generations_[static_cast<std::size_t>(place >> shift_)];
    }

    BlockRange range_;
    unsigned shift_ = 0;
    std::vector<std::uint64_t> generations_;  // 0: not written
};

}  // namespace assay::storage
