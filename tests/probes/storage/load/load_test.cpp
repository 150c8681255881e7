#include "probes/storage/load/load.h"

#include <algorithm>
#include <set>
#include <string>
#include <system_error>
#include <vector>

#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernels/cpu/affinity.h"
#include "probes/core/os/sysfs.h"
#include "probes/core/os/text.h"
#include "probes/storage/load/evidence.h"
#include "tests/probes/storage/load/load_fixture.h"

namespace assay::storage {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

using LoadTest = LoadFixture;

TEST_F(LoadTest, CountsEveryReadOnceAcrossSlices) {
    Load load(options_);
    std::uint64_t operations = 0;
    std::vector<LoadSlice> slices;
    for (int i = 0; i < 5; ++i) {
        wait();
        slices.push_back(load.next_slice());
        const LoadSlice& slice = slices.back();
        operations += slice.operations;
        EXPECT_EQ(slice.read_latency.count(), slice.operations);
        EXPECT_GT(slice.rate, 0);
        // The rate is of this slice's own length: not of two slices, not of half of one.
        EXPECT_LT(static_cast<double>(slice.operations) / slice.rate, 2.0);
        EXPECT_GT(static_cast<double>(slice.operations) / slice.rate, 0.01);
        EXPECT_NEAR(slice.seconds, static_cast<double>(slice.operations) / slice.rate, slice.seconds / 2);
        EXPECT_GT(slice.in_flight_seconds / slice.seconds, 4);
        EXPECT_LE(slice.in_flight_seconds / slice.seconds, 8.0001);
    }
    const Verification all = load.stop();
    EXPECT_GE(all.operations, operations);
    EXPECT_LE(all.operations, operations + operations / 2 + 1000) << "the reads after the last slice";
    EXPECT_EQ(all.wrong, 0u);
    EXPECT_TRUE(little_check(slices).passed) << little_check(slices).detail;
}

TEST_F(LoadTest, HoldsLittlesLawInEverySliceHoweverShort) {
    options_.queue_depth = 16;
    for (const int batch : {LoadOptions::as_they_come, 1, 4}) {
        options_.batch = batch;
        Load load(options_);
        wait();
        for (int i = 0; i < 50; ++i) {
            const LoadSlice slice = load.next_slice();
            // As exact as the clock: no tolerance hides a count that is wrong by one.
            ASSERT_NEAR(little_check({slice}).error.value_or(1), 0, 1e-6) << little_check({slice}).detail;
        }
        load.stop();
    }
}

TEST_F(LoadTest, KeepsOneReadInFlightAtDepthOne) {
    options_.queue_depth = 1;
    options_.jobs = 1;
    Load load(options_);
    wait();
    load.next_slice();
    wait();
    const LoadSlice slice = load.next_slice();
    EXPECT_GT(slice.in_flight_seconds / slice.seconds, 0.5);
    EXPECT_LE(slice.in_flight_seconds / slice.seconds, 1.0001);
    load.stop();
}

TEST_F(LoadTest, FindsACorruptedBlock) {
    options_.targets[0].span_bytes = pattern_bytes;  // all reads are of the one block
    options_.queue_depth = 1;
    ASSERT_EQ(::pwrite(file_.get(), "x", 1, 2000), 1);
    ASSERT_EQ(::fsync(file_.get()), 0);
    EXPECT_THAT(sample_pattern(os::path_of(file_), file_bytes, 2, 1), HasSubstr("block 0 is corrupted"));
    Load load(options_);
    Verification all;
    for (int i = 0; i < 40; ++i) {
        wait();
        if (load.next_slice().operations > 0 && i >= 10) break;
    }
    all = load.stop();
    ASSERT_GT(all.verified, 0u);
    EXPECT_EQ(all.wrong, all.verified);
    EXPECT_EQ(all.first_wrong_offset, 0u);
    const Check check = content_check(all);
    EXPECT_FALSE(check.passed);
    EXPECT_THAT(check.detail, HasSubstr("the first at byte 0"));
}

TEST_F(LoadTest, FindsABlockOfAnotherSeed) {
    options_.targets[0].span_bytes = pattern_bytes;  // all reads are of the one block
    options_.queue_depth = 1;
    std::vector<std::byte> block(pattern_bytes);
    fill_block(std::span(block).first<pattern_bytes>(), 2, 0);
    put_on_disk(0, block);
    Load load(options_);
    count_at_least(load, 1000);
    const Verification all = load.stop();
    ASSERT_GT(all.verified, 0u);
    EXPECT_EQ(all.wrong, all.verified);
}

TEST_F(LoadTest, TellsTheSettingsOfEveryTargetsEngines) {
    options_.engine = EngineKind::io_uring;
    options_.targets.push_back(options_.targets[0]);
    options_.targets[1].name = "the polled one";
    options_.targets[1].polled = true;
    Load load(options_);
    count_at_least(load, 1);
    load.stop();
    // Whether the disk has poll queues or not: one of the two targets was asked for them.
    std::vector<std::string> told = load.engine_flags();
    for (const std::string& refused : load.engine_refused()) told.push_back(refused);
    EXPECT_THAT(told, Contains(AllOf(StartsWith("polled completion"),
                                     EndsWith(" (2 of 4 jobs, on the polled one)"))));
    EXPECT_THAT(told, Contains("registered file")) << "what all have, once and without a number";
    EXPECT_EQ(std::set<std::string>(told.begin(), told.end()).size(), told.size());
}

TEST_F(LoadTest, FailsWhenTheFileIsTruncatedUnderIt) {
    Load load(options_);
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

TEST_F(LoadTest, ReadsTheWholeSpanAndNothingBeyond) {
    // Blocks behind the span are rotten: a read of one of them would be found.
    options_.targets[0].span_bytes = file_bytes / 2;
    options_.jobs = 1;
    ASSERT_EQ(::ftruncate(file_.get(), file_bytes / 2), 0);
    Load load(options_);
    wait();
    wait();
    EXPECT_GT(load.next_slice().operations, 0u);
    EXPECT_NO_THROW(load.stop());
}

TEST(PinnedCpus, GiveNoCpuTwiceAndEachTargetItsNearestInTurns) {
    LoadOptions options;
    options.targets.resize(2);
    options.targets[0].cpus = {0, 1, 2, 3};
    options.targets[1].cpus = {0, 1, 2, 3};
    options.jobs = 2;
    EXPECT_THAT(pinned_cpus(options), ElementsAre(ElementsAre(0, 2), ElementsAre(1, 3)));
    options.targets[1].cpus = {2, 3, 0, 1};  // another node's
    EXPECT_THAT(pinned_cpus(options), ElementsAre(ElementsAre(0, 1), ElementsAre(2, 3)));
    options.jobs = 3;
    EXPECT_TRUE(pinned_cpus(options).empty()) << "six jobs, four CPUs";
    options.targets.resize(1);
    EXPECT_THAT(pinned_cpus(options), ElementsAre(ElementsAre(0, 1, 2)));
    options.targets[0].cpus = {};
    EXPECT_TRUE(pinned_cpus(options).empty());
}

TEST_F(LoadTest, RunsEachJobOnTheCpuThatItWasGiven) {
    const std::vector<int> cpus = kernels::cpus_by_core();
    options_.targets.push_back(options_.targets[0]);
    for (LoadTarget& target : options_.targets) target.cpus = cpus;
    options_.jobs = 1;
    Load load(options_);
    count_at_least(load, 100);
    std::vector<std::vector<int>> bound;
    for (const std::filesystem::directory_entry& thread :
         std::filesystem::directory_iterator("/proc/self/task")) {
        const std::string status = os::read_text(thread.path() / "status").value_or("");
        const std::size_t at = status.find("Cpus_allowed_list:");
        if (at == std::string::npos) continue;
        bound.push_back(os::parse_cpu_list(status.substr(at + 19, status.find('\n', at) - at - 19)));
    }
    load.stop();
    const auto only_on = [&](int cpu) {
        return std::count(bound.begin(), bound.end(), std::vector<int>{cpu});
    };
    if (cpus.size() < 2) {
        EXPECT_THAT(pinned_cpus(options_), IsEmpty());
    } else {
        EXPECT_EQ(only_on(cpus[0]), 1);
        EXPECT_EQ(only_on(cpus[1]), 1);
    }
}

TEST(LittleCheck, FailsWhenTheThreeFiguresDisagree) {
    LoadSlice slice;
    slice.seconds = 0.1;
    slice.read_latency.record(4'000'000, 100);  // 100 reads of 4 ms in 0.1 s: 4 in flight
    slice.in_flight_seconds = 0.4;
    // Slices of unequal length count by their length.
    LoadSlice longer = slice;
    longer.seconds = 0.4;
    longer.in_flight_seconds = 0.4;
    EXPECT_TRUE(little_check({slice, slice, longer}).passed);
    slice.in_flight_seconds = 0.43;
    EXPECT_FALSE(little_check({slice, slice}).passed);
    slice.in_flight_seconds = 0.37;
    EXPECT_FALSE(little_check({slice, slice}).passed);
    slice.carried_seconds = -0.03;  // what had been in flight before, and stands in the latencies
    EXPECT_TRUE(little_check({slice, slice}).passed);
    slice.carried_seconds = 0.03;
    EXPECT_FALSE(little_check({slice, slice}).passed);
    slice.in_flight_seconds = 0;
    EXPECT_FALSE(little_check({slice}).passed);
    EXPECT_FALSE(little_check({}).passed);
}

TEST(ContentCheck, PassesOnlyWhatWasReallyCompared) {
    Verification verification;
    verification.operations = 100;
    EXPECT_FALSE(content_check(verification).passed);
    verification.verified = 5;
    EXPECT_TRUE(content_check(verification).passed);
    verification.wrong = 1;
    verification.first_wrong_offset = 8192;
    verification.first_wrong_target = "the disk";
    EXPECT_FALSE(content_check(verification).passed);
    EXPECT_THAT(content_check(verification).detail, HasSubstr("byte 8192 of the disk"));
}

}  // namespace
}  // namespace assay::storage
