#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "probes/core/clock.h"
#include "probes/core/os/mapping.h"
#include "probes/storage/load/load.h"
#include "probes/storage/load/written_blocks.h"

// The threads of a load; only load.cpp knows them.
namespace assay::storage {

/// What a job counts in one slice. Where it records is reserved beforehand.
struct Book {
    Histogram read_latency;
    Histogram write_latency;
    Histogram submission;
    Histogram completion;
    double in_flight_ns = 0;        ///< requests in flight, integrated over time
    double operations = 0;          ///< done in the slice; one across its end counts in part
    std::int64_t begin_age_ns = 0;  ///< how long those in flight had been so, together, at the beginning ...
    std::int64_t end_age_ns = 0;    ///< ... and at the end

    void reserve(const LoadOptions& options);
    void clear();
};

/// What the reader of slices tells all jobs.
struct JobSignals {
    std::atomic<std::uint64_t> slice{0};       ///< which slice runs; a job writes into book slice % 2
    std::atomic<std::int64_t> boundary_ns{0};  ///< when it began; set before the number
    std::atomic<bool> stop{false};
};

/// One thread with requests of its own to one target.
class Job {
  public:
    /// `cpu`: to be pinned to; -1: the scheduler chooses.
    Job(const JobSignals& signals, const LoadOptions& options, std::size_t target, int number, int cpu);

    void start();
    void join();
    /// Reads back a sample of what was written and compares. After join().
    void verify_written();

    std::array<Book, 2> books;
    Verification total;
    std::atomic<std::uint64_t> seen_slice{0};
    std::atomic<bool> ended{false};
    std::exception_ptr error;
    const std::size_t target_number;
    std::vector<std::string> engine_flags;    // after join()
    std::vector<std::string> engine_refused;  // after join()

  private:
    void run();
    void let_go_of_engine();
    void work();
    void account(std::int64_t last, std::int64_t now, std::size_t in_flight, std::size_t count);
    Transfer choose(std::uint32_t slot);
    std::int64_t age_of_those_in_flight(std::size_t in_flight, std::int64_t now) const;
    void take(const Completion& completion, std::int64_t now);
    std::uint64_t written_seed() const { return target_.pattern_seed.value_or(options_.seed); }
    void verify(std::uint64_t offset, std::span<const std::byte> data);
    void count_wrong(std::uint64_t offset);
    [[noreturn]] void fail(const Transfer& transfer, std::int32_t result) const;

    const JobSignals& signals_;
    const LoadOptions& options_;
    const LoadTarget& target_;
    const int cpu_;
    const int depth_;
    const BlockRange range_;
    os::FileDescriptor file_;
    os::Mapping memory_;
    std::unique_ptr<Engine> engine_;  // after the memory: destroying it waits for what goes there
    Offsets offsets_;
    Random direction_;
    std::uint64_t read_threshold_;  // of 64 random bits: below it a read
    WrittenBlocks written_;
    std::uint64_t generation_;
    std::uint64_t generation_step_;
    SteadyClock clock_;

    std::vector<Transfer> transfers_;  // a slot each
    std::vector<std::int64_t> submitted_ns_;
    std::uint64_t submitted_sum_ns_ = 0;      // of those in flight; it may wrap, differences do not
    std::vector<std::uint32_t> ready_slots_;  // to be handed over next: the first ready_count_
    std::vector<Transfer> ready_;             // what they will do
    std::size_t ready_count_ = 0;
    std::vector<Completion> completions_;
    std::uint64_t slice_ = 0;
    Book* book_ = books.data();
    std::uint32_t until_verify_;
    std::thread thread_;
};

}  // namespace assay::storage
