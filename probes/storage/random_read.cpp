#include "probes/storage/load/load_probe.h"
#include "probes/storage/storage.h"

namespace assay {
namespace {

constexpr storage::LoadKind kind{"storage.random_read", storage::Order::random, false};

}  // namespace

Probe storage_random_read_probe() {
    using enum Unit;
    using enum Direction;
    Probe probe = storage::load_probe(
        kind, "Reads random blocks directly from a disk, several at once, and times every one.");
    probe.metrics = {
        {"storage.random_read.iops", operation_per_second, higher, "reads a second"},
        {"storage.random_read.bandwidth", byte_per_second, higher, "bytes read a second"},
        {"storage.random_read.latency", second, lower,
         "time of one read, from its submission until it is back"},
        {"storage.random_read.submission_latency", second, lower,
         "of that, time to hand the read over; at depth 1 alone"},
        {"storage.random_read.completion_latency", second, lower,
         "of that, time until it is back; at depth 1 alone"},
        {"storage.random_read.cpu_per_io", second, lower,
         "CPU time of the process and its kernel workers, user and system, for one read"},
        {"storage.random_read.device_busy", ratio, none,
         "share of the time in which the device had a request"},
        {"storage.random_read.member_iops",
         operation_per_second,
         higher,
         "reads a second of each target",
         {"member"}},
        {"storage.random_read.first_done", second, lower,
         "when the fastest of several targets had done its share"},
        {"storage.random_read.last_done", second, lower,
         "when the slowest of several targets had done its share"},
    };
    storage::set_load_functions<kind, storage_random_read_probe>(probe);
    return probe;
}

}  // namespace assay
