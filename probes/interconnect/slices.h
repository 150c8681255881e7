#pragma once

#include <chrono>
#include <cstdint>

#include "probes/core/clock.h"
#include "probes/interconnect/streams.h"

namespace assay::interconnect {

/// Bytes that arrived in a stretch of time.
struct Slice {
    double seconds = 0;
    std::uint64_t bytes = 0;
    double bits_per_second() const { return static_cast<double>(bytes) * 8 / seconds; }
};

/// Cuts a running transfer into slices of a tenth of a second, each divided by the time that it really took.
class SliceCounter {
  public:
    static constexpr std::chrono::milliseconds length{100};

    SliceCounter(Clock& clock, const Streams& streams)
        : clock_(clock), streams_(streams), begin_(clock.now()), bytes_(streams.bytes()) {}

    /// Time until the slice at hand is over, rounded up; 0 when it is.
    std::chrono::milliseconds left() const {
        const Nanoseconds rest = begin_ + length - clock_.now();
        return rest.count() <= 0 ? std::chrono::milliseconds(0)
                                 : std::chrono::ceil<std::chrono::milliseconds>(rest);
    }
    void wait() const { clock_.sleep_until(begin_ + length); }
    Slice take() {
        const Nanoseconds now = clock_.now();
        const std::uint64_t bytes = streams_.bytes();
        const Slice slice{seconds_of(now - begin_), bytes - bytes_};
        begin_ = now;
        bytes_ = bytes;
        return slice;
    }

  private:
    Clock& clock_;
    const Streams& streams_;
    Nanoseconds begin_;
    std::uint64_t bytes_;
};

}  // namespace assay::interconnect
