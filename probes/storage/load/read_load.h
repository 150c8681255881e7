#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "probes/core/clock.h"
#include "probes/core/histogram.h"

namespace assay::storage {

/// A steady load of random reads: `jobs` threads, each with `queue_depth` requests in flight.
struct ReadLoadOptions {
    std::filesystem::path path;  ///< opened by each job for itself, direct and read-only
    std::uint64_t span_bytes = 0;
    std::uint64_t block_bytes = 4096;
    int queue_depth = 1;
    int jobs = 1;
    std::uint64_t seed = 1;
    std::vector<int> cpus;                      ///< that the jobs are pinned to, in turn; empty: not pinned
    std::optional<std::uint64_t> pattern_seed;  ///< content to verify a sample of the reads against
};

/// What all jobs did in one time slice.
struct ReadSlice {
    std::uint64_t reads = 0;
    double rate = 0;               ///< reads a second, each job's over its own time
    double seconds = 0;            ///< its length, the jobs' mean
    double in_flight_seconds = 0;  ///< requests in flight over time, counted apart from the latencies
    Histogram latency;             ///< from handing a request over to having it back
};

/// What has been verified all in all.
struct ReadVerification {
    std::uint64_t reads = 0;     ///< done, warm-up and what was in flight at the end included
    std::uint64_t verified = 0;  ///< of them compared with what was written
    std::uint64_t wrong = 0;
    std::optional<std::uint64_t> first_wrong_offset;
};

/// Runs the load from construction to stop(). The jobs are told apart from the reader of slices by an atomic
/// slice number: each counts into one of its two books, and next_slice() has them change over and reads the
/// finished one, so that the load never pauses.
class ReadLoad {
  public:
    /// Throws std::system_error where the file or the contexts cannot be had.
    explicit ReadLoad(const ReadLoadOptions& options);
    ~ReadLoad();
    ReadLoad(const ReadLoad&) = delete;
    ReadLoad& operator=(const ReadLoad&) = delete;

    /// Ends the running slice and returns it. Throws what a job threw: std::system_error for a read that
    /// failed, std::runtime_error for one that came back short.
    ReadSlice next_slice();
    /// Waits for what is in flight and ends the jobs. Throws as next_slice() does.
    ReadVerification stop();

  private:
    struct Job;
    struct Shared;
    void end_jobs();
    void rethrow() const;

    std::unique_ptr<Shared> shared_;
    std::vector<std::unique_ptr<Job>> jobs_;
};

}  // namespace assay::storage
