#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/inventory/inventory.h"
#include "tests/probes/core/smbios_table.h"
#include "tests/probes/inventory/gpu_server.h"

namespace assay::inventory {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr std::uint64_t kibi = 1024;

TEST(GpuServer, ShowsSocketsCoresThreadsNodesAndCaches) {
    const FakeRoot root;
    make_gpu_server(root);
    const Topology topology = gather_topology(root.path());
    EXPECT_EQ(topology.sockets, 2);
    EXPECT_EQ(topology.cores, 4);
    EXPECT_EQ(topology.threads, 8);
    ASSERT_EQ(topology.numa.size(), 2u);
    EXPECT_EQ(topology.numa[1].index, 1);
    EXPECT_EQ(topology.numa[1].cpus, "2-3,6-7");
    EXPECT_EQ(topology.numa[1].memory_bytes, 263784652 * kibi);
    ASSERT_EQ(topology.caches.size(), 4u);
    EXPECT_EQ(topology.caches[3].name, "L3");
    EXPECT_EQ(topology.caches[3].count, 2);
    EXPECT_EQ(topology.caches[3].bytes, 43008 * kibi);
    EXPECT_EQ(topology.caches[0].count, 4);
}

TEST(GpuServer, LeavesTheEnvironmentAsItWas) {
    const FakeRoot root;
    add_cpus(root);
    gather_topology(root.path());
    EXPECT_EQ(std::getenv("HWLOC_FSROOT"), nullptr);
}

TEST(GpuServer, ShowsTheGpuWithItsLinkDriverAndNode) {
    const FakeRoot root;
    make_gpu_server(root);
    const std::vector<PciDevice> devices = gather_accelerators(root.path());
    ASSERT_EQ(devices.size(), 2u);
    const PciDevice& gpu = devices[1];
    EXPECT_EQ(gpu.address, "0000:17:00.0");
    EXPECT_TRUE(gpu.computes);
    EXPECT_EQ(gpu.vendor_name, "NVIDIA");
    EXPECT_EQ(gpu.name, "A100 PCIe 80GB");
    EXPECT_EQ(gpu.driver, "nvidia");
    EXPECT_EQ(gpu.numa_node, 1);
    EXPECT_EQ(gpu.link.generation, 1);
    EXPECT_EQ(gpu.link.width, 8);
    EXPECT_EQ(gpu.link.greatest_generation, 4);
    EXPECT_EQ(gpu.link.greatest_width, 16);
    EXPECT_EQ(
        describe(gather_machine(root.path(), {})).at("pci.0000:17:00.0"),
        "NVIDIA A100 PCIe 80GB [10de:20b5], PCIe 1.0 x8 now, device can 4.0 x16, driver nvidia, NUMA node 1");
}

TEST(GpuServer, ItsManagementDisplayIsNoGpu) {
    const FakeRoot root;
    make_gpu_server(root);
    EXPECT_EQ(gather_accelerators(root.path())[0].vendor_name, "ASPEED");
    EXPECT_FALSE(gather_accelerators(root.path())[0].computes);
    EXPECT_THAT(visible_gpus(root.path()), ElementsAre("NVIDIA A100 PCIe 80GB [10de:20b5] at 0000:17:00.0"));
}

TEST(Accelerators, AreToldFromDisplaysByVendorAndPlace) {
    const FakeRoot root;
    add_pci(root, "0000:00:02.0", "0x030000", "0x8086", "0x4680");  // inside an Intel processor
    add_pci(root, "0000:29:00.0", "0x038000", "0x8086", "0x56c0");  // Intel Data Center GPU Flex
    add_pci(root, "0000:05:00.0", "0x030000", "0x1002", "0x515e");  // ATI ES1000 on a server board
    add_pci(root, "0000:0c:00.0", "0x120000", "0x1002", "0x74a1");  // AMD processing accelerator
    add_pci(root, "0000:0d:00.0", "0x030000", "0x102b", "0x0536");  // Matrox
    add_pci(root, "0000:c1:00.0", "0x120000", "0x19e5", "0xd802");  // Huawei, shown but none of the three
    add_pci(root, "0000:0e:00.0", "0x068000", "0x10de", "0x1af1");  // NVSwitch: a bridge
    add_pci(root, "0000:0f:00.1", "0x040300", "0x10de", "0x1aef");  // a card's sound device
    std::vector<std::string> computing, others;
    for (const PciDevice& device : gather_accelerators(root.path())) {
        (device.computes ? computing : others).push_back(device.address);
    }
    EXPECT_THAT(computing, ElementsAre("0000:0c:00.0", "0000:29:00.0"));
    EXPECT_THAT(others, ElementsAre("0000:00:02.0", "0000:05:00.0", "0000:0d:00.0", "0000:c1:00.0"));
}

TEST(Accelerators, TakeTheNameThatTheDriverGivesBeforeAnyTable) {
    const FakeRoot root;
    add_pci(root, "0000:17:00.0", "0x030200", "0x10de", "0x2336");
    root.write("usr/share/misc/pci.ids",
               "# comment\n1002  AMD\n\t2336  not this one\n10de  NVIDIA Corporation\n\t2335  GH100 [other]\n"
               "\t2336  GH100 [H200 of the table]\n8086  Intel\n\t2336  nor this");
    EXPECT_EQ(gather_accelerators(root.path())[0].name, "H200 of the table");
    root.write("proc/driver/nvidia/gpus/0000:17:00.0/information",
               "Model: \t\t NVIDIA H200\nIRQ:   \t\t 18\nGPU UUID: \t GPU-1");
    EXPECT_EQ(gather_accelerators(root.path())[0].name, "H200");
}

TEST(GpuServer, TellsLocalNvmeFromNvmeOverFabrics) {
    const FakeRoot root;
    make_gpu_server(root);
    const std::vector<NvmeController> controllers = gather_nvme(root.path());
    ASSERT_EQ(controllers.size(), 2u);
    EXPECT_FALSE(controllers[0].over_fabrics());
    EXPECT_TRUE(controllers[1].over_fabrics());
    EXPECT_EQ(controllers[1].transport, "tcp");
}

TEST(GpuServer, ShowsItsDisksWithModelSizeTransportAndLink) {
    const FakeRoot root;
    make_gpu_server(root);
    const std::vector<BlockDevice> blocks = gather_blocks(root.path());
    ASSERT_EQ(blocks.size(), 3u);
    EXPECT_EQ(blocks[0].name, "nvme0n1");
    EXPECT_EQ(blocks[0].model, "SAMSUNG MZQL23T8HCLS-00A07");
    EXPECT_EQ(blocks[0].firmware, "GDC5602Q");
    EXPECT_EQ(blocks[0].bytes, 7501476528u * 512u);
    EXPECT_EQ(blocks[0].rotational, false);
    EXPECT_EQ(blocks[0].transport, "nvme");
    EXPECT_EQ(blocks[0].link.generation, 4);
    EXPECT_EQ(blocks[0].link.width, 4);
    EXPECT_EQ(blocks[1].transport, "nvme over tcp");
    EXPECT_EQ(blocks[2].name, "sda");
    EXPECT_EQ(blocks[2].transport, "sata");
    EXPECT_EQ(blocks[2].rotational, true);
    EXPECT_EQ(describe(gather_machine(root.path(), {})).at("block.sda"),
              "ST8000NM000A, 8.002 TB, sata, rotational, firmware SN02");
}

TEST(GpuServer, ShowsNetworkInterfacesThatHaveHardware) {
    const FakeRoot root;
    make_gpu_server(root);
    const std::vector<NetworkInterface> interfaces = gather_interfaces(root.path());
    ASSERT_EQ(interfaces.size(), 3u);  // not lo
    EXPECT_EQ(interfaces[0].speed_bits, 25e9);
    EXPECT_EQ(interfaces[0].driver, "mlx5_core");
    EXPECT_EQ(interfaces[0].link.width, 16);
    EXPECT_FALSE(interfaces[1].speed_bits) << "a link that is down has no speed";
    EXPECT_EQ(interfaces[1].state, "down");
    EXPECT_TRUE(interfaces[2].infiniband);
    const std::map<std::string, std::string> facts = describe(gather_machine(root.path(), {}));
    EXPECT_EQ(facts.at("network.ibp202s0"),
              "InfiniBand, 200 Gbit/s, driver mlx5_core, up, MTU 1500, PCIe 4.0 x16");
    EXPECT_EQ(facts.at("rdma.mlx5_2/1"), "InfiniBand, 200 Gb/sec (4X HDR), ACTIVE");
}

TEST(GpuServer, NamesItsFirmwareAndSerialNumber) {
    const FakeRoot root;
    make_gpu_server(root);
    const std::map<std::string, std::string> facts = describe(gather_machine(root.path(), {}));
    EXPECT_EQ(facts.at("system.product"), "PowerEdge R750xa");
    EXPECT_EQ(facts.at("system.bios"), "Dell Inc. 1.9.2 11/17/2022");
    EXPECT_EQ(facts.at("system.serial"), "8XKQ2Z3");
    EXPECT_EQ(facts.at("hypervisor"), "none seen");
}

TEST(Platform, PlaceholdersAreNoSerialNumbers) {
    const FakeRoot root;
    root.write("sys/class/dmi/id/product_serial", "To be filled by O.E.M.");
    EXPECT_THAT(gather_platform(root.path(), {}).serial, IsEmpty());
}

TEST(Platform, NamesTheHypervisorByCpuidElseByFirmware) {
    const FakeRoot root;
    root.write("sys/class/dmi/id/sys_vendor", "QEMU");
    EXPECT_EQ(gather_platform(root.path(), {{}, "KVMKVMKVM"}).hypervisor, "KVM");
    EXPECT_EQ(gather_platform(root.path(), {}).hypervisor, "QEMU");
}

TEST(Driver, VersionIsReadFromBothFormsOfTheDriversFile) {
    const FakeRoot root;
    root.write("proc/driver/nvidia/version",
               "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.154.05  Thu Dec 28 15:37:48 UTC 2023\n"
               "GCC version:  gcc version 12.2.0 (Debian 12.2.0-14)");
    EXPECT_EQ(gather_software(root.path()).nvidia_driver, "535.154.05");
    root.write("proc/driver/nvidia/version",
               "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  550.54.14  Release Build  (a@b)");
    EXPECT_EQ(gather_software(root.path()).nvidia_driver, "550.54.14");
    root.write("proc/driver/nvidia/version", "GCC version:  gcc version 12.2.0");
    EXPECT_THAT(gather_software(root.path()).nvidia_driver, IsEmpty());
}

TEST(Memory, ShowsTotalAndHugePages) {
    const FakeRoot root;
    add_memory(root);
    const MemoryFacts memory = gather_memory(root.path());
    EXPECT_EQ(memory.total_bytes, 527569304 * kibi);
    EXPECT_FALSE(memory.limit_bytes);
    ASSERT_EQ(memory.huge_pages.size(), 1u);
    EXPECT_EQ(memory.huge_pages[0].page_bytes, kibi * kibi * kibi);
    EXPECT_EQ(memory.huge_pages[0].total, 16);
    EXPECT_EQ(memory.transparent_huge_pages, "madvise");
}

TEST(Memory, ModulesAreListedLikeOnesTogether) {
    const FakeRoot root;
    add_memory(root);
    Machine machine;
    machine.memory = gather_memory(root.path());
    EXPECT_EQ(describe(machine).at("memory.modules"), "not exposed");

    test::SmbiosTable table;
    table.slot({"DIMM_A1", "CHANNEL A", 65536, 5600, 4800, 0x22});
    table.slot({"DIMM_A2", "CHANNEL A"});
    table.slot({"DIMM_B1", "CHANNEL B", 65536, 5600, 4800, 0x22});
    table.slot({"DIMM_C1", "CHANNEL C", 32768, 4800, 4800, 0x22});
    table.end();
    root.write("sys/firmware/dmi/tables/DMI", table.bytes());
    machine.memory = gather_memory(root.path());
    const std::map<std::string, std::string> facts = describe(machine);
    EXPECT_EQ(facts.at("memory.modules"),
              "2 x 64 GiB DDR5 at 4800 MT/s (rated 5600), 1 x 32 GiB DDR5 at 4800 MT/s, 1 slot empty");
    EXPECT_EQ(facts.at("memory.channels_with_modules"), "3");
}

TEST(Memory, TheTightestLimitOfAVersion2GroupAndItsParentsCounts) {
    const FakeRoot root;
    add_memory(root);
    root.write("proc/self/cgroup", "0::/kubepods/pod1/box");
    root.write("proc/self/mountinfo", "30 23 0:26 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw");
    root.write("sys/fs/cgroup/kubepods/pod1/box/memory.max", "max");
    root.write("sys/fs/cgroup/kubepods/pod1/box/cpu.max", "max 100000");
    root.write("sys/fs/cgroup/kubepods/pod1/memory.max", "17179869184");
    root.write("sys/fs/cgroup/kubepods/pod1/cpu.max", "350000 100000");
    root.write("sys/fs/cgroup/kubepods/memory.max", "34359738368");
    const MemoryFacts memory = gather_memory(root.path());
    EXPECT_EQ(memory.limit_bytes, 17179869184u);
    EXPECT_EQ(memory.limit_source, "cgroup v2");
    EXPECT_EQ(gather_cpu(root.path(), {}).quota, 3.5);
}

TEST(Memory, AVersion1LimitCountsAndItsUnlimitedDoesNot) {
    const FakeRoot root;
    add_memory(root);
    root.write("proc/self/cgroup", "4:memory:/docker/abc\n1:cpu,cpuacct:/docker/abc\n0::/");
    root.write("proc/self/mountinfo",
               "40 30 0:30 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n"
               "41 30 0:31 /docker/abc /sys/fs/cgroup/cpu,cpuacct ro - cgroup cgroup rw,cpu,cpuacct");
    root.write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712");
    root.write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1");
    root.write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000");
    EXPECT_FALSE(gather_memory(root.path()).limit_bytes);
    EXPECT_FALSE(gather_cpu(root.path(), {}).quota);
    root.write("sys/fs/cgroup/memory/memory.limit_in_bytes", "8589934592");
    root.write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "200000");
    EXPECT_EQ(gather_memory(root.path()).limit_bytes, 8589934592u);
    EXPECT_EQ(gather_memory(root.path()).limit_source, "cgroup v1");
    EXPECT_EQ(gather_cpu(root.path(), {}).quota, 2.0);
}

