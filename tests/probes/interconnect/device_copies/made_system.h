#pragma once

#include <filesystem>
#include <fstream>
#include <string>

#include <unistd.h>

#include <gtest/gtest.h>

namespace assay::interconnect {

/// A made /sys with one card, at 0000:02:00.0 below the port 0000:00:01.0; gone with the test.
class MadeSystem {
  public:
    MadeSystem()
        : root_(std::filesystem::path(testing::TempDir()) / ("assay-copies-" + std::to_string(::getpid()))) {
        std::filesystem::create_directories(root_ / "sys/bus/pci/devices");
    }
    ~MadeSystem() {
        std::error_code ignored;
        std::filesystem::remove_all(root_, ignored);
    }
    MadeSystem(const MadeSystem&) = delete;
    MadeSystem& operator=(const MadeSystem&) = delete;

    static constexpr const char* address = "0000:02:00.0";
    static constexpr const char* port = "sys/devices/pci0000:00/0000:00:01.0/";
    static constexpr const char* card = "sys/devices/pci0000:00/0000:00:01.0/0000:02:00.0/";

    const std::filesystem::path& root() const { return root_; }
    void write(const std::string& file, const std::string& text) const {
        std::filesystem::create_directories((root_ / file).parent_path());
        std::ofstream(root_ / file) << text << '\n';
    }
    /// The card's link can 5.0 x16.
    void links(const std::string& card_speed, const std::string& card_width, const std::string& port_speed,
               const std::string& port_width) const {
        for (const std::string folder : {port, card}) {
            write(folder + "vendor", "0x10de");
            write(folder + "current_link_speed", folder == card ? card_speed : port_speed);
            write(folder + "current_link_width", folder == card ? card_width : port_width);
            write(folder + "max_link_speed", "32.0 GT/s PCIe");
            write(folder + "max_link_width", "16");
        }
        const std::filesystem::path link = root_ / "sys/bus/pci/devices" / address;
        std::filesystem::remove(link);
        std::filesystem::create_symlink(std::filesystem::absolute(root_ / card), link);
    }
    void node(const std::string& id, const std::string& cpus) const {
        write("sys/devices/system/node/node" + id + "/cpulist", cpus);
        write("sys/devices/system/node/node" + id + "/meminfo", "Node " + id + " MemTotal: 1024 kB");
    }

  private:
    std::filesystem::path root_;
};

}  // namespace assay::interconnect
