#include "probes/core/histogram.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace assay {
namespace {

constexpr std::uint64_t hour = 3'600'000'000'000;

double nearest_rank(std::vector<std::uint64_t> values, double rank) {
    std::sort(values.begin(), values.end());
    std::size_t index = 0;
    while (static_cast<double>(index + 1) * 100 < rank * static_cast<double>(values.size()) - 1e-6) ++index;
    return static_cast<double>(values[index]);
}

TEST(Histogram, IsZeroWhenEmpty) {
    const Histogram histogram;
    EXPECT_EQ(histogram.count(), 0u);
    EXPECT_EQ(histogram.minimum(), 0u);
    EXPECT_EQ(histogram.maximum(), 0u);
    EXPECT_EQ(histogram.mean(), 0);
    EXPECT_EQ(histogram.percentile(50), 0);
    EXPECT_TRUE(histogram.buckets().empty());
}

TEST(Histogram, IsExactBelow256Nanoseconds) {
    for (std::uint64_t value = 0; value < 256; ++value) {
        Histogram histogram;
        histogram.record(0);
        histogram.record(value);
        histogram.record(1000);
        EXPECT_EQ(histogram.percentile(50), static_cast<double>(value));
        EXPECT_EQ(Histogram::lower_bound_of(Histogram::bucket_of(value)), value);
    }
}

TEST(Histogram, BucketsTileTheTimesFromZeroToHours) {
    std::uint64_t expected = 0;
    const std::size_t last = Histogram::bucket_of(4 * hour);
    for (std::size_t bucket = 0; bucket <= last; ++bucket) {
        const std::uint64_t lower = Histogram::lower_bound_of(bucket);
        const std::uint64_t next = Histogram::lower_bound_of(bucket + 1);
        ASSERT_EQ(lower, expected);
        ASSERT_GT(next, lower);
        ASSERT_EQ(Histogram::bucket_of(lower), bucket);
        ASSERT_EQ(Histogram::bucket_of(next - 1), bucket);
        expected = next;
    }
}

TEST(Histogram, HasAnOctaveOf128Buckets) {
    for (std::uint64_t value = 128; value < hour; value *= 2)
        EXPECT_EQ(Histogram::bucket_of(2 * value) - Histogram::bucket_of(value), 128u);
}

TEST(Histogram, ABucketsMiddleIsWithinFourTenthsOfAPercentOfAllInIt) {
    std::mt19937_64 random(1);
    for (int trial = 0; trial < 20000; ++trial) {
        const std::uint64_t value = std::uint64_t{1} << (random() % 43) | (random() >> 21) % (hour / 1000);
        Histogram histogram;
        histogram.record(0);
        histogram.record(value);
        histogram.record(4 * hour);
        EXPECT_NEAR(histogram.percentile(50), static_cast<double>(value),
                    0.0040 * static_cast<double>(value));
    }
}

TEST(Histogram, TheMiddleIsTheMeanOfTheWholeNumbersInTheBucket) {
    Histogram histogram;
    histogram.record(0);
    histogram.record(1027);  // 1024 .. 1031
    histogram.record(5000);
    EXPECT_EQ(histogram.percentile(50), 1027.5);
}

TEST(Histogram, PercentilesAgreeWithSortingToTheBucket) {
    std::mt19937_64 random(7);
    std::lognormal_distribution<double> distribution(std::log(80e3), 1.0);
    for (const std::size_t count : {1u, 2u, 10u, 999u, 20000u}) {
        Histogram histogram;
        std::vector<std::uint64_t> values;
        for (std::size_t i = 0; i < count; ++i) {
            values.push_back(static_cast<std::uint64_t>(distribution(random)));
            histogram.record(values.back());
        }
        for (const double rank : {0.0, 0.01, 1.0, 25.0, 50.0, 90.0, 99.0, 99.9, 99.99, 100.0}) {
            const double exact = nearest_rank(values, rank);
            EXPECT_NEAR(histogram.percentile(rank), exact, 0.004 * exact) << rank << " of " << count;
        }
    }
}

TEST(Histogram, NearestRankIsNotLedAstrayByBinaryFractions) {
    Histogram histogram;
    histogram.record(10, 999);
    histogram.record(20, 1);
    EXPECT_EQ(histogram.percentile(99.9), 10);
    EXPECT_EQ(histogram.percentile(99.91), 20);
    EXPECT_EQ(histogram.percentile(100), 20);
}

TEST(Histogram, PercentilesStayWithinTheExactExtremes) {
    Histogram histogram;
    histogram.record(1'000'000, 3);
    EXPECT_EQ(histogram.percentile(0), 1e6);
    EXPECT_EQ(histogram.percentile(50), 1e6);
    EXPECT_EQ(histogram.percentile(100), 1e6);
    histogram.record(1'000'001);
    EXPECT_EQ(histogram.percentile(100), 1'000'001);
    EXPECT_EQ(histogram.percentile(-5), histogram.percentile(0));
    EXPECT_EQ(histogram.percentile(500), histogram.percentile(100));
}

TEST(Histogram, MeanAndExtremesAreExact) {
    Histogram histogram;
    histogram.record(1'000'003);
    histogram.record(999'999, 2);
    histogram.record(7, 0);
    EXPECT_EQ(histogram.count(), 3u);
    EXPECT_DOUBLE_EQ(histogram.mean(), (1'000'003.0 + 2 * 999'999.0) / 3);
    EXPECT_EQ(histogram.minimum(), 999'999u);
    EXPECT_EQ(histogram.maximum(), 1'000'003u);
}

TEST(Histogram, WhatIsBeyondTheLastBucketKeepsItsExtremeAndItsPlace) {
    Histogram histogram;
    const std::uint64_t endless = ~std::uint64_t{0};
    histogram.record(5, 2);
    histogram.record(endless);
    EXPECT_EQ(histogram.count(), 3u);
    EXPECT_EQ(histogram.maximum(), endless);
    EXPECT_EQ(histogram.percentile(50), 5);
    EXPECT_GT(histogram.percentile(100), 4.0 * hour);
    EXPECT_LT(Histogram::bucket_of(endless), 5000u);
    EXPECT_EQ(Histogram::bucket_of(endless), Histogram::bucket_of(5 * hour));
}

TEST(Histogram, MergingIsTheSameAsRecordingAllInOne) {
    std::mt19937_64 random(3);
    Histogram first, second, both;
    for (int i = 0; i < 1000; ++i) {
        const std::uint64_t value = random() % 10'000'000;
        (i % 3 == 0 ? first : second).record(value);
        both.record(value);
    }
    Histogram merged;
    merged.merge(first);
    merged.merge(Histogram());
    merged.merge(second);
    EXPECT_EQ(merged.buckets(), both.buckets());
    EXPECT_EQ(merged.count(), 1000u);
    EXPECT_EQ(merged.minimum(), both.minimum());
    EXPECT_EQ(merged.maximum(), both.maximum());
    EXPECT_DOUBLE_EQ(merged.mean(), both.mean());
}

TEST(Histogram, MergingInEitherOrderFindsTheExtremes) {
    Histogram low, high;
    low.record(10);
    high.record(1000);
    Histogram forward = low, backward = high;
    forward.merge(high);
    backward.merge(low);
    EXPECT_EQ(forward.minimum(), 10u);
    EXPECT_EQ(backward.minimum(), 10u);
    EXPECT_EQ(forward.maximum(), 1000u);
    EXPECT_EQ(backward.maximum(), 1000u);
}

TEST(Histogram, IsTheSameWithItsMemoryReservedOrGrowing) {
    Histogram reserved, growing;
    reserved.reserve();
    for (const std::uint64_t value : {5ULL, 3'000'000ULL, 70ULL, 1ULL << 50}) {
        reserved.record(value);
        growing.record(value);
        EXPECT_EQ(reserved.buckets(), growing.buckets());
        EXPECT_EQ(reserved.percentile(99), growing.percentile(99));
    }
    // Merging takes no more than what the other filled, and reads nothing beyond it.
    Histogram small, large;
    small.record(3);
    large.record(hour);
    Histogram into_small = small, into_large = large;
    into_small.merge(large);
    into_large.merge(small);
    EXPECT_EQ(into_small.buckets(), into_large.buckets());
    into_small.merge(reserved);
    EXPECT_EQ(into_small.count(), 6u);
    into_small.reserve();
    EXPECT_EQ(into_small.count(), 6u);
    EXPECT_EQ(into_small.buckets().size(), 6u);
}

TEST(Histogram, IsLikeNewWhenCleared) {
    Histogram histogram;
    histogram.record(12345, 4);
    histogram.clear();
    EXPECT_EQ(histogram.count(), 0u);
    EXPECT_EQ(histogram.maximum(), 0u);
    EXPECT_EQ(histogram.mean(), 0);
    EXPECT_TRUE(histogram.buckets().empty());
    histogram.record(99999);
    EXPECT_EQ(histogram.minimum(), 99999u);
    EXPECT_DOUBLE_EQ(histogram.mean(), 99999);
}

TEST(Histogram, ComesBackFromWhatAJournalKeeps) {
    std::mt19937_64 random(5);
    Histogram histogram;
    for (int i = 0; i < 5000; ++i) histogram.record(random() % 3'000'000'000);
    const Histogram again = Histogram::from_buckets(histogram.buckets(), histogram.minimum(),
                                                    histogram.maximum(), histogram.mean());
    EXPECT_EQ(again.buckets(), histogram.buckets());
    EXPECT_EQ(again.count(), histogram.count());
    EXPECT_EQ(again.minimum(), histogram.minimum());
    EXPECT_EQ(again.maximum(), histogram.maximum());
    EXPECT_DOUBLE_EQ(again.mean(), histogram.mean());
    for (const double rank : {0.0, 50.0, 99.0, 100.0})
        EXPECT_EQ(again.percentile(rank), histogram.percentile(rank));
    EXPECT_EQ(Histogram::from_buckets({}, 1, 2, 3).maximum(), 0u);
}

TEST(Histogram, BucketsAscendAndHoldTheirCounts) {
    Histogram histogram;
    histogram.record(1'000'000, 2);
    histogram.record(3, 7);
    const std::vector<std::pair<std::uint64_t, std::uint64_t>> expected = {
        {3, 7}, {Histogram::lower_bound_of(Histogram::bucket_of(1'000'000)), 2}};
    EXPECT_EQ(histogram.buckets(), expected);
}

}  // namespace
}  // namespace assay
