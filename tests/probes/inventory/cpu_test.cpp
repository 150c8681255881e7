#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/inventory/tree.h"
#include "tests/probes/inventory/gpu_server.h"

namespace assay::inventory {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Cpu, ShowsModelFlagsAndAllowedCpus) {
    const FakeRoot root;
    add_cpus(root);
    root.write("proc/self/status", "Name:\tassay\nCpus_allowed_list:\t0-2,6");
    const CpuFacts cpu = gather_cpu(root.path(), {});
    EXPECT_EQ(cpu.model, "Intel(R) Xeon(R) Gold 6348 CPU @ 2.60GHz");
    EXPECT_EQ(cpu.logical, 8);
    EXPECT_EQ(cpu.allowed, 4);
    EXPECT_EQ(cpu.smt_active, true);
    EXPECT_TRUE(cpu.avx512());
    EXPECT_TRUE(cpu.has("avx512_vnni"));
    EXPECT_FALSE(cpu.has("amx_tile"));
}

TEST(Cpu, HasAvx512OnlyWithAllPartsThatTheKernelsNeed) {
    CpuFacts cpu;
    cpu.flags = {"avx512f", "avx512dq", "avx512vl"};
    EXPECT_FALSE(cpu.avx512());
    cpu.flags.push_back("avx512bw");
    EXPECT_TRUE(cpu.avx512());
}

TEST(BaseClock, ComesFromCpufreqThenAcpiThenCpuidThenTheName) {
    const FakeRoot root;
    add_cpus(root, "Model @ 2.10GHz");
    CpuidFacts cpuid;
    const auto clock = [&] { return gather_cpu(root.path(), cpuid).base_clock; };
    EXPECT_DOUBLE_EQ(clock()->value, 2.1e9);
    cpuid.base_clock_hertz = 2.2e9;
    EXPECT_DOUBLE_EQ(clock()->value, 2.2e9);
    root.write("sys/devices/system/cpu/cpu0/acpi_cppc/nominal_freq", "2300");
    EXPECT_DOUBLE_EQ(clock()->value, 2.3e9);
    root.write("sys/devices/system/cpu/cpu0/cpufreq/base_frequency", "2400000");
    EXPECT_DOUBLE_EQ(clock()->value, 2.4e9);
    EXPECT_EQ(clock()->source, "cpufreq base_frequency");
}

TEST(BaseClock, IsAbsentAndNotTheTimeStampCountersWhereNothingTellsIt) {
    const FakeRoot root;
    add_cpus(root, "AMD EPYC");
    root.write("sys/devices/system/cpu/cpu0/acpi_cppc/nominal_freq", "0");
    const CpuFacts cpu = gather_cpu(root.path(), {});
    EXPECT_FALSE(cpu.base_clock);
    ASSERT_TRUE(cpu.tsc_clock);
    EXPECT_DOUBLE_EQ(*cpu.tsc_clock, 2.6e9);
}

TEST(BaseClock, IsTheGreatestWhereCoresDifferAndSaysSo) {
    const FakeRoot root;
    add_cpus(root);
    add_cpufreq(root, "powersave");
    EXPECT_FALSE(gather_cpu(root.path(), {}).base_clock_differs);
    root.write("sys/devices/system/cpu/cpu0/cpufreq/base_frequency", "1900000");
    const CpuFacts cpu = gather_cpu(root.path(), {});
    EXPECT_DOUBLE_EQ(cpu.base_clock->value, 2.6e9);
    EXPECT_TRUE(cpu.base_clock_differs);
}

TEST(Governor, IsCountedOverAllCpus) {
    const FakeRoot root;
    add_cpus(root);
    EXPECT_THAT(gather_cpu(root.path(), {}).governors, IsEmpty());
    add_cpufreq(root, "performance");
    EXPECT_THAT(gather_cpu(root.path(), {}).governors, ElementsAre(std::pair("performance", 8)));
    root.write("sys/devices/system/cpu/cpu5/cpufreq/scaling_governor", "powersave");
    EXPECT_THAT(gather_cpu(root.path(), {}).governors,
                ElementsAre(std::pair("performance", 7), std::pair("powersave", 1)));
}

TEST(Readers, CountListsOfCpus) {
    EXPECT_EQ(count_of_list("0"), 1);
    EXPECT_EQ(count_of_list("0-3,8,10-11"), 7);
    EXPECT_EQ(count_of_list(""), std::nullopt);
    EXPECT_EQ(count_of_list("3-1"), std::nullopt);
    EXPECT_EQ(count_of_list("a"), std::nullopt);
    EXPECT_EQ(count_of_list("-1"), std::nullopt);
}

TEST(Readers, FindVersionsAmongWords) {
    EXPECT_EQ(first_dotted_number("Module for x86_64  550.54.14  Release"), "550.54.14");
    EXPECT_EQ(first_dotted_number("no 12 number 3."), "");
}

TEST(Readers, LinksOfUnknownSpeedOrWidthAreNotDescribed) {
    const FakeRoot root;
    root.write("device/current_link_speed", "Unknown");
    root.write("device/current_link_width", "0");
    EXPECT_FALSE(link_of(root.path() / "device", root.path()).known());
    root.write("device/current_link_speed", "32 GT/s");  // as older kernels write it
    root.write("device/current_link_width", "16");
    EXPECT_EQ(describe_link(link_of(root.path() / "device", root.path())), "PCIe 5.0 x16");
}

}  // namespace
}  // namespace assay::inventory
