#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace assay {

/// Log-linear histogram of durations in nanoseconds: exact below 128 ns, then 128 buckets an octave, so that
/// a bucket's midpoint is within 0.4 % of every value in it. Percentiles are read from merged
/// buckets, never averaged. Recording does not lock, nor allocate after reserve().
class Histogram {
  public:
    /// Takes all the memory that recording may need (38 KiB): after that, recording never allocates. Without
    /// it, the first value does, and a histogram that others were merged into holds no more than they filled.
    void reserve();
    void record(std::uint64_t nanoseconds, std::uint64_t times = 1);
    void merge(const Histogram& other);
    void clear();

    std::uint64_t count() const { return count_; }
    std::uint64_t minimum() const { return minimum_; }  ///< exact; 0 when empty
    std::uint64_t maximum() const { return maximum_; }  ///< exact; 0 when empty
    double mean() const;                                ///< exact, in nanoseconds; 0 when empty

    /// Value in nanoseconds at `rank` percent (0..100), nearest-rank; the bucket's midpoint, but never
    /// outside minimum()..maximum(). 0 when empty.
    double percentile(double rank) const;

    /// What is not empty, ascending: lower bound in nanoseconds and count.
    std::vector<std::pair<std::uint64_t, std::uint64_t>> buckets() const;
    /// Makes a histogram again from what a journal kept: buckets(), the exact extremes and the exact mean.
    static Histogram from_buckets(const std::vector<std::pair<std::uint64_t, std::uint64_t>>& buckets,
                                  std::uint64_t minimum, std::uint64_t maximum, double mean);

    static std::size_t bucket_of(std::uint64_t nanoseconds);
    static std::uint64_t lower_bound_of(std::size_t bucket);

  private:
    std::vector<std::uint64_t> counts_;
    std::uint64_t count_ = 0;
    std::uint64_t minimum_ = 0;
    std::uint64_t maximum_ = 0;
    double sum_ = 0;
};

}  // namespace assay
