#include "probes/storage/load/read_load.h"

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/core/os/file_system.h"
#include "probes/core/os/scratch_file.h"
#include "probes/storage/load/evidence.h"
#include "probes/storage/target/block_pattern.h"
#include "probes/storage/target/prepare.h"

namespace assay::storage {
namespace {

using testing::HasSubstr;

constexpr std::uint64_t file_bytes = 4 << 20;

class ReadLoadTest : public testing::Test {
  protected:
    void SetUp() override {
        if (os::file_system_of(std::filesystem::current_path()).in_memory) {
            GTEST_SKIP() << "the working folder is in memory";
        }
        file_ = os::make_nameless_file(std::filesystem::current_path());
        options_.path = os::path_of(file_);
        options_.span_bytes = file_bytes;
        options_.queue_depth = 4;
        options_.jobs = 2;
        options_.pattern_seed = 1;
        write_pattern(options_.path, 0, file_bytes, 1, [](double) {});
    }
    static void wait() { std::this_thread::sleep_for(std::chrono::milliseconds(50)); }

    os::FileDescriptor file_;
    ReadLoadOptions options_;
};

TEST_F(ReadLoadTest, CountsEveryReadOnceAcrossSlices) {
    ReadLoad load(options_);
    std::uint64_t reads = 0;
    std::vector<ReadSlice> slices;
    for (int i = 0; i < 5; ++i) {
        wait();
        slices.push_back(load.next_slice());
        const ReadSlice& slice = slices.back();
        reads += slice.reads;
        EXPECT_EQ(slice.latency.count(), slice.reads);
        EXPECT_GT(slice.rate, 0);
        // The rate is of this slice's own length: not of two slices, not of half of one.
        EXPECT_LT(static_cast<double>(slice.reads) / slice.rate, 2.0);
        EXPECT_GT(static_cast<double>(slice.reads) / slice.rate, 0.01);
        EXPECT_NEAR(slice.seconds, static_cast<double>(slice.reads) / slice.rate, slice.seconds / 2);
        EXPECT_GT(slice.in_flight_seconds / slice.seconds, 4);
        EXPECT_LE(slice.in_flight_seconds / slice.seconds, 8.0001);
    }
    const ReadVerification all = load.stop();
    EXPECT_GE(all.reads, reads);
    EXPECT_LE(all.reads, reads + reads / 2 + 1000) << "the reads after the last slice";
    EXPECT_EQ(all.wrong, 0u);
    EXPECT_TRUE(little_check(slices).passed) << little_check(slices).detail;
}

TEST_F(ReadLoadTest, KeepsOneReadInFlightAtDepthOne) {
    options_.queue_depth = 1;
    options_.jobs = 1;
    ReadLoad load(options_);
    wait();
    load.next_slice();
    wait();
    const ReadSlice slice = load.next_slice();
    EXPECT_GT(slice.in_flight_seconds / slice.seconds, 0.5);
    EXPECT_LE(slice.in_flight_seconds / slice.seconds, 1.0001);
    load.stop();
}

TEST_F(ReadLoadTest, FindsACorruptedBlock) {
    options_.span_bytes = pattern_bytes;  // all reads are of the one block
    options_.queue_depth = 1;
    ASSERT_EQ(::pwrite(file_.get(), "x", 1, 2000), 1);
    ASSERT_EQ(::fsync(file_.get()), 0);
    EXPECT_THAT(sample_pattern(options_.path, file_bytes, 2, 1), HasSubstr("block 0 is corrupted"));
    ReadLoad load(options_);
    ReadVerification all;
    for (int i = 0; i < 40; ++i) {
        wait();
        if (load.next_slice().reads > 0 && i >= 10) break;
    }
    all = load.stop();
    ASSERT_GT(all.verified, 0u);
    EXPECT_EQ(all.wrong, all.verified);
    EXPECT_EQ(all.first_wrong_offset, 0u);
    const Check check = content_check(all);
    EXPECT_FALSE(check.passed);
    EXPECT_THAT(check.detail, HasSubstr("the first at byte 0"));
}

TEST_F(ReadLoadTest, FailsWhenTheFileIsTruncatedUnderIt) {
    ReadLoad load(options_);
    wait();
    load.next_slice();
    ASSERT_EQ(::ftruncate(file_.get(), file_bytes / 2), 0);
    try {
        for (int i = 0; i < 100; ++i) {
            wait();
            load.next_slice();
        }
        ADD_FAILURE() << "nothing was noticed";
    } catch (const std::exception& error) {
        EXPECT_THAT(error.what(), HasSubstr("returned only 0"));
    }
    EXPECT_THROW(load.stop(), std::runtime_error);
}

TEST_F(ReadLoadTest, ReadsTheWholeSpanAndNothingBeyond) {
    // Blocks behind the span are rotten: a read of one of them would be found.
    options_.span_bytes = file_bytes / 2;
    options_.jobs = 1;
    ASSERT_EQ(::ftruncate(file_.get(), file_bytes / 2), 0);
    ReadLoad load(options_);
    wait();
    wait();
    EXPECT_GT(load.next_slice().reads, 0u);
    EXPECT_NO_THROW(load.stop());
}

TEST(LittleCheck, FailsWhenTheThreeFiguresDisagree) {
    ReadSlice slice;
    slice.seconds = 0.1;
    slice.latency.record(4'000'000, 100);  // 100 reads of 4 ms in 0.1 s: 4 in flight
    slice.in_flight_seconds = 0.4;
    // Slices of unequal length count by their length.
    ReadSlice longer = slice;
    longer.seconds = 0.4;
    longer.in_flight_seconds = 0.4;
    EXPECT_TRUE(little_check({slice, slice, longer}).passed);
    slice.in_flight_seconds = 0.43;
    EXPECT_FALSE(little_check({slice, slice}).passed);
    slice.in_flight_seconds = 0.37;
    EXPECT_FALSE(little_check({slice, slice}).passed);
    slice.in_flight_seconds = 0;
    EXPECT_FALSE(little_check({slice}).passed);
    EXPECT_FALSE(little_check({}).passed);
}

TEST(ContentCheck, PassesOnlyWhatWasReallyCompared) {
    EXPECT_FALSE(content_check({100, 0, 0, {}}).passed);
    EXPECT_TRUE(content_check({100, 5, 0, {}}).passed);
    EXPECT_FALSE(content_check({100, 5, 1, 8192}).passed);
}

}  // namespace
}  // namespace assay::storage
