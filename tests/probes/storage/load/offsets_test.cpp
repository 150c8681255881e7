#include "probes/storage/load/offsets.h"

#include <cmath>
#include <mutex>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "tests/probes/storage/load/load_fixture.h"

namespace assay::storage {
namespace {

TEST(Offsets, AreUniformOverTheRange) {
    constexpr std::uint64_t blocks = 1000;
    constexpr int draws = 1'000'000;
    for (const std::uint64_t seed : {1ULL, 2ULL, 3ULL}) {
        Offsets offsets(Order::random, {500, 500 + blocks}, seed, 7);
        std::vector<double> counts(blocks, 0);
        for (int i = 0; i < draws; ++i) {
            const std::uint64_t block = offsets.next();
            ASSERT_GE(block, 500u);
            ASSERT_LT(block, 500u + blocks);
            ++counts[block - 500];
        }
        const double expected = static_cast<double>(draws) / blocks;
        double chi_squared = 0;
        for (const double count : counts) chi_squared += (count - expected) * (count - expected) / expected;
        // 999 degrees of freedom: mean 999, standard deviation 44.7; five of them either way.
        EXPECT_NEAR(chi_squared, 999, 5 * 44.7) << "seed " << seed;
    }
}

TEST(Offsets, OfNeighboursAreNotCorrelated) {
    Offsets offsets(Order::random, {0, 1 << 20}, 1, 0);
    constexpr int draws = 200'000;
    const double mean = ((1 << 20) - 1) / 2.0;
    double products = 0;
    double squares = 0;
    double last = static_cast<double>(offsets.next()) - mean;
    for (int i = 0; i < draws; ++i) {
        const double next = static_cast<double>(offsets.next()) - mean;
        products += last * next;
        squares += next * next;
        last = next;
    }
    EXPECT_LT(std::abs(products / squares), 5 / std::sqrt(static_cast<double>(draws)));
}

TEST(Offsets, ReachEveryBlockOfARange) {
    Offsets offsets(Order::random, {3, 67}, 1, 1);
    std::set<std::uint64_t> seen;
    for (int i = 0; i < 64 * 20; ++i) seen.insert(offsets.next());
    EXPECT_EQ(seen.size(), 64u);
    EXPECT_EQ(*seen.begin(), 3u);
    EXPECT_EQ(*seen.rbegin(), 66u);
}

TEST(Offsets, DifferFromStreamToStreamAndComeAgainWithTheSeed) {
    Offsets one(Order::random, {0, 1 << 30}, 1, 0), again(Order::random, {0, 1 << 30}, 1, 0),
        stream(Order::random, {0, 1 << 30}, 1, 1), seed(Order::random, {0, 1 << 30}, 2, 0);
    int alike = 0;
    for (int i = 0; i < 1000; ++i) {
        const std::uint64_t block = one.next();
        EXPECT_EQ(block, again.next());
        alike += block == stream.next() ? 1 : 0;
        alike += block == seed.next() ? 1 : 0;
    }
    EXPECT_LT(alike, 3);
}

TEST(Offsets, InOrderGoRoundAgain) {
    Offsets offsets(Order::sequential, {10, 13}, 1, 0);
    for (const std::uint64_t expected : {10ULL, 11ULL, 12ULL, 10ULL, 11ULL, 12ULL, 10ULL})
        EXPECT_EQ(offsets.next(), expected);
}

/// Which blocks of the file each job wrote, told from what lies on the disk: generations of a job are its own
/// number apart.
class JobRanges : public LoadFixture {
  protected:
    /// Blocks that are not as they were prepared.
    std::set<std::uint64_t> changed(std::uint64_t blocks) const {
        std::set<std::uint64_t> numbers;
        for (std::uint64_t block = 0; block < blocks; ++block) {
            const std::vector<std::byte> content = on_disk(block);
            if (generation_of(std::span(content).first<pattern_bytes>()) != 0) numbers.insert(block);
        }
        return numbers;
    }
};

TEST_F(JobRanges, OfWritersCoverTheSpanAndNothingElse) {
    options_.read_share = 0;
    options_.jobs = 3;
    options_.queue_depth = 2;
    options_.targets[0].span_bytes = 100 * pattern_bytes;  // does not divide by three
    for (const Order order : {Order::random, Order::sequential}) {
        file_ = make_written(file_bytes);
        options_.targets[0].open = target_of(file_, 0).open;
        options_.order = order;
        Load load(options_);
        count_at_least(load, 5000);
        EXPECT_EQ(load.stop().wrong, 0u) << "writers in each other's part would be found";
        const std::set<std::uint64_t> written = changed(120);
        EXPECT_EQ(written.size(), 100u);
        EXPECT_EQ(*written.rbegin(), 99u);
    }
}

TEST_F(JobRanges, OfReadersInOrderAreEachJobsOwn) {
    // A job that reads in order begins with its own part: the first reads of four jobs lie in four parts. The
    // file ends after three of them, so that one job, and only one, must fail.
    options_.order = Order::sequential;
    options_.jobs = 4;
    options_.queue_depth = 1;
    options_.targets[0].span_bytes = file_bytes;
    ASSERT_EQ(::ftruncate(file_.get(), file_bytes / 4 * 3), 0);
    std::string first_failure;
    try {
        Load load(options_);
        count_at_least(load, 100000);
    } catch (const std::runtime_error& error) {
        first_failure = error.what();
    }
    EXPECT_NE(first_failure.find("at 3145728 of the file returned only 0"), std::string::npos)
        << first_failure;
}

}  // namespace
}  // namespace assay::storage
