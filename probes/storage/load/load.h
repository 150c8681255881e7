#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "probes/core/histogram.h"
#include "probes/core/os/file_descriptor.h"
#include "probes/storage/engine/engine.h"
#include "probes/storage/load/offsets.h"

namespace assay::storage {

/// A file or device that a load works on.
struct LoadTarget {
    std::string name;
    std::function<os::FileDescriptor()> open;   ///< for direct I/O; each job calls it once
    std::uint64_t span_bytes = 0;               ///< of it that is used, from its start
    std::vector<int> cpus = {};                 ///< that jobs may be pinned to, the nearest first
    std::optional<std::uint64_t> pattern_seed;  ///< of content that is ours: read blocks are compared with it
    bool polled = false;                        ///< it completes requests by polling
};

/// A steady load: on each target `jobs` threads, each with `queue_depth` transfers in flight.
struct LoadOptions {
    std::vector<LoadTarget> targets;
    EngineKind engine = EngineKind::libaio;
    Order order = Order::random;
    double read_share =
        1;  ///< 1: reads alone; below it, jobs write blocks of pattern, each in its own part of the span
    std::uint64_t block_bytes = 4096;  ///< of one transfer; where it writes, a multiple of pattern_bytes
    int queue_depth = 1;
    int jobs = 1;
    int deeper_jobs = 0;  ///< of these, so many have one more in flight: for totals that do not divide
    /// 1: transfers are taken and handed over one by one. Above: at least so many together, and all that
    /// there are, which share a time stamp. as_they_come: waits for one, and takes all that there are.
    int batch = 1;
    static constexpr int as_they_come = 0;
    std::uint64_t seed = 1;

    bool writes() const { return read_share < 1; }
    int depth_of(int job) const { return queue_depth + (job < deeper_jobs ? 1 : 0); }
    /// Whether every request is handed over alone, so that the time of doing so is its own.
    bool one_by_one() const { return queue_depth == 1 && deeper_jobs == 0; }
};

/// For each target a CPU for each of its jobs, no CPU twice: handed out in turns, the nearest that is
/// left. Empty where there are more jobs on all targets than CPUs: the scheduler spreads these better,
/// since it moves them as they wait.
std::vector<std::vector<int>> pinned_cpus(const LoadOptions& options);

/// What all jobs did in one time slice. Latencies are from handing a request over to having it back.
struct LoadSlice {
    std::uint64_t operations = 0;  ///< that came back in it
    double rate = 0;               ///< operations a second; those across an end of the slice count in part
    double seconds = 0;            ///< its length
    double in_flight = 0;          ///< requests in flight, the mean over time
    double in_flight_seconds = 0;  ///< requests in flight over time, counted apart from the latencies
    /// Of these, what the latencies do not hold: the time so far of what is in flight at the slice's end,
    /// less that at its beginning, whose latencies hold it.
    double carried_seconds = 0;
    Histogram read_latency;
    Histogram write_latency;
    Histogram submission;              ///< of one_by_one loads: handing over ...
    Histogram completion;              ///< ... and from there until it is back
    std::vector<double> target_rates;  ///< of each target, where there are several

    /// Of all operations.
    Histogram latency() const;
};

/// Content compared with what was written.
struct Verification {
    std::uint64_t operations = 0;  ///< done, warm-up and what was in flight at the end included
    std::uint64_t read_bytes = 0;
    std::uint64_t written_bytes = 0;
    std::uint64_t verified = 0;  ///< blocks compared
    std::uint64_t wrong = 0;
    std::optional<std::uint64_t> first_wrong_offset;
    std::string first_wrong_target;

    void add(const Verification& other);
};

class Job;

/// Runs the load from construction to stop(). The jobs are told apart from the reader of slices by an atomic
/// slice number: each counts into one of its two books, and next_slice() has them change over and reads the
/// finished one, so that the load never pauses.
class Load {
  public:
    /// Throws std::system_error where a target cannot be had, EngineFailure where an engine cannot.
    explicit Load(const LoadOptions& options);
    ~Load();
    Load(const Load&) = delete;
    Load& operator=(const Load&) = delete;

    /// Ends the running slice and returns it. Throws what a job threw: EngineFailure for an engine that
    /// could not begin, std::system_error for a transfer that failed, std::runtime_error for one that
    /// came back short.
    LoadSlice next_slice();
    /// Waits for what is in flight and ends the jobs.
    void end();
    /// The same, and reads back a sample of what was written. Throws as next_slice() does.
    Verification stop();

    /// Of all jobs' engines, each once; what some alone have with their number, and where. After stop().
    std::vector<std::string> engine_flags() const;
    std::vector<std::string> engine_refused() const;

  private:
    struct Shared;
    void rethrow() const;
    std::vector<std::string> united(std::vector<std::string> Job::*texts) const;

    std::unique_ptr<Shared> shared_;
};

}  // namespace assay::storage
