#include "probes/interconnect/device_copies/small_copies.h"

namespace assay::interconnect {

namespace {

constexpr int slices = 10;
constexpr int warm_up_copies = 16;

void copy_one(CopyRoute& route, std::size_t bytes) {
    route.enqueue(bytes);
    route.queue().finish();
}

}  // namespace

SmallCopies time_small_copies(CopyRoute& route, std::size_t bytes, Seconds seconds, Clock& clock) {
    SmallCopies result;
    for (int i = 0; i < warm_up_copies; ++i) copy_one(route, bytes);
    const Nanoseconds begin = clock.now();
    for (int slice = 1; slice <= slices; ++slice) {
        Histogram& histogram = result.slices.emplace_back();
        const Nanoseconds slice_end =
            begin + std::chrono::duration_cast<Nanoseconds>(seconds * slice / slices);
        // A slice that the one before has eaten up still gets its copy.
        do {
            const Nanoseconds started = clock.now();
            copy_one(route, bytes);
            histogram.record(static_cast<std::uint64_t>((clock.now() - started).count()));
        } while (clock.now() < slice_end);
        result.ends.push_back(seconds_of(clock.now() - begin));
    }
    route.poison();
    copy_one(route, bytes);
    result.check = route.verify(bytes);
    return result;
}

}  // namespace assay::interconnect