TEST(Memory, ALimitAboveWhatThereIsLimitsNothing) {
    const FakeRoot root;
    add_memory(root);
    root.write("proc/self/cgroup", "0::/");
    root.write("proc/self/mountinfo", "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw");
    root.write("sys/fs/cgroup/memory.max", "1099511627776");
    EXPECT_FALSE(gather_memory(root.path()).limit_bytes);
}

TEST(Absence, AnEmptyTreeThrowsNothingAndClaimsNothing) {
    const FakeRoot root;
    const Machine machine = gather_machine(root.path(), {});
    const Probe probe = inventory_system_probe();
    const Outcome outcome = machine_outcome(make_case(probe, {}), probe, machine);
    EXPECT_THAT(outcome.metrics, IsEmpty());
    EXPECT_THAT(visible_gpus(root.path()), IsEmpty());
    EXPECT_EQ(outcome.resolved.at("cpu.governor"), "not exposed");
}

TEST(Absence, RubbishInEveryFileThrowsNothingAndBecomesNoNumber) {
    for (const char* rubbish :
         {"", "x", "-1", "0x", "99999999999999999999999", "18446744073709551615", "[", "]["}) {
        const FakeRoot root;
        make_gpu_server(root);
        for (const std::filesystem::directory_entry& entry :
             std::filesystem::recursive_directory_iterator(root.path())) {
            if (entry.is_regular_file() && !entry.is_symlink())
                std::ofstream(entry.path()) << rubbish << '\n';
        }
        const Probe probe = inventory_system_probe();
        const Machine machine = gather_machine(root.path(), {});
        const Outcome outcome = machine_outcome(make_case(probe, {}), probe, machine);
        for (const Metric& metric : outcome.metrics) {
            EXPECT_THAT(metric.name, Not(HasSubstr("memory"))) << rubbish;
            EXPECT_THAT(metric.name, Not(HasSubstr("clock"))) << rubbish;
        }
        EXPECT_THAT(machine.blocks, IsEmpty()) << rubbish;
    }
}

}  // namespace
}  // namespace assay::inventory
