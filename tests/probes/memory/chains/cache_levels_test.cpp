#include "probes/memory/chains/cache_levels.h"

#include <cmath>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/memory/chains/chain_memory.h"

namespace assay {
namespace {

using testing::HasSubstr;

constexpr std::uint64_t kib = 1024;
constexpr std::uint64_t mib = 1024 * kib;

struct Cache {
    double bytes, seconds;
};

/// A hierarchy whose caches, of what is larger than them, hold a random part (`sharpness` 1) or less: real
/// replacement is nearer to throwing out the oldest, which keeps nothing of a cycle.
std::vector<LatencyPoint> curve_of(const std::vector<Cache>& caches, double memory, std::uint64_t largest,
                                   bool fine = true, double sharpness = 1) {
    std::vector<LatencyPoint> curve;
    for (const std::uint64_t bytes :
         chain_sizes(largest, static_cast<std::uint64_t>(caches.back().bytes), fine)) {
        double seconds = 0, held_before = 0;
        for (const Cache& cache : caches) {
            const double held = std::min(1.0, std::pow(cache.bytes / static_cast<double>(bytes), sharpness));
            seconds += std::max(held - held_before, 0.0) * cache.seconds;
            held_before = std::max(held, held_before);
        }
        curve.push_back({bytes, seconds + (1 - held_before) * memory});
    }
    return curve;
}

const std::vector<Cache> usual = {{32.0 * kib, 1.1e-9}, {1.0 * mib, 3.8e-9}, {32.0 * mib, 14e-9}};
const std::vector<kernels::DataCache> claims = {{1, 32 * kib, 64}, {2, mib, 64}, {3, 32 * mib, 64}};

void expect_usual_levels(const std::vector<LatencyPoint>& curve) {
    const std::vector<LatencyLevel> levels = latency_levels(curve);
    ASSERT_EQ(levels.size(), 4u);
    for (std::size_t at = 0; at < 3; ++at) {
        EXPECT_NEAR(levels[at].seconds, usual[at].seconds, 0.25 * usual[at].seconds);
        const double below = static_cast<double>(curve[levels[at].last].bytes);
        EXPECT_GE(below, usual[at].bytes / 1.5) << at;
        EXPECT_LE(below, usual[at].bytes * 1.5) << at;
    }
    EXPECT_NEAR(levels[3].seconds, 110e-9, 40e-9);
    for (const CacheReading& reading : read_caches(curve, levels, claims)) {
        ASSERT_TRUE(reading.level) << reading.sentence;
        EXPECT_EQ(static_cast<int>(*reading.level) + 1, reading.claimed.level);
        EXPECT_TRUE(reading.sentence.ends_with("MiB.") || reading.sentence.ends_with("KiB."))
            << reading.sentence;
    }
}

TEST(LatencyLevels, AreReadOffACurveWithKnownSteps) {
    expect_usual_levels(curve_of(usual, 110e-9, 256 * mib));
    expect_usual_levels(curve_of(usual, 110e-9, 256 * mib, true, 3));
    expect_usual_levels(curve_of(usual, 110e-9, 512 * mib, false));
}

TEST(LatencyLevels, AreTheSameWithNoise) {
    for (unsigned seed = 1; seed <= 20; ++seed) {
        std::mt19937 random(seed);
        std::normal_distribution<double> noise(1, 0.02);
        std::vector<LatencyPoint> curve = curve_of(usual, 110e-9, 256 * mib, true, 2);
        for (LatencyPoint& point : curve) point.seconds *= noise(random);
        // And a neighbour that took the CPU for three of the points.
        for (const std::size_t at : {1u, 7u, 15u}) curve[at].seconds *= 4;
        SCOPED_TRACE(seed);
        expect_usual_levels(curve);
    }
}

TEST(LatencyLevels, OfAFlatCurveAreOneAndOfAPointNone) {
    EXPECT_EQ(latency_levels(curve_of({{1e12, 1e-9}}, 1e-7, 64 * mib)).size(), 1u);
    EXPECT_TRUE(latency_levels(std::vector<LatencyPoint>{{16 * kib, 1e-9}}).empty());
    EXPECT_TRUE(latency_levels({}).empty());
}

TEST(LatencyLevels, AStepOfTheTranslationCacheIsNoLevel) {
    std::vector<LatencyPoint> curve = curve_of(usual, 110e-9, 256 * mib);
    for (LatencyPoint& point : curve)
        if (point.bytes > 288 * kib && point.bytes <= mib) point.seconds *= 1.2;
    EXPECT_EQ(latency_levels(curve).size(), 4u);
}

TEST(CacheReadings, SayWhatIsClaimedBesideWhatTheCurveShows) {
    const std::vector<LatencyPoint> curve = {{16 * kib, 1e-9}, {32 * kib, 1e-9},  {48 * kib, 4e-9},
                                             {64 * kib, 4e-9}, {768 * kib, 4e-9}, {mib, 20e-9},
                                             {2 * mib, 20e-9}};
    const std::vector<CacheReading> readings = read_caches(curve, latency_levels(curve), claims);
    ASSERT_EQ(readings.size(), 3u);
    EXPECT_EQ(readings[0].sentence, "L1: claims 32 KiB, the curve steps between 32 KiB and 48 KiB.");
    EXPECT_EQ(readings[1].sentence, "L2: claims 1 MiB, the curve steps between 0.75 MiB and 1 MiB.");
    EXPECT_EQ(readings[2].sentence, "L3: claims 32 MiB, the curve has no step near it.");
    EXPECT_FALSE(readings[2].level);
}

TEST(CacheReadings, SayWhenACacheIsNotWhatIsClaimed) {
    // Others use the larger part of the last cache.
    std::vector<Cache> shared = usual;
    shared[2].bytes = 8.0 * mib;
    const std::vector<LatencyPoint> curve = curve_of(shared, 110e-9, 256 * mib);
    const std::vector<CacheReading> readings = read_caches(curve, latency_levels(curve), claims);
    ASSERT_TRUE(readings[2].level);
    EXPECT_THAT(readings[2].sentence, HasSubstr("not what is claimed"));
    EXPECT_TRUE(read_caches(curve, latency_levels(curve), {}).empty());
}

TEST(BinarySize, IsShort) {
    EXPECT_EQ(binary_size(100), "100 B");
    EXPECT_EQ(binary_size(16 * kib), "16 KiB");
    EXPECT_EQ(binary_size(512 * kib), "512 KiB");
    EXPECT_EQ(binary_size(768 * kib), "0.75 MiB");
    EXPECT_EQ(binary_size(2048 * mib), "2 GiB");
}

}  // namespace
}  // namespace assay
