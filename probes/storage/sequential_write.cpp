#include "probes/storage/load/load_probe.h"
#include "probes/storage/storage.h"

namespace assay {
namespace {

constexpr storage::LoadKind kind{"storage.sequential_write", storage::Order::sequential, true};

}  // namespace

Probe storage_sequential_write_probe() {
    using enum Unit;
    using enum Direction;
    Probe probe = storage::load_probe(
        kind, "Writes large blocks one after another directly to a disk, until the level is steady.");
    probe.metrics = {
        {"storage.sequential_write.bandwidth", byte_per_second, higher, "bytes written a second"},
        {"storage.sequential_write.latency", second, lower,
         "time of one block, from its submission until it is back"},
        {"storage.sequential_write.cpu_per_io", second, lower,
         "CPU time of the process and its kernel workers, user and system, for one block"},
        {"storage.sequential_write.device_busy", ratio, none,
         "share of the time in which the device had a request"},
        {"storage.sequential_write.member_bandwidth",
         byte_per_second,
         higher,
         "bytes written a second of each target",
         {"member"}},
        {"storage.sequential_write.first_done", second, lower,
         "when the fastest of several targets had done its share"},
        {"storage.sequential_write.last_done", second, lower,
         "when the slowest of several targets had done its share"},
    };
    storage::set_load_functions<kind, storage_sequential_write_probe>(probe);
    return probe;
}

}  // namespace assay
