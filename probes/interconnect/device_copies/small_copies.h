#pragma once

#include <cstddef>
#include <vector>

#include "probes/core/clock.h"
#include "probes/core/histogram.h"
#include "probes/interconnect/device_copies/copy_route.h"

namespace assay::interconnect {

/// Durations of single copies, a histogram a slice of time.
struct SmallCopies {
    std::vector<Histogram> slices;
    std::vector<double> ends;  ///< seconds since the first began
    Check check;               ///< that one more of them arrived
};

/// Copies the first `bytes` for about `seconds`, one after another: by the host's clock from the call until
/// the queue is done, which is what a program waits for. The target's poison is gone afterwards.
SmallCopies time_small_copies(CopyRoute& route, std::size_t bytes, Seconds seconds, Clock& clock);

}  // namespace assay::interconnect
