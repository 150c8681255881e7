#include <string>

#include <sys/resource.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/core/os/scratch_file.h"
#include "probes/storage/storage.h"
#include "probes/storage/target/prepare.h"
#include "tests/probes/storage/loop_mount.h"
#include "tests/probes/storage/storage_fixture.h"

namespace assay {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class CheckpointTest : public test::StorageFixture {
  protected:
    CheckpointTest() : StorageFixture(storage_checkpoint_probe()) {}
};

TEST_F(CheckpointTest, MeasuresWritingAndReadingBackAndLeavesNothingBehind) {
    for (const char* const path : {"direct", "buffered"}) {
        const Outcome outcome = run({{"path", path}});
        ASSERT_EQ(outcome.status, Status::measured) << outcome.reason;
        EXPECT_EQ(entries(), 0u);
        ASSERT_EQ(outcome.metrics.size(), 5u);
        for (const Metric& metric : outcome.metrics) {
            EXPECT_GT(metric.value, 0) << metric.name;
            EXPECT_EQ(metric.summary.interval_method, "range of 2");
        }
        for (std::size_t i = 0; i < 2; ++i) {
            EXPECT_NEAR(outcome.metrics[0].samples[i] * outcome.metrics[1].samples[i], 8 << 20, 1);
            EXPECT_LE(outcome.metrics[2].samples[i], outcome.metrics[0].samples[i])
                << "one shard longer than all";
        }
        EXPECT_TRUE(find_check(outcome, "every block reads back as written")->passed);
        EXPECT_THAT(find_check(outcome, "every block reads back as written")->detail,
                    HasSubstr("of 4096 blocks"));
    }
}

TEST_F(CheckpointTest, InARunWritesBesideTheSharedFileAndNeverIntoIt) {
    const os::FileDescriptor shared = os::make_nameless_file(folder_);
    storage::write_pattern(os::path_of(shared), 0, 8 << 20, 5, [](double) {});
    context_.scratch = os::path_of(shared);
    const Outcome outcome = run({});
    ASSERT_EQ(outcome.status, Status::measured) << outcome.reason;
    EXPECT_EQ(storage::sample_pattern(os::path_of(shared), 8 << 20, 2000, 5), "");
    EXPECT_EQ(entries(), 0u);
}

TEST_F(CheckpointTest, RefusesWhatItMustNotOrCannotWriteTo) {
    EXPECT_EQ(refusal({{"target", folder_.string()}}), "accepted");
    EXPECT_THAT(refusal({{"target", "/dev/null"}}), HasSubstr("is no folder"));
    EXPECT_THAT(refusal({{"target", "/dev/vda"}}), HasSubstr("is no folder"));
    EXPECT_THAT(refusal({{"target", (folder_ / "none").string()}}), HasSubstr("is no folder"));
    EXPECT_THAT(refusal({{"bytes", "8K"}, {"shards", "3"}}), HasSubstr("accepted: at least 12288"));
    EXPECT_THAT(refusal({{"block_bytes", "5000"}}), HasSubstr("multiples of 4096"));
    if (!std::filesystem::exists("/dev/shm") || !os::file_system_of("/dev/shm").in_memory) GTEST_SKIP();
    EXPECT_THAT(refusal({{"target", "/dev/shm"}}), HasSubstr("in memory"));
}

TEST_F(CheckpointTest, TooLargeForTheDiskIsSkippedWithTheArithmetic) {
    const LoopMount mount(folder_);
    if (!mount.mounted()) GTEST_SKIP() << "this user cannot mount an image";
    const Outcome outcome = run({{"target", mount.point().string()}, {"bytes", "1G"}});
    EXPECT_EQ(outcome.status, Status::skipped);
    EXPECT_THAT(outcome.reason, HasSubstr("needs 1073741824 bytes"));
}

}  // namespace
}  // namespace assay
