#include "probes/storage/load/load_probe.h"
#include "probes/storage/storage.h"

namespace assay {
namespace {

constexpr storage::LoadKind kind{"storage.sequential_read", storage::Order::sequential, false};

}  // namespace

Probe storage_sequential_read_probe() {
    using enum Unit;
    using enum Direction;
    Probe probe = storage::load_probe(kind, "Reads large blocks one after another directly from a disk.");
    probe.metrics = {
        {"storage.sequential_read.bandwidth", byte_per_second, higher, "bytes read a second"},
        {"storage.sequential_read.latency", second, lower,
         "time of one block, from its submission until it is back"},
        {"storage.sequential_read.cpu_per_io", second, lower,
         "CPU time of the process and its kernel workers, user and system, for one block"},
        {"storage.sequential_read.device_busy", ratio, none,
         "share of the time in which the device had a request"},
        {"storage.sequential_read.member_bandwidth",
         byte_per_second,
         higher,
         "bytes read a second of each target",
         {"member"}},
        {"storage.sequential_read.first_done", second, lower,
         "when the fastest of several targets had done its share"},
        {"storage.sequential_read.last_done", second, lower,
         "when the slowest of several targets had done its share"},
    };
    storage::set_load_functions<kind, storage_sequential_read_probe>(probe);
    return probe;
}

}  // namespace assay
