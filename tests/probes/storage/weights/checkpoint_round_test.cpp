#include "probes/storage/weights/checkpoint_round.h"

#include <cerrno>
#include <set>
#include <string>

#include <sys/stat.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/core/os/page_cache.h"
#include "tests/probes/storage/disk_folder.h"
#include "tests/probes/storage/loop_mount.h"

namespace assay::storage {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr std::uint64_t mebibyte = 1 << 20;

CheckpointOptions options_in(const std::filesystem::path& folder) {
    CheckpointOptions options;
    options.folder = folder;
    options.shard_bytes = {3 * mebibyte + 4096, mebibyte, 2 * mebibyte};
    options.writers = 2;
    options.block_bytes = 256 << 10;
    return options;
}

class CheckpointRoundTest : public DiskFolderTest {
  protected:
    SteadyClock clock_;
};

TEST_F(CheckpointRoundTest, ReadsBackWhatItWroteAndHasNoNames) {
    for (const bool direct : {true, false}) {
        CheckpointOptions options = options_in(folder_);
        options.direct = direct;
        CheckpointData data(options);
        CheckpointRound round(options, data, 0);
        const CheckpointWriteTimes times = round.write(clock_);
        EXPECT_GT(times.slowest_shard_seconds, 0);
        EXPECT_LE(times.slowest_shard_seconds, times.seconds);
        EXPECT_LE(times.longest_fsync_seconds, times.slowest_shard_seconds);
        EXPECT_EQ(entries(), 0u);
        for (std::size_t i = 0; i < round.files().size(); ++i) {
            struct stat status {};
            ASSERT_EQ(::fstat(round.files()[i].get(), &status), 0);
            EXPECT_EQ(static_cast<std::uint64_t>(status.st_size), options.shard_bytes[i]);
        }
        EXPECT_EQ(round.make_cold(), 0);
        const CheckpointReadBack read = round.read_back(clock_);
        EXPECT_EQ(read.blocks, options.bytes() / 4096);
        EXPECT_EQ(read.wrong_blocks, 0u);
        EXPECT_EQ(read.first_wrong, "");
    }
}

TEST_F(CheckpointRoundTest, FindsOneWrongByteAndNamesItsBlock) {
    const CheckpointOptions options = options_in(folder_);
    CheckpointData data(options);
    // In the data, and in the stamp.
    for (const std::uint64_t at : {2 * mebibyte + 8192 + 1234, 2 * mebibyte + 8192 + 3}) {
        CheckpointRound round(options, data, 0);
        round.write(clock_);
        char byte = 0;
        ASSERT_EQ(::pread(round.files()[0].get(), &byte, 1, static_cast<off_t>(at)), 1);
        byte = static_cast<char>(byte ^ 1);
        ASSERT_EQ(::pwrite(round.files()[0].get(), &byte, 1, static_cast<off_t>(at)), 1);
        round.make_cold();
        const CheckpointReadBack read = round.read_back(clock_);
        EXPECT_EQ(read.wrong_blocks, 1u);
        EXPECT_EQ(read.first_wrong, "byte 2105344 of shard 1");
    }
}

TEST_F(CheckpointRoundTest, TakesNeitherAnotherShardNorAnEarlierRoundForItsOwn) {
    const CheckpointOptions options = options_in(folder_);
    CheckpointData data(options);
    CheckpointRound earlier(options, data, 0);
    earlier.write(clock_);
    CheckpointRound round(options, data, 1);
    round.write(clock_);
    std::string block(4096, '\0');
    // The same place in the earlier round; then the same round's other shard.
    ASSERT_EQ(::pread(earlier.files()[1].get(), block.data(), block.size(), 0), 4096);
    ASSERT_EQ(::pwrite(round.files()[1].get(), block.data(), block.size(), 0), 4096);
    ASSERT_EQ(::pread(round.files()[0].get(), block.data(), block.size(), 4096), 4096);
    ASSERT_EQ(::pwrite(round.files()[2].get(), block.data(), block.size(), 4096), 4096);
    round.make_cold();
    EXPECT_EQ(round.read_back(clock_).wrong_blocks, 2u);
}

TEST_F(CheckpointRoundTest, WritesNoBlockTwice) {
    CheckpointOptions options = options_in(folder_);
    // Longer than the data that are made: what comes again must differ all the same.
    options.shard_bytes = {20 * mebibyte, 4096};
    CheckpointData data(options);
    std::set<std::string> blocks;
    std::size_t count = 0;
    for (std::uint64_t at = 0; at < options.shard_bytes[0]; at += options.block_bytes, ++count) {
        const std::span<const std::byte> bytes = data.at(0, 0, at, 4096, 0);
        blocks.emplace(reinterpret_cast<const char*>(bytes.data()), 64);
    }
    EXPECT_EQ(blocks.size(), count);
}

TEST_F(CheckpointRoundTest, OnAFullDiskFailsClearlyAndLeavesNothing) {
    const LoopMount mount(folder_);
    if (!mount.mounted()) GTEST_SKIP() << "this user cannot mount an image";
    const std::uint64_t free_before = os::file_system_of(mount.point()).free_bytes;
    for (const bool direct : {true, false}) {
        CheckpointOptions options = options_in(mount.point());
        options.shard_bytes = {16 * mebibyte, 16 * mebibyte};
        options.direct = direct;
        CheckpointData data(options);
        CheckpointRound round(options, data, 0);
        try {
            round.write(clock_);
            ADD_FAILURE() << "32 MiB fitted into 16";
        } catch (const std::system_error& error) {
            EXPECT_EQ(error.code().value(), ENOSPC);
            EXPECT_THAT(error.what(), AllOf(HasSubstr("checkpoint's shard"), HasSubstr("at byte")));
        }
    }
    EXPECT_EQ(os::file_system_of(mount.point()).free_bytes, free_before);
}

}  // namespace
}  // namespace assay::storage
