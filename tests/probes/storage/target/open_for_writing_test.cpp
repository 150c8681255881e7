// The second guard alone: nobody asked the first.

#include "probes/storage/target/open_for_writing.h"

#include <stdexcept>

#include <sys/stat.h>

#include <gmock/gmock.h>

#include "probes/storage/target/prepare.h"
#include "tests/probes/storage/target/guard_fixture.h"

namespace assay::storage {
namespace {

using testing::HasSubstr;

class OpenForWriting : public GuardTest {
  protected:
    /// The error number of the kernel's refusal; -1 for ours, 0 where it was opened.
    static int refusal(const std::filesystem::path& path, const std::vector<std::filesystem::path>& allowed,
                       int flags = O_RDWR) {
        try {
            open_for_writing(path, flags, allowed);
            return 0;
        } catch (const std::system_error& error) {
            EXPECT_THAT(error.what(), HasSubstr(path.string()));
            return error.code().value();
        } catch (const std::logic_error& error) {
            EXPECT_THAT(error.what(), HasSubstr(path.string()));
            return -1;
        }
    }
};

TEST_F(OpenForWriting, OpensTheNamedDeviceAndHoldsItAlone) {
    ATTACH_OR_SKIP(precious());
    {
        const os::FileDescriptor file =
            open_for_writing(device(), O_WRONLY | O_DIRECT, {"/dev/null", device()});
        EXPECT_EQ(::fcntl(file.get(), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
        EXPECT_EQ(::fcntl(file.get(), F_GETFL) & (O_ACCMODE | O_DIRECT), O_WRONLY | O_DIRECT);
        EXPECT_EQ(refusal(device(), {device()}), EBUSY) << "not even twice";
        EXPECT_NO_THROW(os::open_file(device(), O_RDONLY)) << "a reader may look";
        EXPECT_TRUE(bytes_of(device()) == precious()) << "opening alone changes nothing";
    }
    const os::FileDescriptor file = open_for_writing(device(), O_RDWR, {device()});
    ASSERT_EQ(::pwrite(file.get(), "new", 3, 0), 3);
    EXPECT_EQ(bytes_of(device()).substr(0, 3), "new");
}

TEST_F(OpenForWriting, RefusesADeviceThatIsNotNamedExactly) {
    ATTACH_OR_SKIP(precious());
    const std::filesystem::path link = folder_.path() / "by-id";
    std::filesystem::create_symlink(device(), link);
    EXPECT_EQ(refusal(device(), {}), -1);
    EXPECT_EQ(refusal(device(), {link}), -1);
    EXPECT_EQ(refusal(link, {device()}), -1);
    EXPECT_EQ(refusal(link, {link}), 0);
    EXPECT_TRUE(bytes_of(file_) == precious());
}

TEST_F(OpenForWriting, IsRefusedByTheKernelWhereTheDeviceIsMounted) {
    ATTACH_OR_SKIP(precious());
    const std::filesystem::path point = folder_.path() / "mounted";
    std::filesystem::create_directory(point);
    if (!succeeds({"mkfs.ext4", "-q", "-F", device().string()}) ||
        !succeeds({"mount", "-o", "ro", device().string(), point.string()})) {
        GTEST_SKIP() << "this user cannot mount";
    }
    const Undo unmount({"umount", point.string()});
    const std::string before = bytes_of(device());
    EXPECT_EQ(refusal(device(), {device()}), EBUSY);
    EXPECT_TRUE(bytes_of(device()) == before);
}

TEST_F(OpenForWriting, IsRefusedByTheKernelWhereAPartitionIsMounted) {
    if (!attach_partitioned()) GTEST_SKIP() << "this user cannot make a partition";
    const std::filesystem::path point = folder_.path() / "mounted";
    std::filesystem::create_directory(point);
    if (!succeeds({"mkfs.ext4", "-q", "-F", partition().string()}) ||
        !succeeds({"mount", "-o", "ro", partition().string(), point.string()})) {
        GTEST_SKIP() << "this user cannot mount";
    }
    const Undo unmount({"umount", point.string()});
    EXPECT_EQ(refusal(device(), {device()}), EBUSY);
    EXPECT_EQ(refusal(partition(), {partition()}), EBUSY);
}

TEST_F(OpenForWriting, IsRefusedByTheKernelWhereTheDeviceIsSwappedTo) {
    ATTACH_OR_SKIP(precious());
    if (!succeeds({"mkswap", device().string()}) || !succeeds({"swapon", device().string()})) {
        GTEST_SKIP() << "this user cannot swap";
    }
    const Undo off({"swapoff", device().string()});
    EXPECT_EQ(refusal(device(), {device()}), EBUSY);
}

TEST_F(OpenForWriting, IsRefusedByTheKernelWhereAnyoneHoldsTheDevice) {
    ATTACH_OR_SKIP(precious());
    const os::FileDescriptor holder = os::open_file(device(), O_RDONLY | O_EXCL);
    EXPECT_EQ(refusal(device(), {device()}), EBUSY);
    EXPECT_TRUE(bytes_of(device()) == precious());
}

TEST_F(OpenForWriting, OpensANamedFileAsItIs) {
    const std::filesystem::path file = folder_.write("file", precious());
    EXPECT_EQ(refusal(file, {}), -1);
    EXPECT_EQ(refusal(file, {folder_.path()}), -1);
    EXPECT_EQ(refusal(file, {file}), 0);
    EXPECT_TRUE(bytes_of(file) == precious());
    EXPECT_EQ(refusal(folder_.path() / "missing", {folder_.path() / "missing"}), ENOENT);
    EXPECT_FALSE(std::filesystem::exists(folder_.path() / "missing"));
}

TEST_F(OpenForWriting, KnowsAssaysOwnFileByItsContent) {
    if (os::file_system_of(folder_.path()).in_memory) GTEST_SKIP() << "the working folder is in memory";
    const std::filesystem::path ours = folder_.write("ours", "");
    EXPECT_EQ(refusal(ours, {}), -1) << "an empty file is nobody's";
    write_pattern(ours, 0, 1 << 20, 1, [](double) {});
    EXPECT_EQ(refusal(ours, {}, O_WRONLY | O_DIRECT), 0);
}

TEST_F(OpenForWriting, RefusesFlagsThatCreateCutOrDoNotWrite) {
    const std::filesystem::path file = folder_.write("file", precious());
    for (const int flags :
         {O_RDONLY, O_RDWR | O_CREAT, O_RDWR | O_TRUNC, O_RDWR | O_APPEND, O_RDWR | O_TMPFILE}) {
        EXPECT_EQ(refusal(file, {file}, flags), -1) << flags;
    }
    EXPECT_TRUE(bytes_of(file) == precious());
}

TEST_F(OpenForWriting, RefusesWhatIsNeitherFileNorDeviceWithoutWaitingForIt) {
    const std::filesystem::path pipe = folder_.path() / "pipe";
    ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
    for (const std::filesystem::path& path : {pipe, folder_.path(), std::filesystem::path("/dev/null")}) {
        EXPECT_EQ(refusal(path, {path}), -1) << path;
    }
}

}  // namespace
}  // namespace assay::storage
