#include <array>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/core/os/block_device.h"
#include "probes/core/os/file_descriptor.h"
#include "probes/core/os/file_system.h"
#include "probes/core/os/mapping.h"
#include "probes/core/os/page_cache.h"
#include "probes/core/os/scratch_file.h"
#include "probes/core/os/sysfs.h"

namespace assay::os {
namespace {

using testing::HasSubstr;

bool is_open(int descriptor) {
    return ::fcntl(descriptor, F_GETFD) >= 0;
}

std::size_t entries_of(const std::filesystem::path& folder) {
    std::size_t count = 0;
    for ([[maybe_unused]] const std::filesystem::directory_entry& entry :
         std::filesystem::directory_iterator(folder)) {
        ++count;
    }
    return count;
}

/// A folder of its own in the working folder (which, unlike /tmp, is commonly on a disk), removed at the end.
class Folder {
  public:
    Folder() {
        std::string name = (std::filesystem::current_path() / "assay-test-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr)
            throw std::system_error(errno, std::generic_category(), "mkdtemp");
        path_ = name;
    }
    ~Folder() { std::filesystem::remove_all(path_); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_;
};

TEST(FileDescriptor, ClosesOnceAndMovesItsOwnership) {
    FileDescriptor first = open_file("/dev/null", O_RDONLY);
    const int number = first.get();
    EXPECT_TRUE(first);
    EXPECT_EQ(::fcntl(number, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    FileDescriptor second = std::move(first);
    EXPECT_FALSE(first);  // NOLINT(bugprone-use-after-move): that it is empty is the point
    EXPECT_TRUE(is_open(number));
    second = open_file("/dev/null", O_RDONLY);
    EXPECT_FALSE(is_open(number) && second.get() != number);
    const int last = second.get();
    second.reset();
    EXPECT_FALSE(is_open(last));
    EXPECT_FALSE(second);
}

TEST(OpenFile, NamesThePathThatFailed) {
    try {
        open_file("/nonexistent/file", O_RDONLY);
        ADD_FAILURE();
    } catch (const std::system_error& error) {
        EXPECT_EQ(error.code().value(), ENOENT);
        EXPECT_THAT(error.what(), HasSubstr("/nonexistent/file"));
    }
}

TEST(Sysfs, ReadsSmallFilesAndIsSilentAboutMissingOnes) {
    const Folder folder;
    const auto write = [&](const std::string& text) {
        std::ofstream(folder.path() / "value") << text;
        return folder.path() / "value";
    };
    EXPECT_EQ(read_text(write("none [mq-deadline]\n")), "none [mq-deadline]");
    EXPECT_EQ(read_text(write("two\n\n")), "two\n");
    EXPECT_EQ(read_text(write(std::string(10000, 'x'))), std::string(10000, 'x'));
    EXPECT_EQ(read_integer(write("-42\n")), -42);
    EXPECT_FALSE(read_integer(write("42 MB\n")));
    EXPECT_FALSE(read_integer(write("")));
    EXPECT_FALSE(read_text(folder.path() / "nothing"));
    EXPECT_FALSE(read_text(folder.path())) << "a folder is no text";
}

TEST(ScratchFile, HasNoNameAndCanBeOpenedAgain) {
    const Folder folder;
    FileDescriptor file = make_nameless_file(folder.path());
    EXPECT_EQ(entries_of(folder.path()), 0u);
    ASSERT_EQ(::pwrite(file.get(), "data", 4, 0), 4);
    const FileDescriptor again = open_file(path_of(file), O_RDONLY);
    std::array<char, 5> text{};
    EXPECT_EQ(::pread(again.get(), text.data(), 4, 0), 4);
    EXPECT_STREQ(text.data(), "data");
    EXPECT_THROW(make_nameless_file("/nonexistent"), std::system_error);
}

TEST(PageCache, ForgetsAFileWhenTold) {
    const Folder folder;
    if (file_system_of(folder.path()).in_memory) GTEST_SKIP() << "the working folder is in memory";
    const FileDescriptor file = make_nameless_file(folder.path());
    const std::vector<char> data(1 << 20, 'x');
    ASSERT_EQ(::pwrite(file.get(), data.data(), data.size(), 0), static_cast<ssize_t>(data.size()));
    EXPECT_DOUBLE_EQ(resident_share(file), 1.0);
    drop_page_cache(file);
    EXPECT_LT(resident_share(file), 0.05);
    EXPECT_EQ(resident_share(make_nameless_file(folder.path())), 0.0);
}

TEST(PageCache, BecomesColdAlsoWhileItIsReadAhead) {
    const Folder folder;
    if (file_system_of(folder.path()).in_memory) GTEST_SKIP() << "the working folder is in memory";
    const FileDescriptor file = make_nameless_file(folder.path());
    const std::vector<char> data(8 << 20, 'x');
    ASSERT_EQ(::pwrite(file.get(), data.data(), data.size(), 0), static_cast<ssize_t>(data.size()));
    EXPECT_EQ(make_cold(file), 0.0);
    for (int attempt = 0; attempt < 20; ++attempt) {
        // The call returns while the disk is still at it.
        ASSERT_EQ(::posix_fadvise(file.get(), 0, 0, POSIX_FADV_WILLNEED), 0);
        EXPECT_EQ(make_cold(file), 0.0);
        std::this_thread::sleep_for(std::chrono::milliseconds(30));
        EXPECT_EQ(resident_share(file), 0.0);
    }
}

TEST(PageCache, IsNotToldToWhoNeitherOwnsAFileNorMayWriteToIt) {
    const Folder folder;
    if (file_system_of(folder.path()).in_memory) GTEST_SKIP() << "the working folder is in memory";
    const std::filesystem::path path = folder.path() / "file";
    {
        const FileDescriptor file = open_file(path, O_CREAT | O_RDWR);
        const std::vector<char> data(1 << 20, 'x');
        ASSERT_EQ(::write(file.get(), data.data(), data.size()), static_cast<ssize_t>(data.size()));
    }
    // Another's: where this user is root, of a child that is not; else root's own password file.
    const bool root = ::geteuid() == 0;
    const FileDescriptor file = open_file(root ? path : std::filesystem::path("/etc/passwd"), O_RDONLY);
    ASSERT_EQ(::fchmod(file.get(), 0644), root ? 0 : -1);
    const auto answer_of_another = [&] {
        const pid_t child = ::fork();
        if (child == 0) {
            constexpr uid_t nobody = 65534;
            if (root && (::setgroups(0, nullptr) != 0 || ::setresgid(nobody, nobody, nobody) != 0 ||
                         ::setresuid(nobody, nobody, nobody) != 0)) {
                ::_exit(3);
            }
            const std::optional<double> stayed = make_cold(file);
            ::_exit(!stayed ? 2 : *stayed == 0 ? 0 : 1);
        }
        int status = 0;
        ::waitpid(child, &status, 0);
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    };
    EXPECT_EQ(answer_of_another(), 2) << "not told";
    if (!root) return;
    EXPECT_EQ(make_cold(file), 0.0) << "its owner";
    ASSERT_EQ(::fchmod(file.get(), 0666), 0);
    EXPECT_EQ(answer_of_another(), 0) << "may write to it";
}

TEST(Mapping, OwnsZeroedMemoryAndMoves) {
    Mapping mapping = Mapping::anonymous(10000);
    EXPECT_EQ(mapping.span().size(), 10000u);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(mapping.data()) % 4096, 0u);
    EXPECT_EQ(mapping.span()[9999], std::byte{});
    mapping.span()[0] = std::byte{7};
    const Mapping moved = std::move(mapping);
    EXPECT_EQ(moved.span()[0], std::byte{7});
    EXPECT_EQ(mapping.data(), nullptr);  // NOLINT(bugprone-use-after-move): that it is empty is the point
    EXPECT_THROW(Mapping::anonymous(std::size_t{1} << 60), std::system_error);
}

TEST(FileSystem, IsKnownByTypeAndTellsMemoryFromDisk) {
    EXPECT_THROW(file_system_of("/nonexistent"), std::system_error);
    const FileSystem here = file_system_of(std::filesystem::current_path());
    EXPECT_FALSE(here.type.empty());
    EXPECT_GE(here.total_bytes, here.free_bytes);
    if (std::filesystem::exists("/dev/shm")) {
        const FileSystem memory = file_system_of("/dev/shm");
        if (memory.type == "tmpfs") {
            EXPECT_TRUE(memory.in_memory);
        }
    }
    EXPECT_FALSE(file_system_of("/proc").over_network);
}

TEST(BlockDevice, IsFoundFromAFileAndItsCountersGrowWithDirectReads) {
    const Folder folder;
    const FileDescriptor file = make_nameless_file(folder.path());
    struct stat status {};
    ASSERT_EQ(::fstat(file.get(), &status), 0);
    const std::optional<BlockDevice> device = block_device_of(status.st_dev);
    if (!device) GTEST_SKIP() << "the working folder lies on no block device of this machine";
    EXPECT_FALSE(device->name.empty());
    EXPECT_TRUE(std::filesystem::exists(device->disk_folder / "queue"));
    EXPECT_EQ(logical_block_bytes(*device) % 512, 0u);
    const std::vector<BlockDevice> leaves = leaf_devices(*device);
    ASSERT_FALSE(leaves.empty());
    const std::optional<DeviceCounters> before = read_counters(leaves);
    if (!before) GTEST_SKIP() << "no counters here";

    // Others may use the disk too: of several attempts one shall show our bytes and hardly more.
    constexpr std::size_t bytes = 8 << 20;
    const Mapping memory = Mapping::anonymous(bytes);
    ASSERT_EQ(::pwrite(file.get(), memory.data(), bytes, 0), static_cast<ssize_t>(bytes));
    drop_page_cache(file);
    const FileDescriptor direct = open_file(path_of(file), O_RDONLY | O_DIRECT);
    bool exact = false;
    for (int attempt = 0; attempt < 20 && !exact; ++attempt) {
        const std::optional<DeviceCounters> start = read_counters(leaves);
        ASSERT_EQ(::pread(direct.get(), memory.data(), bytes, 0), static_cast<ssize_t>(bytes));
        const std::optional<DeviceCounters> end = read_counters(leaves);
        ASSERT_TRUE(start && end);
        EXPECT_GE(end->read_bytes - start->read_bytes, bytes);
        EXPECT_GE(end->reads, start->reads + 1);
        exact = end->read_bytes - start->read_bytes < bytes + bytes / 2;
    }
    EXPECT_TRUE(exact) << "the device's counter always shows half as much again as was read";
    EXPECT_GE(read_counters(leaves)->written_bytes - before->written_bytes, bytes);
    const std::map<std::string, std::string> settings = queue_settings(*device);
    if (settings.contains("scheduler")) {
        EXPECT_EQ(settings.at("scheduler").find('['), std::string::npos);
    }
}

TEST(BlockDevice, IsNothingWhereThereIsNone) {
    struct stat status {};
    ASSERT_EQ(::stat("/proc", &status), 0);
    EXPECT_FALSE(block_device_of(status.st_dev));
    EXPECT_FALSE(read_counters({}));
}

}  // namespace
}  // namespace assay::os
