#include "probes/storage/target/near_cpus.h"

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/probes/storage/target/loop_device.h"

namespace assay::storage {
namespace {

using testing::ElementsAre;

const std::string interrupts =
    "            CPU0       CPU1       CPU3\n"
    "  7:       9000          0          0  IO-APIC   7-edge      other\n"
    " 35:          0          1          0  PCI-MSIX-0000:00:02.0   0-edge      virtio1-config\n"
    " 36:          5        120        875  PCI-MSIX-0000:00:02.0   1-edge      virtio1-req.0\n"
    "NMI:       5000       5000       5000  Non-maskable interrupts\n"
    "ERR:          0\n";

TEST(NearCpus, AreThoseThatTakeTheDevicesInterrupts) {
    EXPECT_THAT(interrupted_cpus(interrupts, {"35", "36"}), ElementsAre(1, 3));
    EXPECT_THAT(interrupted_cpus(interrupts, {"7"}), ElementsAre(0));
    EXPECT_TRUE(interrupted_cpus(interrupts, {"99"}).empty());
    EXPECT_TRUE(interrupted_cpus("", {"7"}).empty());
}

TEST(NearCpus, KeepEveryCpuExactlyOnce) {
    EXPECT_THAT(nearest_first({2, 0, 1}, {}), ElementsAre(2, 0, 1));
    os::BlockDevice nowhere;
    nowhere.disk_folder = "/sys/nonexistent";
    EXPECT_THAT(nearest_first({2, 0, 1}, {nowhere}), ElementsAre(2, 0, 1));
}

/// A machine of two nodes with two CPUs each, and a disk on a controller of the second.
class NearCpusOfTwoNodes : public testing::Test {
  protected:
    void SetUp() override {
        write("sys/devices/system/node/node0/cpulist", "0-1");
        write("sys/devices/system/node/node1/cpulist", "2-3");
        write(controller_ + "/numa_node", "1");
        write(controller_ + "/msi_irqs/40", "msix");
        write(controller_ + "/nvme/nvme0/nvme0n1/size", "1");
        disk_.disk_folder = folder_.path() / controller_ / "nvme/nvme0/nvme0n1";
        interrupts("0 0 0 0");
    }
    void write(const std::filesystem::path& file, const std::string& content) const {
        std::filesystem::create_directories((folder_.path() / file).parent_path());
        std::ofstream(folder_.path() / file) << content;
    }
    void interrupts(const std::string& counts) const {
        write("proc/interrupts",
              "     CPU0 CPU1 CPU2 CPU3\n 39: 9 9 9 9 PCI other\n 40: " + counts + " PCI-MSI nvme0q1\n");
    }
    std::vector<int> nearest(const std::vector<int>& cpus) const {
        return nearest_first(cpus, {disk_}, folder_.path());
    }

    const std::string controller_ = "sys/devices/pci0000:00/0000:00:02.0";
    DiskFolder folder_;
    os::BlockDevice disk_;
};

TEST_F(NearCpusOfTwoNodes, AreThoseOfTheDisksNode) {
    EXPECT_THAT(nearest({0, 1, 2, 3}), ElementsAre(2, 3, 0, 1));
    EXPECT_THAT(nearest({0, 3, 1, 2}), ElementsAre(3, 2, 0, 1)) << "otherwise in their order";
    EXPECT_THAT(nearest({0, 1}), ElementsAre(0, 1));
    write(controller_ + "/numa_node", "0");
    EXPECT_THAT(nearest({2, 3, 0, 1}), ElementsAre(0, 1, 2, 3));
    write(controller_ + "/numa_node", "-1");  // not told
    EXPECT_THAT(nearest({2, 3, 0, 1}), ElementsAre(2, 3, 0, 1));
}

TEST_F(NearCpusOfTwoNodes, AreBeforeTheseTheFewThatTakeItsInterrupts) {
    interrupts("0 0 0 100");
    EXPECT_THAT(nearest({0, 1, 2, 3}), ElementsAre(3, 2, 0, 1));
    interrupts("0 100 0 0");  // on the other node
    EXPECT_THAT(nearest({0, 1, 2, 3}), ElementsAre(1, 2, 3, 0));
    interrupts("100 100 100 100");  // a queue for each
    EXPECT_THAT(nearest({0, 1, 2, 3}), ElementsAre(2, 3, 0, 1));
}

}  // namespace
}  // namespace assay::storage
