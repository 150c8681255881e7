#include "probes/core/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace assay {

namespace {

// 2^7 buckets an octave: half a bucket is 1/256 of its lower bound, 0.4 %.
constexpr int sub_bucket_bits = 7;
constexpr std::uint64_t sub_buckets = 1U << sub_bucket_bits;
// Up to 2^44 ns, 4.9 hours; what takes longer stands in the last bucket, its extreme and mean still exact.
constexpr int longest_bits = 44;
constexpr std::size_t bucket_count = sub_buckets * (longest_bits - sub_bucket_bits + 1);

}  // namespace

void Histogram::reserve() {
    counts_.resize(bucket_count, 0);
}

std::size_t Histogram::bucket_of(std::uint64_t nanoseconds) {
    if (nanoseconds < sub_buckets) return nanoseconds;
    const int shift = std::bit_width(nanoseconds) - 1 - sub_bucket_bits;
    const std::size_t bucket = sub_buckets * static_cast<std::size_t>(shift) + (nanoseconds >> shift);
    return std::min(bucket, bucket_count - 1);
}

std::uint64_t Histogram::lower_bound_of(std::size_t bucket) {
    if (bucket < sub_buckets) return bucket;
    const std::uint64_t shift = bucket / sub_buckets - 1;
    return (bucket % sub_buckets + sub_buckets) << shift;
}

void Histogram::record(std::uint64_t nanoseconds, std::uint64_t times) {
    if (times == 0) return;
    const std::size_t bucket = bucket_of(nanoseconds);
    if (bucket >= counts_.size()) reserve();
    counts_[bucket] += times;
    minimum_ = count_ == 0 ? nanoseconds : std::min(minimum_, nanoseconds);
    maximum_ = std::max(maximum_, nanoseconds);
    count_ += times;
    sum_ += static_cast<double>(nanoseconds) * static_cast<double>(times);
}

void Histogram::merge(const Histogram& other) {
    if (other.count_ == 0) return;
    const std::size_t used = bucket_of(other.maximum_) + 1;
    if (counts_.size() < used) counts_.resize(used, 0);
    for (std::size_t bucket = 0; bucket < used; ++bucket) counts_[bucket] += other.counts_[bucket];
    minimum_ = count_ == 0 ? other.minimum_ : std::min(minimum_, other.minimum_);
    maximum_ = std::max(maximum_, other.maximum_);
    count_ += other.count_;
    sum_ += other.sum_;
}

void Histogram::clear() {
    std::fill(counts_.begin(), counts_.end(), 0);
    count_ = minimum_ = maximum_ = 0;
    sum_ = 0;
}

double Histogram::mean() const {
    return count_ == 0 ? 0 : sum_ / static_cast<double>(count_);
}

double Histogram::percentile(double rank) const {
    if (count_ == 0) return 0;
    // Nearest rank; the small allowance keeps 99.9 % of 1000 at the 999th in spite of binary fractions.
    const double exact = std::clamp(rank, 0.0, 100.0) / 100 * static_cast<double>(count_);
    const double nearest = std::ceil(exact * (1 - 1e-12));
    const std::uint64_t wanted = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(nearest));
    std::uint64_t seen = 0;
    for (std::size_t bucket = 0; bucket < counts_.size(); ++bucket) {
        seen += counts_[bucket];
        if (seen < wanted) continue;
        const std::uint64_t lower = lower_bound_of(bucket);
        const std::uint64_t width = lower_bound_of(bucket + 1) - lower;
        const double middle = static_cast<double>(lower) + static_cast<double>(width - 1) / 2;
        return std::max(static_cast<double>(minimum_), std::min(static_cast<double>(maximum_), middle));
    }
    return static_cast<double>(maximum_);
}

std::vector<std::pair<std::uint64_t, std::uint64_t>> Histogram::buckets() const {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> filled;
    for (std::size_t bucket = 0; bucket < counts_.size(); ++bucket)
        if (counts_[bucket] != 0) filled.emplace_back(lower_bound_of(bucket), counts_[bucket]);
    return filled;
}

Histogram Histogram::from_buckets(const std::vector<std::pair<std::uint64_t, std::uint64_t>>& buckets,
                                  std::uint64_t minimum, std::uint64_t maximum, double mean) {
    Histogram histogram;
    for (const std::pair<std::uint64_t, std::uint64_t>& bucket : buckets) {
        const std::size_t at = bucket_of(bucket.first);
        if (at >= histogram.counts_.size()) histogram.counts_.resize(at + 1, 0);
        histogram.counts_[at] += bucket.second;
        histogram.count_ += bucket.second;
    }
    if (histogram.count_ == 0) return histogram;
    histogram.minimum_ = minimum;
    histogram.maximum_ = maximum;
    histogram.sum_ = mean * static_cast<double>(histogram.count_);
    return histogram;
}

}  // namespace assay
