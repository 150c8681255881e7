// What needs a file system of its own: a small image behind a loop device. Only where the user may mount.

#include <cerrno>
#include <filesystem>
#include <string>
#include <system_error>

#include <sys/stat.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/core/os/block_device.h"
#include "probes/core/os/file_system.h"
#include "probes/core/os/scratch_file.h"
#include "probes/storage/storage.h"
#include "probes/storage/target/prepare.h"
#include "tests/probes/storage/loop_mount.h"

namespace assay {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TEST(LoopDevice, WithAFullDiskEndsThePreparationAndLeavesNothing) {
    const LoopMount mount(std::filesystem::current_path());
    if (!mount.mounted()) GTEST_SKIP() << "this user cannot mount an image";
    const std::uint64_t free_before = os::file_system_of(mount.point()).free_bytes;
    {
        const os::FileDescriptor file = os::make_nameless_file(mount.point());
        try {
            storage::write_pattern(os::path_of(file), 0, 64 << 20, 1, [](double) {});
            ADD_FAILURE() << "64 MiB fitted into 16";
        } catch (const std::system_error& error) {
            EXPECT_EQ(error.code().value(), ENOSPC);
            EXPECT_THAT(error.what(), AllOf(HasSubstr("scratch file"), HasSubstr("67108864")));
        }
    }
    EXPECT_EQ(os::file_system_of(mount.point()).free_bytes, free_before);
}

TEST(LoopDevice, IsFollowedDownToTheDiskThatHoldsItsFile) {
    const LoopMount mount(std::filesystem::current_path());
    if (!mount.mounted()) GTEST_SKIP() << "this user cannot mount an image";
    struct stat inside {};
    struct stat outside {};
    ASSERT_EQ(::stat(mount.point().c_str(), &inside), 0);
    ASSERT_EQ(::stat(std::filesystem::current_path().c_str(), &outside), 0);
    const std::optional<os::BlockDevice> loop = os::block_device_of(inside.st_dev);
    const std::optional<os::BlockDevice> disk = os::block_device_of(outside.st_dev);
    ASSERT_TRUE(loop);
    EXPECT_THAT(loop->name, HasSubstr("loop"));
    if (!disk) GTEST_SKIP() << "the working folder lies on no block device of this machine";
    const std::vector<os::BlockDevice> leaves = os::leaf_devices(*loop);
    ASSERT_FALSE(leaves.empty());
    EXPECT_EQ(leaves.front().name, os::leaf_devices(*disk).front().name);
}

TEST(LoopDevice, ThatAnswersFromThePageCacheIsFoundOut) {
    const LoopMount mount(std::filesystem::current_path());
    if (!mount.mounted()) GTEST_SKIP() << "this user cannot mount an image";
    // Direct I/O to the loop device, which itself reads its file through the page cache: the disk below it
    // rests. Just what a figure must not be taken from.
    const Probe probe = storage_random_read_probe();
    SteadyClock clock;
    Context context{.clock = clock};
    context.scratch = mount.point();
    const Case the_case =
        make_case(probe, {{"size", "2M"}, {"jobs", "1"}, {"queue_depth", "4"}, {"seconds", "0.5"}});
    // What other processes read from the same disk meanwhile counts for us; not every time.
    bool found_out = false;
    std::string reason;
    for (int attempt = 0; attempt < 5 && !found_out; ++attempt) {
        const Outcome outcome = execute(probe, the_case, context);
        reason = outcome.reason;
        for (const Check& check : outcome.checks) {
            if (check.name.find("reads reached the device") == std::string::npos) continue;
            found_out = !check.passed && check.detail.find("cache") != std::string::npos;
        }
        EXPECT_TRUE(!found_out || outcome.status == Status::failed);
    }
    EXPECT_TRUE(found_out) << reason;
}

TEST(LoopDevice, WhoseFileIsInMemoryIsRefused) {
    if (!std::filesystem::exists("/dev/shm") || os::file_system_of("/dev/shm").type != "tmpfs") {
        GTEST_SKIP() << "no tmpfs here";
    }
    const LoopMount mount("/dev/shm");
    if (!mount.mounted()) GTEST_SKIP() << "this user cannot mount an image";
    const Probe probe = storage_random_read_probe();
    SteadyClock clock;
    Context context{.clock = clock};
    context.scratch = mount.point();
    try {
        probe.check(make_case(probe, probe.tiny), context);
        ADD_FAILURE() << "was accepted";
    } catch (const InputError& error) {
        EXPECT_THAT(error.what(), AllOf(HasSubstr("tmpfs"), HasSubstr("loop")));
    }
}

}  // namespace
}  // namespace assay
