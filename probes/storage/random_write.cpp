#include "probes/storage/load/load_probe.h"
#include "probes/storage/storage.h"

namespace assay {
namespace {

constexpr storage::LoadKind kind{"storage.random_write", storage::Order::random, true};

}  // namespace

Probe storage_random_write_probe() {
    using enum Unit;
    using enum Direction;
    Probe probe = storage::load_probe(
        kind,
        "Writes random blocks directly to a disk until the level is steady, or a mix of writes and reads.");
    probe.metrics = {
        {"storage.random_write.iops", operation_per_second, higher,
         "writes a second; of a mix, all operations"},
        {"storage.random_write.bandwidth", byte_per_second, higher,
         "bytes a second; of a mix, of all operations"},
        {"storage.random_write.latency", second, lower,
         "time of one write, from its submission until it is back"},
        {"storage.random_write.read_latency", second, lower, "of a mix: time of one read"},
        {"storage.random_write.submission_latency", second, lower,
         "of that, time to hand the request over; at depth 1 alone"},
        {"storage.random_write.completion_latency", second, lower,
         "of that, time until it is back; at depth 1 alone"},
        {"storage.random_write.cpu_per_io", second, lower,
         "CPU time of the process and its kernel workers, user and system, for one operation"},
        {"storage.random_write.device_busy", ratio, none,
         "share of the time in which the device had a request"},
        {"storage.random_write.member_iops",
         operation_per_second,
         higher,
         "writes a second of each target",
         {"member"}},
        {"storage.random_write.first_done", second, lower,
         "when the fastest of several targets had done its share"},
        {"storage.random_write.last_done", second, lower,
         "when the slowest of several targets had done its share"},
    };
    storage::set_load_functions<kind, storage_random_write_probe>(probe);
    return probe;
}

}  // namespace assay
