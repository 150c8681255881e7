#include "probes/core/os/conditions.h"

#include <array>
#include <chrono>
#include <filesystem>
#include <thread>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "probes/core/os/block_device.h"
#include "probes/core/os/counters.h"
#include "probes/core/os/file_system.h"
#include "probes/core/os/mapping.h"
#include "probes/core/os/scratch_file.h"

namespace assay::os {
namespace {

void expect_share(const std::optional<double>& share) {
    if (!share) return;
    EXPECT_GE(*share, 0.0);
    EXPECT_LE(*share, 1.0);
}

TEST(Conditions, AreSharesAndAbsentWhereTheSystemDoesNotTell) {
    ConditionsWatch watch;
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    const Conditions conditions = watch.finish();
    expect_share(conditions.cpu_steal);
    expect_share(conditions.pressure);
    expect_share(conditions.throttled);
    expect_share(conditions.foreign_io);
    expect_share(conditions.foreign_cpu);
    EXPECT_EQ(conditions.foreign_io.has_value(), physical_device_bytes() && own_device_bytes());
}

TEST(Conditions, ToldAtOnceClaimNothingOfCpuTime) {
    ConditionsWatch watch;
    const Conditions conditions = watch.finish();
    EXPECT_FALSE(conditions.cpu_steal) << "a share of hardly any clock ticks";
    EXPECT_FALSE(conditions.foreign_cpu);
}

/// CPU seconds burnt by spinning.
void burn(std::chrono::milliseconds time) {
    const std::chrono::steady_clock::time_point end = std::chrono::steady_clock::now() + time;
    while (std::chrono::steady_clock::now() < end) {
    }
}

TEST(Conditions, CountAnotherProcessesCpuTimeAsForeignButNotOurs) {
    // Two processes, so that their own share is far above what else a busy machine may do.
    ConditionsWatch watch;
    burn(std::chrono::milliseconds(400));
    const std::optional<double> own = watch.finish().foreign_cpu;

    const pid_t parent = ::getpid();
    ConditionsWatch second;
    const pid_t other = ::fork();
    ASSERT_GE(other, 0);
    if (other == 0) {
        while (::getppid() == parent) burn(std::chrono::milliseconds(10));
        ::_exit(0);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(400));
    const std::optional<double> foreign = second.finish().foreign_cpu;
    ::kill(other, SIGKILL);
    ::waitpid(other, nullptr, 0);
    if (!own || !foreign) GTEST_SKIP() << "no CPU times here";
    EXPECT_GT(*foreign, 0.2 / static_cast<double>(std::thread::hardware_concurrency()));
    EXPECT_LT(*own, 1.0);
}

/// Direct reads of `bytes` from a file, by this process.
void read_directly(const FileDescriptor& file, std::size_t bytes, int times) {
    const Mapping memory = Mapping::anonymous(bytes);
    const FileDescriptor direct = open_file(path_of(file), O_RDONLY | O_DIRECT);
    for (int i = 0; i < times; ++i) {
        ASSERT_EQ(::pread(direct.get(), memory.data(), bytes, 0), static_cast<ssize_t>(bytes));
    }
}

TEST(Conditions, CountAnotherProcessesDirectReadsAsForeignIo) {
    const FileDescriptor file = make_nameless_file(std::filesystem::current_path());
    struct stat status {};
    ASSERT_EQ(::fstat(file.get(), &status), 0);
    const std::optional<BlockDevice> device = block_device_of(status.st_dev);
    if (!device || !physical_device_bytes() || !own_device_bytes()) GTEST_SKIP() << "no counters here";
    constexpr std::size_t bytes = 8 << 20;
    const Mapping memory = Mapping::anonymous(bytes);
    ASSERT_EQ(::pwrite(file.get(), memory.data(), bytes, 0), static_cast<ssize_t>(bytes));
    ASSERT_EQ(::fsync(file.get()), 0);

    ConditionsWatch quiet;
    read_directly(file, bytes, 8);
    const std::optional<double> ours = quiet.finish().foreign_io;

    // A process that is not our child while we watch: one whose grandparent we are, reaped by nobody of us.
    ConditionsWatch disturbed;
    const pid_t other = ::fork();
    ASSERT_GE(other, 0);
    if (other == 0) {
        read_directly(file, bytes, 8);
        ::pause();
        ::_exit(0);
    }
    const std::optional<DeviceCounters> before = read_counters(leaf_devices(*device));
    for (int i = 0; i < 500; ++i) {
        const std::optional<DeviceCounters> now = read_counters(leaf_devices(*device));
        if (now && before && now->read_bytes - before->read_bytes >= 8 * bytes) break;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    const std::optional<double> foreign = disturbed.finish().foreign_io;
    ::kill(other, SIGKILL);
    ::waitpid(other, nullptr, 0);
    ASSERT_TRUE(ours && foreign);
    EXPECT_GT(*foreign, 0.5);
    EXPECT_LT(*ours, *foreign);
}

}  // namespace
}  // namespace assay::os
