#pragma once

#include <functional>
#include <span>

#include "probes/core/clock.h"
#include "probes/interconnect/device_copies/copy_route.h"

namespace assay::interconnect {

/// How the time of copies is taken.
///
/// `held`: the queue is held back (Queue::hold: CUDA a kernel that spins, OpenCL a user event) while copies
/// and marks are queued, then let go, so that the copies run without waiting for the host, and the device's
/// own clock tells their time between the marks. It needs calls that return when the work is queued. CUDA's
/// copies from and to pageable memory do not: they return when the driver has moved the bytes by a buffer of
/// its own, which a queue held back never does, and the program would wait for itself. The same may hold of
/// copies between devices that go by the host.
///
/// `by_host`: no queue is held; the host's clock runs from the first call until all copies are done, as for a
/// program that copies.
enum class CopyMethod { held, by_host };

/// Seconds of `copies` copies one after another. `while_copying` is called when they run (held).
double seconds_one_way(CopyRoute& route, int copies, CopyMethod method, Clock& clock,
                       const std::function<void()>& while_copying);

struct BothWays {
    double bytes_per_second = 0;  ///< of both directions together
    bool side_by_side =
        true;  ///< false: they ran one after the other, and all bytes over the whole time count
};
/// `copies` each way, begun together. Counted are the bytes of the time in which both were at work: the
/// faster direction ends sooner, and what the other does alone afterwards is no copying both ways. `by_host`
/// takes a thread a direction, since the calls may block.
BothWays both_ways(CopyRoute& there, CopyRoute& back, int copies, CopyMethod method, Clock& clock,
                   const std::function<void()>& while_copying);

/// Copies of equal size of one direction: when each was done, ascending, in seconds since both began.
struct CopyEnds {
    std::span<const double> at;
    double bytes = 0;  ///< of a copy
};
/// Bytes per second of two directions until the first of them is through with its copies; of a copy that is
/// under way then counts the share that its time tells.
double common_rate(const CopyEnds& one, const CopyEnds& other);

}  // namespace assay::interconnect
