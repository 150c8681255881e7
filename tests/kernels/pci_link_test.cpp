#include "kernels/device/pci_link.h"

#include <filesystem>
#include <fstream>
#include <string>

#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace assay {
namespace {

namespace fs = std::filesystem;
using testing::IsEmpty;

/// A made /sys with a card behind a switch.
class PciLinks : public testing::Test {
  protected:
    PciLinks() : root_(fs::path(testing::TempDir()) / ("assay-pci-link-" + std::to_string(::getpid()))) {}
    ~PciLinks() override { fs::remove_all(root_); }

    static constexpr const char* port = "sys/devices/pci0000:00/0000:00:01.0";
    static constexpr const char* hub = "sys/devices/pci0000:00/0000:00:01.0/0000:01:00.0";
    static constexpr const char* card = "sys/devices/pci0000:00/0000:00:01.0/0000:01:00.0/0000:02:00.0";

    void write(const std::string& file, const std::string& text) {
        fs::create_directories((root_ / file).parent_path());
        std::ofstream(root_ / file) << text << '\n';
    }
    void link(const std::string& folder, const std::string& speed, const std::string& width) {
        write(folder + "/vendor", "0x10de");
        write(folder + "/current_link_speed", speed);
        write(folder + "/current_link_width", width);
        write(folder + "/max_link_speed", "32.0 GT/s PCIe");
        write(folder + "/max_link_width", "16");
    }
    void known_as(const std::string& address, const std::string& folder) {
        fs::create_directories(root_ / "sys/bus/pci/devices");
        fs::create_symlink(fs::absolute(root_ / folder), root_ / "sys/bus/pci/devices" / address);
    }
    fs::path root_;
};

TEST_F(PciLinks, AreToldFromTheCardUpToTheRoot) {
    link(port, "16.0 GT/s PCIe", "8");
    link(hub, "32.0 GT/s PCIe", "8");
    link(card, "32.0 GT/s PCIe", "16");
    write(std::string(card) + "/numa_node", "1");
    known_as("0000:02:00.0", card);
    const std::vector<PciLink> links = pci_links("0000:02:00.0", root_);
    ASSERT_EQ(links.size(), 3u);
    EXPECT_EQ(links[0].address, "0000:02:00.0");
    EXPECT_EQ(links[0].generation, 5);
    EXPECT_EQ(links[0].width, 16);
    EXPECT_EQ(links[0].greatest_generation, 5);
    EXPECT_EQ(links[2].address, "0000:00:01.0");
    EXPECT_EQ(links[2].generation, 4);
    EXPECT_EQ(links[2].width, 8);
    ASSERT_NE(narrowest(links), nullptr);
    EXPECT_EQ(narrowest(links)->address, "0000:00:01.0");
    EXPECT_EQ(pci_numa_node("0000:02:00.0", root_), 1);
}

TEST_F(PciLinks, OfEqualLinksTheCardsOwnIsTheNarrowest) {
    link(port, "8.0 GT/s PCIe", "16");
    link(hub, "8.0 GT/s PCIe", "16");
    link(card, "8 GT/s", "16");  // as older kernels write it
    known_as("0000:02:00.0", card);
    EXPECT_EQ(narrowest(pci_links("0000:02:00.0", root_))->address, "0000:02:00.0");
}

TEST_F(PciLinks, ABridgeWithoutALinkIsPassedOver) {
    link(port, "8.0 GT/s PCIe", "4");
    write(std::string(hub) + "/vendor", "0x1022");
    link(card, "8.0 GT/s PCIe", "16");
    known_as("0000:02:00.0", card);
    const std::vector<PciLink> links = pci_links("0000:02:00.0", root_);
    ASSERT_EQ(links.size(), 2u);
    EXPECT_EQ(narrowest(links)->width, 4);
}

TEST_F(PciLinks, WhatIsNotToldIsNotMadeUp) {
    EXPECT_THAT(pci_links("0000:02:00.0", root_), IsEmpty());
    EXPECT_THAT(pci_links("", root_), IsEmpty());
    EXPECT_EQ(pci_numa_node("0000:02:00.0", root_), std::nullopt);
    link(card, "Unknown", "255");
    write(std::string(card) + "/numa_node", "-1");
    known_as("0000:02:00.0", card);
    EXPECT_THAT(pci_links("0000:02:00.0", root_), IsEmpty());
    EXPECT_EQ(pci_numa_node("0000:02:00.0", root_), std::nullopt);
    EXPECT_EQ(narrowest({}), nullptr);
}

TEST(PciLink, GenerationsFollowFromTheRateAndCarryWhatTheirCodeLeaves) {
    const double rates[] = {2.5e9, 5e9, 8e9, 16e9, 32e9, 64e9};
    // Sixteen lanes one way, as published: 4, 8, 15.75, 31.5, 63 GB/s and of flits 118.
    const double published[] = {4e9, 8e9, 15.75e9, 31.5e9, 63e9, 118e9};
    for (int i = 0; i < 6; ++i) {
        EXPECT_EQ(pci_generation(rates[i]), i + 1);
        EXPECT_NEAR(pci_link_bytes_per_second(i + 1, 16), published[i], 0.001 * published[i]);
        EXPECT_DOUBLE_EQ(pci_link_bytes_per_second(i + 1, 4) * 4, pci_link_bytes_per_second(i + 1, 16));
    }
    EXPECT_EQ(pci_generation(20e9), std::nullopt);
    EXPECT_EQ(pci_link_bytes_per_second(0, 16), 0);
    EXPECT_EQ(pci_link_bytes_per_second(7, 16), 0);
}

}  // namespace
}  // namespace assay
