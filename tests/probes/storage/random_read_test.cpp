#include <algorithm>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernels/cpu/affinity.h"
#include "probes/core/os/file_system.h"
#include "probes/core/os/mapping.h"
#include "probes/core/os/scratch_file.h"
#include "probes/storage/storage.h"
#include "probes/storage/target/block_pattern.h"
#include "probes/storage/target/extents.h"
#include "probes/storage/target/prepare.h"
#include "tests/probes/storage/storage_fixture.h"

namespace assay {
namespace {

using testing::AllOf;
using testing::AnyOf;
using testing::HasSubstr;
using testing::Not;

using StorageTest = test::StorageFixture;
using test::metric_named;
using test::overwrite;

TEST_F(StorageTest, MeasuresOnAScratchFileAndLeavesNothingBehind) {
    const Outcome outcome = run({});
    ASSERT_EQ(outcome.status, Status::measured) << outcome.reason;
    EXPECT_EQ(entries(), 0u);
    ASSERT_EQ(outcome.metrics.size(), 5u);
    for (const Metric& metric : outcome.metrics) {
        EXPECT_GT(metric.value, 0) << metric.name;
        EXPECT_EQ(metric.labels.at("queue_depth"), "4");
        if (metric.name.ends_with("device_busy")) continue;
        EXPECT_GE(metric.samples.size(), 20u) << metric.name;
    }
    const Metric* const iops = metric_named(outcome, "storage.random_read.iops");
    const Metric* const latency = metric_named(outcome, "storage.random_read.latency");
    const Metric* const bandwidth = metric_named(outcome, "storage.random_read.bandwidth");
    ASSERT_TRUE(iops != nullptr && latency != nullptr && bandwidth != nullptr);
    EXPECT_EQ(iops->statistic, Statistic::median);
    EXPECT_EQ(latency->statistic, Statistic::mean);
    ASSERT_TRUE(latency->histogram);
    // Bandwidth is the rate in bytes; a read takes longer than a disk's bus and less than a second.
    EXPECT_NEAR(bandwidth->value / iops->value, 4096, 1);
    EXPECT_GT(latency->value, 1e-7);
    EXPECT_LT(latency->value, 1);
    const Check* const little = find_check(outcome, "Little's law");
    ASSERT_NE(little, nullptr);
    EXPECT_TRUE(little->passed) << little->detail;
    const Check* const content = find_check(outcome, "content of a sample of the blocks");
    ASSERT_NE(content, nullptr);
    EXPECT_THAT(outcome.resolved.at("engine"), AnyOf("libaio", "io_uring"));
    EXPECT_THAT(outcome.resolved.at("engine_choice"), HasSubstr("tried"));
    EXPECT_EQ(outcome.resolved.at("size_bytes"), "16777216");
    EXPECT_EQ(outcome.resolved.at("batch"), "as they come back");
}

TEST_F(StorageTest, GivesEachJobACpuWhereThereAreEnoughAndSaysSo) {
    const std::size_t cpus = kernels::cpus_by_core().size();
    const Outcome enough = run({{"jobs", std::to_string(cpus)}, {"queue_depth", "1"}});
    ASSERT_EQ(enough.status, Status::measured) << enough.reason;
    EXPECT_EQ(std::ranges::count(enough.resolved.at("cpus"), ','), static_cast<std::ptrdiff_t>(cpus) - 1);
    const Outcome more = run({{"jobs", std::to_string(cpus + 1)}, {"queue_depth", "1"}});
    ASSERT_EQ(more.status, Status::measured) << more.reason;
    EXPECT_EQ(more.resolved.at("cpus"), "the scheduler's choice");
    // At depth 1 there is nothing to take together.
    EXPECT_EQ(more.resolved.at("batch"), "1");
}

TEST_F(StorageTest, GivesJobsOnSeveralTargetsACpuEachWhereThereAreEnoughForAll) {
    const std::size_t cpus = kernels::cpus_by_core().size();
    std::filesystem::create_directory(folder_ / "a");
    std::filesystem::create_directory(folder_ / "b");
    const auto pinned = [&](std::size_t jobs) {
        const Outcome outcome = run({{"target", (folder_ / "a").string() + "," + (folder_ / "b").string()},
                                     {"jobs", std::to_string(jobs)},
                                     {"queue_depth", "1"}});
        EXPECT_EQ(outcome.status, Status::measured) << outcome.reason;
        return outcome.resolved.at("cpus");
    };
    EXPECT_EQ(pinned(cpus / 2 + 1), "the scheduler's choice");
    if (cpus < 2) return;
    EXPECT_THAT(pinned(1), testing::MatchesRegex("[0-9]+; [0-9]+"));
}

TEST_F(StorageTest, ReadsEveryBlockSizeThatTheDeviceTakes) {
    for (const char* const block : {"4K", "12K", "64K"}) {
        const Outcome outcome = run({{"block_bytes", block}, {"queue_depth", "1"}});
        EXPECT_EQ(outcome.status, Status::measured) << block << ": " << outcome.reason;
    }
}

TEST_F(StorageTest, SharesThePreparedFileBetweenCases) {
    const os::FileDescriptor shared = os::make_nameless_file(folder_);
    context_.scratch = os::path_of(shared);
    const Outcome first = run({});
    ASSERT_EQ(first.status, Status::measured) << first.reason;
    EXPECT_THAT(first.resolved.at("preparation"), HasSubstr("written in full"));
    const Outcome second = run({{"seed", "2"}});
    ASSERT_EQ(second.status, Status::measured) << second.reason;
    EXPECT_THAT(second.resolved.at("preparation"), HasSubstr("found"));
    const Outcome larger = run({{"size", "24M"}});
    ASSERT_EQ(larger.status, Status::measured) << larger.reason;
    EXPECT_THAT(larger.resolved.at("preparation"), HasSubstr("completed by 8388608"));
    EXPECT_EQ(storage::sample_pattern(context_.scratch, 24 << 20, 200, 5), "");
    // With rot in it, it is written anew.
    overwrite(context_.scratch, 0, "rot");
    const Outcome anew = run({});
    EXPECT_THAT(anew.resolved.at("preparation"), HasSubstr("written in full"));
}

TEST_F(StorageTest, NeverWritesOverAFileThatIsNotItsOwn) {
    const std::filesystem::path precious = folder_ / "precious";
    std::ofstream(precious) << std::string(1 << 20, 'p');
    context_.scratch = precious;
    const Outcome outcome = run({});
    EXPECT_EQ(outcome.status, Status::failed);
    EXPECT_THAT(outcome.reason, HasSubstr("did not write"));
    std::ifstream file(precious);
    const std::string now((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    EXPECT_EQ(now, std::string(1 << 20, 'p'));
}

TEST_F(StorageTest, ReadsANamedFileWithoutChangingIt) {
    const std::filesystem::path path = written("target", 8 << 20);
    struct stat before {};
    ASSERT_EQ(::stat(path.c_str(), &before), 0);
    const Outcome outcome = run({{"target", path.string()}, {"size", "auto"}});
    ASSERT_EQ(outcome.status, Status::measured) << outcome.reason;
    EXPECT_EQ(outcome.resolved.at("size_bytes"), "8388608");
    struct stat after {};
    ASSERT_EQ(::stat(path.c_str(), &after), 0);
    EXPECT_EQ(before.st_mtim.tv_sec, after.st_mtim.tv_sec);
    EXPECT_EQ(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
    EXPECT_EQ(before.st_size, after.st_size);
    EXPECT_EQ(storage::sample_pattern(path, 8 << 20, 500, 1), "");
}

TEST_F(StorageTest, RefusesTargetsThatCannotBeMeasured) {
    EXPECT_THAT(refusal({{"target", "/nonexistent/file"}}),
                AllOf(HasSubstr("storage.random_read.target"), HasSubstr("/nonexistent/file"),
                      HasSubstr("accepted")));
    EXPECT_THAT(refusal({{"target", "/dev/null"}}), HasSubstr("neither a file, a block device nor a folder"));
    const std::filesystem::path path = written("target", 1 << 20);
    EXPECT_THAT(refusal({{"target", path.string()}, {"size", "2M"}}),
                AllOf(HasSubstr("2097152"), HasSubstr("1048576")));
    EXPECT_THAT(refusal({{"target", path.string()}, {"size", "8K"}}), HasSubstr("at least 16384"));
    EXPECT_EQ(refusal({{"target", path.string()}, {"size", "16K"}}), "accepted");
    EXPECT_THAT(refusal({{"target", path.string()}, {"size", "auto"}, {"block_bytes", "1000"}}),
                HasSubstr("multiples of"));
    if (::geteuid() != 0) {
        std::filesystem::permissions(path, std::filesystem::perms::none);
        EXPECT_THAT(refusal({{"target", path.string()}, {"size", "auto"}}), HasSubstr("cannot be read"));
    }
}

TEST_F(StorageTest, RefusesFileSystemsInMemory) {
    if (!std::filesystem::exists("/dev/shm") || os::file_system_of("/dev/shm").type != "tmpfs") {
        GTEST_SKIP() << "no tmpfs here";
    }
    context_.scratch = "/dev/shm";
    EXPECT_THAT(refusal({}), AllOf(HasSubstr("/dev/shm"), HasSubstr("tmpfs"), HasSubstr("in memory")));
    const os::FileDescriptor file = os::make_nameless_file("/dev/shm");
    ASSERT_EQ(::ftruncate(file.get(), 1 << 20), 0);
    EXPECT_THAT(refusal({{"target", os::path_of(file).string()}, {"size", "auto"}}), HasSubstr("in memory"));
}

TEST_F(StorageTest, RefusesAScratchFolderThatIsMissingOrReadOnly) {
    context_.scratch = folder_ / "nothing";
    EXPECT_THAT(refusal({}), AllOf(HasSubstr("scratch folder"), HasSubstr("nothing")));
    context_.scratch = "/sys";
    EXPECT_NE(refusal({}), "accepted");
    context_.scratch = "/dev/null";
    EXPECT_NE(refusal({}), "accepted");
}

TEST_F(StorageTest, RefusesAPlantedHoleAndUnwrittenExtents) {
    const std::filesystem::path path = written("holey", 4 << 20);
    const os::FileDescriptor file = os::open_file(path, O_RDWR);
    const storage::Extents whole = storage::read_extents(file, 4 << 20);
    if (!whole.known) GTEST_SKIP() << "this file system does not tell";
    EXPECT_TRUE(whole.complete());
    EXPECT_EQ(whole.written_bytes, 4u << 20);
    EXPECT_EQ(refusal({{"target", path.string()}, {"size", "auto"}}), "accepted");

    ASSERT_EQ(::fallocate(file.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 1 << 20, 4096), 0);
    EXPECT_EQ(storage::read_extents(file, 4 << 20).hole_bytes, 4096u);
    EXPECT_THAT(refusal({{"target", path.string()}, {"size", "auto"}}),
                AllOf(HasSubstr("never written"), HasSubstr("4096 bytes of holes")));
    EXPECT_EQ(refusal({{"target", path.string()}, {"size", "1M"}}), "accepted") << "the hole lies behind";

    // Reserved but not written, inside and at the end.
    ASSERT_EQ(::fallocate(file.get(), 0, 1 << 20, 4096), 0);
    ASSERT_EQ(::fallocate(file.get(), 0, 4 << 20, 1 << 20), 0);
    const storage::Extents reserved = storage::read_extents(file, 5 << 20);
    EXPECT_EQ(reserved.unwritten_bytes, 4096u + (1u << 20));
    EXPECT_EQ(reserved.hole_bytes, 0u);
    EXPECT_NE(refusal({{"target", path.string()}, {"size", "auto"}}), "accepted");

    // A file that ends in a hole.
    ASSERT_EQ(::ftruncate(file.get(), 0), 0);
    ASSERT_EQ(::ftruncate(file.get(), 1 << 20), 0);
    EXPECT_EQ(storage::read_extents(file, 1 << 20).hole_bytes, 1u << 20);
}

TEST_F(StorageTest, FindsZerosThatADeviceNeedNotRead) {
    const std::filesystem::path path = folder_ / "zeros";
    std::ofstream(path) << std::string(8 << 20, '\0');
    const os::FileDescriptor file = os::open_file(path, O_RDONLY);
    ASSERT_EQ(::fsync(file.get()), 0);
    const Outcome outcome = run({{"target", path.string()}, {"size", "auto"}});
    EXPECT_EQ(outcome.status, Status::failed);
    EXPECT_THAT(outcome.reason, HasSubstr("zeros"));
    EXPECT_FALSE(outcome.metrics.empty()) << "the figures are kept";
}

TEST_F(StorageTest, SkipsWithTheArithmeticWhereTheScratchFileWouldFillTheDisk) {
    const std::uint64_t free_bytes = os::file_system_of(folder_).free_bytes;
    const Outcome outcome = run({{"size", std::to_string(free_bytes / 4096 * 4096)}});
    EXPECT_EQ(outcome.status, Status::skipped);
    EXPECT_THAT(outcome.reason, AllOf(HasSubstr("half"), HasSubstr("free"), HasSubstr(folder_.string())));
    EXPECT_EQ(entries(), 0u);
}

TEST_F(StorageTest, SkipsWhereTheUserMayNotWriteFilesThatLarge) {
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
    rlimit limited = before;
    limited.rlim_cur = 1 << 20;
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limited), 0);
    const Outcome outcome = run({});
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
    EXPECT_EQ(outcome.status, Status::skipped);
    EXPECT_THAT(outcome.reason, HasSubstr("ulimit"));
}

}  // namespace
}  // namespace assay
