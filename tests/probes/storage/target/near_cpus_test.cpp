#include "probes/storage/target/near_cpus.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

}  // namespace
}  // namespace assay::storage
