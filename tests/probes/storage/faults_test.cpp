// Faults of real devices: loop devices over files that vanish, fill up or have large sectors.

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <string>
#include <thread>

#include <fcntl.h>
#include <linux/fs.h>
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/core/os/mapping.h"
#include "probes/core/os/scratch_file.h"
#include "probes/storage/target/block_pattern.h"
#include "tests/probes/storage/storage_fixture.h"
#include "tests/probes/storage/target/loop_device.h"

namespace assay {
namespace {

using storage::LoopDevice;
using storage::succeeds;
using testing::AllOf;
using testing::AnyOf;
using testing::HasSubstr;

class FaultsTest : public test::StorageFixture {
  protected:
    static constexpr std::uint64_t image_bytes = 32 << 20;

    /// Does `harm` once the measurement runs, from the probe's own progress.
    Outcome run_and_harm(const std::map<std::string, std::string>& given, const std::function<void()>& harm) {
        int seen = 0;
        context_.progress = [&](std::string_view stage, double) {
            if ((stage == "reading" || stage == "writing") && ++seen == 5) harm();
        };
        return run(given);
    }
    /// A loop device over a file written with the pattern; its own size stays when the file is cut.
    std::filesystem::path image() const { return written("image", image_bytes); }
};

// NOLINTNEXTLINE(cppcoreguidelines-macro-usage): GTEST_SKIP leaves the function in which it stands
#define SKIP_WITHOUT(loop) \
    if (!(loop).attached()) GTEST_SKIP() << "this user cannot make a loop device"

TEST_F(FaultsTest, ADeviceThatLosesItsDataWhileItIsReadFailsWithThePlace) {
    for (const char* const engine : {"libaio", "io_uring"}) {
        const std::filesystem::path file = image();
        const LoopDevice loop(file, {"--direct-io=on"});
        SKIP_WITHOUT(loop);
        const Outcome outcome =
            run_and_harm({{"target", loop.path().string()}, {"engine", engine}, {"seconds", "5"}},
                         [&] { std::filesystem::resize_file(file, 0); });
        EXPECT_EQ(outcome.status, Status::failed);
        EXPECT_THAT(outcome.reason, AllOf(HasSubstr("read of 4096 bytes at"), HasSubstr(loop.path().string()),
                                          AnyOf(HasSubstr("error"), HasSubstr("returned only"))));
        EXPECT_TRUE(outcome.metrics.empty()) << "nothing that it measured before is told as a figure";
        EXPECT_LT(outcome.duration_seconds, 60);
    }
}

TEST_F(FaultsTest, ADeviceThatShrinksInTheMiddleFailsWithThePlace) {
    const std::filesystem::path file = image();
    const LoopDevice loop(file, {"--direct-io=on"});
    SKIP_WITHOUT(loop);
    const Outcome outcome =
        run_and_harm({{"target", loop.path().string()}, {"size", "auto"}, {"seconds", "5"}}, [&] {
            std::filesystem::resize_file(file, image_bytes / 2);
            const os::FileDescriptor device = os::open_file(loop.path(), O_RDONLY);
            EXPECT_EQ(::ioctl(device.get(), LOOP_SET_CAPACITY, 0), 0);
        });
    EXPECT_EQ(outcome.status, Status::failed);
    EXPECT_THAT(outcome.reason, AllOf(HasSubstr("read of 4096 bytes at"), HasSubstr(loop.path().string())));
}

/// The kernel keeps a loop device until the last who has it open closes it.
TEST_F(FaultsTest, ADeviceThatIsDetachedWhileItIsReadFailsOnceTheRunHasLetItGo) {
    const LoopDevice loop(image(), {"--direct-io=on"});
    SKIP_WITHOUT(loop);
    const Outcome outcome =
        run_and_harm({{"target", loop.path().string()}, {"size", "auto"}, {"engine", "libaio"}}, [&] {
            EXPECT_TRUE(succeeds({"losetup", "--detach", loop.path().string()}));
        });
    EXPECT_EQ(storage::output_of({"losetup", loop.path().string()}), "") << "it is gone";
    EXPECT_EQ(outcome.status, Status::failed);
    EXPECT_THAT(outcome.reason, HasSubstr("256 of 256 sampled blocks could not be read: the target became "
                                          "shorter or vanished"));
    EXPECT_LT(outcome.duration_seconds, 60);
}

TEST_F(FaultsTest, ADeviceThatVanishesBeforeItIsReadFailsWithItsName) {
    for (const char* const stage : {"trying libaio", "trying io_uring"}) {
        const LoopDevice loop(image(), {"--direct-io=on"});
        SKIP_WITHOUT(loop);
        context_.progress = [&](std::string_view now, double) {
            if (now != stage) return;
            EXPECT_TRUE(succeeds({"losetup", "--detach", loop.path().string()}));
        };
        const std::map<std::string, std::string> given = {{"target", loop.path().string()}, {"size", "auto"}};
        const Outcome outcome = run(given);
        EXPECT_EQ(outcome.status, Status::failed);
        EXPECT_THAT(outcome.reason, AllOf(HasSubstr("read of 4096 bytes at"), HasSubstr(loop.path().string()),
                                          HasSubstr("returned only 0")));
        EXPECT_TRUE(outcome.metrics.empty());
        EXPECT_THAT(refusal(given), AllOf(HasSubstr(loop.path().string()), HasSubstr("has no bytes")))
            << "and from then on it is refused beforehand";
    }
}

TEST_F(FaultsTest, ADeviceThatIsDetachedWhileItIsWrittenIsKeptUntilAllIsVerified) {
    probe_ = storage_random_write_probe();
    const std::filesystem::path file = image();
    const LoopDevice loop(file, {"--direct-io=on"});
    SKIP_WITHOUT(loop);
    context_.allow_destroy = {loop.path()};
    const Outcome outcome = run_and_harm(
        {{"target", loop.path().string()}, {"size", "auto"}, {"engine", "libaio"}, {"verify", "all"}}, [&] {
            EXPECT_TRUE(succeeds({"losetup", "--detach", loop.path().string()}));
        });
    EXPECT_EQ(outcome.status, Status::measured) << outcome.reason;
    ASSERT_NE(find_check(outcome, "every block of the span"), nullptr);
    EXPECT_EQ(storage::output_of({"losetup", loop.path().string()}), "") << "then it is gone";
    EXPECT_EQ(storage::verify_pattern(file, image_bytes, 1, [](double) {}), "");
    context_.progress = {};
    EXPECT_THAT(run({{"target", loop.path().string()}}).reason, HasSubstr("has no bytes"));
}

TEST_F(FaultsTest, WritesToADeviceThatLosesItsDataFail) {
    probe_ = storage_random_write_probe();
    for (const char* const engine : {"libaio", "io_uring"}) {
        const std::filesystem::path file = image();
        const LoopDevice loop(file, {"--direct-io=on"});
        SKIP_WITHOUT(loop);
        context_.allow_destroy = {loop.path()};
        const Outcome outcome =
            run_and_harm({{"target", loop.path().string()}, {"engine", engine}, {"seconds", "5"}}, [&] {
                const os::FileDescriptor device = os::open_file(loop.path(), O_RDONLY);
                std::filesystem::resize_file(file, 4 << 20);
                EXPECT_EQ(::ioctl(device.get(), LOOP_SET_CAPACITY, 0), 0);
            });
        EXPECT_EQ(outcome.status, Status::failed);
        EXPECT_THAT(outcome.reason,
                    AllOf(HasSubstr("write of 4096 bytes at"), HasSubstr(loop.path().string())));
    }
}

TEST_F(FaultsTest, ANamedFileThatIsCutWhileItIsWrittenIsFoundOut) {
    probe_ = storage_random_write_probe();
    const std::filesystem::path file = written("target", 16 << 20);
    context_.allow_destroy = {file};
    const Outcome outcome = run_and_harm({{"target", file.string()}, {"size", "auto"}, {"seconds", "0.5"}},
                                         [&] { std::filesystem::resize_file(file, 0); });
    // Writing makes the file anew, with holes and with writes behind each other: whatever comes of it, no
    // figure without a failed check but where all was written again.
    if (outcome.status == Status::measured) {
        EXPECT_TRUE(find_check(outcome, "content of a sample of the blocks")->passed);
    } else {
        EXPECT_EQ(outcome.status, Status::failed);
    }
}

TEST_F(FaultsTest, AFileSystemThatFillsUpGivesAClearOutcomeAndNoFile) {
    const std::filesystem::path file = written("image", image_bytes);
    ASSERT_TRUE(succeeds({"mkfs.ext4", "-q", "-F", file.string()}));
    const std::filesystem::path point = folder_ / "mounted";
    std::filesystem::create_directory(point);
    if (!succeeds({"mount", "-o", "loop", file.string(), point.string()})) GTEST_SKIP() << "cannot mount";
    {
        const storage::Undo unmount({"umount", point.string()});
        context_.scratch = point;
        probe_ = storage_random_write_probe();
        // Half of what is free is refused beforehand; so somebody else fills it while the file is made.
        const Outcome refused = run({{"size", "64M"}});
        EXPECT_EQ(refused.status, Status::skipped);
        EXPECT_THAT(refused.reason, AllOf(HasSubstr("67108864"), HasSubstr("free")));
        const os::FileDescriptor filler = os::open_file(point / "filler", O_CREAT | O_RDWR);
        const std::uint64_t free_bytes = os::file_system_of(point).free_bytes;
        storage::Target target;
        target.path = point;
        ASSERT_EQ(::fallocate(filler.get(), 0, 0, static_cast<off_t>(free_bytes - (1 << 20))), 0);
        try {
            storage::prepare(target, 8 << 20, 1, [](double) {});
            ADD_FAILURE() << "8 MiB fitted into one";
        } catch (const std::system_error& error) {
            EXPECT_EQ(error.code().value(), ENOSPC);
            EXPECT_THAT(error.what(), HasSubstr("scratch file"));
        }
        EXPECT_EQ(std::distance(std::filesystem::directory_iterator(point), {}), 2)
            << "lost+found and the filler";
        EXPECT_GE(os::file_system_of(point).free_bytes, 1u << 19) << "what it took is given back";
    }
    EXPECT_TRUE(std::filesystem::is_empty(point))
        << "could not be unmounted at once: something is still open";
}

TEST_F(FaultsTest, AFileSystemThatFillsUpWhileAFileIsPreparedGivesAClearOutcomeAndNoFile) {
    // So much that there is still something to write when progress is told first.
    const std::filesystem::path file = written("image", 2 * image_bytes);
    // Without extents nothing can be reserved beforehand.
    ASSERT_TRUE(succeeds({"mkfs.ext4", "-q", "-F", "-O", "^extent,^64bit", file.string()}));
    const std::filesystem::path point = folder_ / "mounted";
    std::filesystem::create_directory(point);
    if (!succeeds({"mount", "-o", "loop", file.string(), point.string()})) GTEST_SKIP() << "cannot mount";
    {
        const storage::Undo unmount({"umount", point.string()});
        context_.scratch = point;
        for (const Probe& probe : {storage_random_read_probe(), storage_random_write_probe()}) {
            probe_ = probe;
            const std::filesystem::path filler = point / "filler";
            bool filled = false;
            context_.progress = [&](std::string_view stage, double share) {
                if (stage != "preparing" || filled) return;
                filled = true;
                EXPECT_LT(share, 1);
                const os::FileDescriptor out = os::open_file(filler, O_CREAT | O_WRONLY);
                const std::string data(1 << 20, 'f');
                while (::write(out.get(), data.data(), data.size()) > 0) {
                }
                EXPECT_EQ(errno, ENOSPC);
            };
            const Outcome outcome = run({{"size", "24M"}});
            EXPECT_TRUE(filled);
            EXPECT_EQ(outcome.status, Status::failed);
            EXPECT_THAT(outcome.reason, AllOf(HasSubstr("scratch file"), HasSubstr("No space left")));
            EXPECT_TRUE(outcome.metrics.empty());
            EXPECT_EQ(std::distance(std::filesystem::directory_iterator(point), {}), 2)
                << "lost+found and the filler";
            std::filesystem::remove(filler);
            EXPECT_GE(os::file_system_of(point).free_bytes, image_bytes) << "what it took is given back";
        }
    }
    EXPECT_TRUE(std::filesystem::is_empty(point))
        << "could not be unmounted at once: something is still open";
}

TEST_F(FaultsTest, AFileSystemInMemoryIsRefusedForWritesToo) {
    probe_ = storage_random_write_probe();
    const std::filesystem::path point = folder_ / "memory";
    std::filesystem::create_directory(point);
    if (!succeeds({"mount", "-t", "tmpfs", "none", point.string()})) GTEST_SKIP() << "cannot mount";
    const storage::Undo unmount({"umount", point.string()});
    EXPECT_THAT(refusal({{"target", point.string()}}), AllOf(HasSubstr("tmpfs"), HasSubstr("in memory")));
    context_.scratch = point;
    EXPECT_THAT(refusal({}), HasSubstr("in memory"));
    EXPECT_TRUE(std::filesystem::is_empty(point));
}

TEST_F(FaultsTest, ADeviceOfLargeSectorsRefusesSmallerBlocks) {
    const LoopDevice loop(image(), {"--sector-size", "4096"});
    SKIP_WITHOUT(loop);
    EXPECT_THAT(refusal({{"target", loop.path().string()}, {"block_bytes", "512"}}),
                HasSubstr("multiples of 4096"));
    EXPECT_THAT(refusal({{"target", loop.path().string()}, {"block_bytes", "6K"}}),
                HasSubstr("multiples of 4096"));
    EXPECT_EQ(refusal({{"target", loop.path().string()}, {"block_bytes", "8K"}}), "accepted");
}

TEST_F(FaultsTest, AbsurdSizesAreRefusedOrSkippedAndTakeNothing) {
    for (Probe (*const make_probe)() : {storage_random_read_probe, storage_random_write_probe}) {
        probe_ = make_probe();
        for (const char* const size : {"0", "1", "4095", "-1", "1e30", "16E", "18446744073709551616"}) {
            try {
                const std::string refused = refusal({{"size", size}});
                EXPECT_NE(refused, "accepted") << size;
            } catch (const std::exception& error) {
                ADD_FAILURE() << size << ": " << error.what();
            }
        }
        for (const char* const size : {"8E", "18446744073709551615", "18446744073709547520"}) {
            try {
                const Outcome outcome = run({{"size", size}});
                EXPECT_EQ(outcome.status, Status::skipped) << size << ": " << outcome.reason;
                EXPECT_THAT(outcome.reason, HasSubstr("free")) << size;
            } catch (const InputError&) {  // beyond what a size may be
            }
        }
        EXPECT_NE(refusal({{"size", "4096"}, {"queue_depth", "4096"}}), "accepted");
        EXPECT_EQ(entries(), 0u);
    }
}

}  // namespace
}  // namespace assay
