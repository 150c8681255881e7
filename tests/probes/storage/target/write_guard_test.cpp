// The first guard alone, on real devices and files.

#include "probes/storage/target/write_guard.h"

#include <csignal>

#include <sys/wait.h>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "probes/storage/target/prepare.h"
#include "tests/probes/inventory/fake_root.h"
#include "tests/probes/storage/target/guard_fixture.h"

namespace assay::storage {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class WriteGuard : public GuardTest {
  protected:
    /// What the guard says of the path, and that it did no harm; empty when it lets the write be.
    static std::string refusal(const std::filesystem::path& path,
                               const std::vector<std::filesystem::path>& allowed) {
        const std::string before = bytes_of(path);
        std::string said;
        Target target;
        target.kind =
            std::filesystem::is_block_file(path) ? Target::Kind::named_device : Target::Kind::named_file;
        target.path = path;
        try {
            refuse_unasked_write("storage.random_write.target", target, allowed);
        } catch (const InputError& error) {
            said = error.what();
            EXPECT_THAT(said, AllOf(testing::StartsWith("storage.random_write.target: " + path.string()),
                                    HasSubstr("; accepted: "), Not(HasSubstr("\n"))));
        }
        EXPECT_TRUE(bytes_of(path) == before) << "the guard changed " << path;
        return said;
    }
};

/// Another process with the path open, until the test ends.
class Opener {
  public:
    Opener(const std::filesystem::path& path, int flags) {
        const os::FileDescriptor file = os::open_file(path, flags);
        pid_ = ::fork();
        if (pid_ != 0) return;
        for (;;) ::pause();
    }
    ~Opener() {
        if (pid_ <= 0) return;
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    Opener(const Opener&) = delete;
    Opener& operator=(const Opener&) = delete;
    pid_t pid() const { return pid_; }

  private:
    pid_t pid_ = -1;
};

TEST_F(WriteGuard, LetsNothingThroughThatIsNotNamedExactly) {
    ATTACH_OR_SKIP(precious());
    const std::filesystem::path link = folder_.path() / "by-id";
    std::filesystem::create_symlink(device(), link);
    EXPECT_THAT(refusal(device(), {}), HasSubstr("not named by --allow-destroy"));
    EXPECT_THAT(refusal(device(), {folder_.path(), "/dev/null", device().string() + "x"}),
                HasSubstr("not named by --allow-destroy"));
    EXPECT_THAT(refusal(device(), {link}), HasSubstr("another path to the same"));
    EXPECT_THAT(refusal(link, {device()}), HasSubstr("another path to the same"));
    EXPECT_THAT(refusal(device(), {"/dev/./" + device().filename().string()}), HasSubstr("another path"));
    EXPECT_EQ(refusal(device(), {device()}), "");
    EXPECT_EQ(refusal(link, {"/dev/null", link}), "");
    EXPECT_TRUE(bytes_of(file_) == precious());
}

TEST_F(WriteGuard, RefusesAMountedDevice) {
    ATTACH_OR_SKIP(precious());
    const std::filesystem::path point = folder_.path() / "mounted";
    std::filesystem::create_directory(point);
    if (!succeeds({"mkfs.ext4", "-q", "-F", device().string()}) ||
        !succeeds({"mount", "-o", "ro", device().string(), point.string()})) {
        GTEST_SKIP() << "this user cannot mount";
    }
    const Undo unmount({"umount", point.string()});
    EXPECT_THAT(refusal(device(), {device()}), HasSubstr("is mounted at " + point.string()));
}

TEST_F(WriteGuard, RefusesAPartitionedDeviceAndTakesItsFreePartition) {
    if (!attach_partitioned()) GTEST_SKIP() << "this user cannot make a partition";
    EXPECT_THAT(refusal(device(), {device()}), HasSubstr("has partitions"));
    EXPECT_EQ(refusal(partition(), {partition()}), "");
    EXPECT_THAT(refusal(partition(), {device()}), HasSubstr("not named"));
    const std::filesystem::path point = folder_.path() / "mounted";
    std::filesystem::create_directory(point);
    if (!succeeds({"mkfs.ext4", "-q", "-F", partition().string()}) ||
        !succeeds({"mount", "-o", "ro", partition().string(), point.string()})) {
        GTEST_SKIP() << "this user cannot mount";
    }
    const Undo unmount({"umount", point.string()});
    EXPECT_THAT(refusal(partition(), {partition()}), HasSubstr("is mounted at"));
    EXPECT_THAT(refusal(device(), {device()}), HasSubstr("is mounted at"));
}

TEST_F(WriteGuard, RefusesAPartitionTableThatTheKernelHasNotRead) {
    ATTACH_OR_SKIP(with_partition_table(precious()));
    EXPECT_THAT(refusal(device(), {device()}), AllOf(HasSubstr("partition"), HasSubstr("wipefs")));
}

TEST_F(WriteGuard, RefusesSwapSpaceInUse) {
    ATTACH_OR_SKIP(precious());
    if (!succeeds({"mkswap", device().string()}) || !succeeds({"swapon", device().string()})) {
        GTEST_SKIP() << "this user cannot swap";
    }
    const Undo off({"swapoff", device().string()});
    EXPECT_THAT(refusal(device(), {device()}), HasSubstr("is swap space in use"));
}

TEST_F(WriteGuard, RefusesAReadOnlyDevice) {
    ATTACH_OR_SKIP(precious(), {"--read-only"});
    EXPECT_THAT(refusal(device(), {device()}), HasSubstr("is read-only"));
}

TEST_F(WriteGuard, RefusesADeviceThatHoldsALoopDevicesData) {
    ATTACH_OR_SKIP(precious());
    const LoopDevice upper(device());
    if (!upper.attached()) GTEST_SKIP() << "no second loop device";
    EXPECT_THAT(refusal(device(), {device()}),
                HasSubstr("the data of the loop device " + upper.path().filename().string()));
    EXPECT_EQ(refusal(upper.path(), {upper.path()}), "");
}

TEST_F(WriteGuard, RefusesADeviceThatIsHeldForItsHolderAlone) {
    ATTACH_OR_SKIP(precious());
    // By the own process, which no list of others shows: only the kernel's answer is left.
    const os::FileDescriptor holder = os::open_file(device(), O_RDONLY | O_EXCL);
    EXPECT_THAT(refusal(device(), {device()}), HasSubstr("EBUSY"));
}

TEST_F(WriteGuard, RefusesADeviceThatAnotherProcessHasOpenAndNamesIt) {
    ATTACH_OR_SKIP(precious());
    const Opener opener(device(), O_RDONLY);
    EXPECT_THAT(refusal(device(), {device()}), HasSubstr(fmt::format("open in process {} (", opener.pid())));
}

TEST_F(WriteGuard, TakesAFileOnlyWhenItIsNamedOrAssaysOwn) {
    const std::filesystem::path file = folder_.write("file", precious());
    EXPECT_THAT(refusal(file, {}), HasSubstr("not named by --allow-destroy"));
    EXPECT_EQ(refusal(file, {file}), "");
    const std::filesystem::path ours = folder_.write("ours", "");
    if (os::file_system_of(folder_.path()).in_memory) GTEST_SKIP() << "the working folder is in memory";
    write_pattern(ours, 0, 1 << 20, 1, [](double) {});
    EXPECT_EQ(refusal(ours, {}), "");
}

TEST_F(WriteGuard, RefusesAFileWithASecondName) {
    const std::filesystem::path file = folder_.write("file", precious());
    std::filesystem::create_hard_link(file, folder_.path() / "second");
    EXPECT_THAT(refusal(file, {file}), HasSubstr("2 names"));
}

TEST_F(WriteGuard, RefusesAFileThatIsOpenForWriting) {
    const std::filesystem::path file = folder_.write("file", precious());
    {
        const Opener reader(file, O_RDONLY);
        EXPECT_EQ(refusal(file, {file}), "");
    }
    {
        const Opener writer(file, O_RDWR);
        EXPECT_THAT(refusal(file, {file}),
                    HasSubstr(fmt::format("open for writing in process {} (", writer.pid())));
    }
    EXPECT_EQ(refusal(file, {file}), "");
}

TEST_F(WriteGuard, RefusesAFileBehindALoopDevice) {
    ATTACH_OR_SKIP(precious());
    EXPECT_THAT(refusal(file_, {file_}), HasSubstr("the data of the loop device"));
    EXPECT_TRUE(bytes_of(file_) == precious());
}

TEST_F(WriteGuard, AsksOnlyTheSystemThatItIsGiven) {
    const inventory::FakeRoot root;
    const std::filesystem::path file = folder_.write("file", precious());
    root.write("proc/swaps", "Filename Type\n" + file.string() + " file 8 0 -2");
    Target target;
    target.kind = Target::Kind::named_file;
    target.path = file;
    EXPECT_THROW(refuse_unasked_write("x", target, {file}, {root.path() / "proc", root.path() / "sys"}),
                 InputError);
    EXPECT_NO_THROW(refuse_unasked_write("x", target, {file}));
}

TEST_F(WriteGuard, RefusesWhatIsNeitherFileNorDeviceAndLeavesScratchAlone) {
    Target target;
    target.kind = Target::Kind::named_file;
    for (const std::filesystem::path& path :
         {folder_.path(), std::filesystem::path("/dev/null"), folder_.path() / "missing"}) {
        target.path = path;
        EXPECT_THROW(refuse_unasked_write("x", target, {path}), InputError) << path;
    }
    target.kind = Target::Kind::scratch_folder;
    target.path = folder_.path();
    EXPECT_NO_THROW(refuse_unasked_write("x", target, {}));
}

}  // namespace
}  // namespace assay::storage
