#pragma once

#include <cstdint>

#include "probes/core/random.h"

namespace assay::storage {

/// Whether a load's blocks follow one another or lie anywhere.
enum class Order { random, sequential };

/// The blocks [first, end) that one job works on.
struct BlockRange {
    std::uint64_t first = 0;
    std::uint64_t end = 0;
};

/// Where the next transfer goes: block numbers, uniform over the range, or one after another and round again.
class Offsets {
  public:
    Offsets(Order order, BlockRange range, std::uint64_t seed, std::uint64_t stream)
        : range_(range), sequential_(order == Order::sequential), next_(range.first), random_(seed, stream) {}

    std::uint64_t next() {
        if (sequential_) {
            const std::uint64_t block = next_;
            if (++next_ == range_.end) next_ = range_.first;
            return block;
        }
        // Lemire's multiplication; its bias is below blocks / 2^64.
        __extension__ typedef unsigned __int128 Wide;
        const Wide product = static_cast<Wide>(random_.next()) * (range_.end - range_.first);
        return range_.first + static_cast<std::uint64_t>(product >> 64);
    }

  private:
    BlockRange range_;
    bool sequential_;
    std::uint64_t next_;
    Random random_;
};

}  // namespace assay::storage
