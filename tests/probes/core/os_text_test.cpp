#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/core/os/cgroup.h"
#include "probes/core/os/counters.h"
#include "probes/core/os/text.h"

namespace assay::os {
namespace {

using testing::ElementsAre;

TEST(Text, SplitsAndParses) {
    EXPECT_THAT(split("  a b   c", ' '), ElementsAre("a", "b", "c"));
    EXPECT_TRUE(split("", ' ').empty());
    EXPECT_EQ(parse_number("42"), 42u);
    EXPECT_FALSE(parse_number("42 "));
    EXPECT_FALSE(parse_number("-1"));
    EXPECT_FALSE(parse_number(""));
    EXPECT_EQ(value_of("oom_kill_disable 0\nunder_oom 0\noom_kill 3\n", "oom_kill"), 3u);
    EXPECT_FALSE(value_of("oom_kill_disable 0\n", "oom_kill"));
}

TEST(Text, ReadsListsOfCpus) {
    EXPECT_THAT(parse_cpu_list("0-3,8"), ElementsAre(0, 1, 2, 3, 8));
    EXPECT_THAT(parse_cpu_list("5"), ElementsAre(5));
    EXPECT_TRUE(parse_cpu_list("").empty());
    EXPECT_TRUE(parse_cpu_list("x,3-,0-99999999").empty());
}

TEST(Counters, ReadCpuTicksWithoutCountingGuestsTwice) {
    const std::optional<CpuTicks> ticks =
        parse_cpu_ticks("cpu  100 20 30 400 50 6 7 8 90 10\ncpu0 1 1 1 1 1 1 1 1 0 0\nintr 5\n");
    ASSERT_TRUE(ticks);
    EXPECT_EQ(ticks->busy(), 150u);
    EXPECT_EQ(ticks->steal, 8u);
    EXPECT_EQ(ticks->total(), 621u);
    EXPECT_FALSE(parse_cpu_ticks("intr 5\n"));
    EXPECT_FALSE(parse_cpu_ticks("cpu 1 2 3\n"));
}

TEST(Counters, NeverGoBackwards) {
    CpuTicks earlier;
    earlier.idle = 10;
    earlier.user = 5;
    CpuTicks later;
    later.idle = 8;
    later.user = 9;
    EXPECT_EQ((later - earlier).idle, 0u);
    EXPECT_EQ((later - earlier).user, 4u);
}

TEST(Counters, ReadPressureOfSomeNotOfFull) {
    EXPECT_EQ(parse_stalled_microseconds("some avg10=0.00 avg60=0.00 avg300=0.00 total=1234\n"
                                         "full avg10=0.00 avg60=0.00 avg300=0.00 total=99\n"),
              1234u);
    EXPECT_FALSE(parse_stalled_microseconds(""));
    EXPECT_FALSE(parse_stalled_microseconds("full avg10=0.00 total=99\n"));
}

TEST(Counters, SumBytesOfTheDevicesCounted) {
    const std::string diskstats =
        "   7       0 loop0 9 0 1000 0 0 0 0 0 0 0 0\n"
        " 259       0 nvme0n1 10 1 16 5 20 2 32 9 0 1 2 0 0 0 0 0 0\n"
        " 259       1 nvme0n1p1 10 1 8 5 20 2 8 9 0 1 2 0 0 0 0 0 0\n";
    EXPECT_EQ(parse_device_bytes(diskstats, [](std::string_view name) { return name == "nvme0n1"; }),
              48u * 512);
    EXPECT_EQ(parse_device_bytes(diskstats, [](std::string_view) { return false; }), 0u);
}

TEST(Counters, ReadOwnBytesWithoutWritesThatWereTakenBack) {
    const std::string io =
        "rchar: 1\nwchar: 2\nsyscr: 3\nsyscw: 4\nread_bytes: 1000\nwrite_bytes: 500\ncancelled_write_bytes: "
        "200\n";
    EXPECT_EQ(parse_own_bytes(io), 1300u);
    EXPECT_FALSE(parse_own_bytes("rchar: 1\n"));
}

std::vector<std::string> strings(const std::vector<std::filesystem::path>& paths) {
    std::vector<std::string> result;
    for (const std::filesystem::path& path : paths) result.push_back(path.string());
    return result;
}

TEST(Cgroup, FindsTheOwnFolderAndItsAncestorsInVersionTwo) {
    const std::string mountinfo =
        "24 1 0:22 / /sys rw - sysfs sysfs rw\n"
        "30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n";
    EXPECT_THAT(
        strings(cgroup_folders("cpu", "0::/user.slice/run-1.scope\n", mountinfo)),
        ElementsAre("/sys/fs/cgroup/user.slice/run-1.scope", "/sys/fs/cgroup/user.slice", "/sys/fs/cgroup"));
    EXPECT_THAT(strings(cgroup_folders("cpu", "0::/\n", mountinfo)), ElementsAre("/sys/fs/cgroup"));
    // A namespace from whose inside the own group lies outside.
    EXPECT_THAT(strings(cgroup_folders("cpu", "0::/../other\n", mountinfo)), ElementsAre("/sys/fs/cgroup"));
}

TEST(Cgroup, FindsAControllerMountedWithOthersInVersionOne) {
    const std::string mountinfo =
        "31 30 0:27 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
        "32 30 0:28 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
        "33 30 0:29 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";
    const std::string cgroup = "9:name=systemd:/\n4:memory:/a/b\n1:cpu,cpuacct:/jobs\n0::/unified/place\n";
    EXPECT_THAT(strings(cgroup_folders("memory", cgroup, mountinfo)),
                ElementsAre("/sys/fs/cgroup/memory/a/b", "/sys/fs/cgroup/memory/a", "/sys/fs/cgroup/memory"));
    EXPECT_THAT(strings(cgroup_folders("cpu", cgroup, mountinfo)),
                ElementsAre("/sys/fs/cgroup/cpu,cpuacct/jobs", "/sys/fs/cgroup/cpu,cpuacct"));
    // Not bound in version 1: what version 2 has.
    EXPECT_THAT(strings(cgroup_folders("io", cgroup, mountinfo)).front(),
                "/sys/fs/cgroup/unified/unified/place");
}

TEST(Cgroup, UnderstandsAContainerThatSeesOnlyItsPart) {
    const std::string mountinfo =
        "32 30 0:28 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n";
    EXPECT_THAT(strings(cgroup_folders("memory", "4:memory:/docker/abc\n", mountinfo)),
                ElementsAre("/sys/fs/cgroup/memory"));
    EXPECT_THAT(strings(cgroup_folders("memory", "4:memory:/docker/abc/inner\n", mountinfo)),
                ElementsAre("/sys/fs/cgroup/memory/inner", "/sys/fs/cgroup/memory"));
    EXPECT_TRUE(cgroup_folders("memory", "", mountinfo).empty());
    EXPECT_TRUE(cgroup_folders("memory", "4:memory:/x\n", "").empty());
}

}  // namespace
}  // namespace assay::os
