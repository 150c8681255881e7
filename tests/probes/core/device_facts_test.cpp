// What of a disk stands beside its figures, read from a made-up sysfs.

#include <filesystem>
#include <fstream>
#include <string>

#include <stdlib.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/core/os/block_device.h"

namespace assay::os {
namespace {

using testing::IsEmpty;

class DeviceFacts : public testing::Test {
  protected:
    DeviceFacts() {
        std::string name = (std::filesystem::temp_directory_path() / "assay-sys-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
        sys_ = name;
    }
    ~DeviceFacts() override { std::filesystem::remove_all(sys_); }
    void write(const std::string& file, const std::string& text) const {
        std::filesystem::create_directories((sys_ / file).parent_path());
        std::ofstream(sys_ / file) << text << '\n';
    }
    BlockDevice disk(const std::string& name) const { return {name, name, sys_ / name, sys_ / name}; }

    std::filesystem::path sys_;
};

TEST_F(DeviceFacts, TellQueuesAndTransportOfNvme) {
    for (const char* const queue : {"0", "1", "2", "10"}) {
        write(std::string("nvme0n1/mq/") + queue + "/cpu_list", "0");
    }
    write("nvme0n1/device/transport", "pcie");
    write("module/nvme/parameters/poll_queues", "4");
    const std::map<std::string, std::string> expected = {
        {"hardware_queues", "4"}, {"poll_queues", "4"}, {"nvme_transport", "pcie"}};
    EXPECT_EQ(device_facts(disk("nvme0n1"), sys_), expected);
}

TEST_F(DeviceFacts, TellEveryWayToAFabricsNamespaceOnce) {
    write("nvme1n1/device/nvme1/transport", "tcp");
    write("nvme1n1/device/nvme2/transport", "tcp");
    write("nvme1n1/device/nvme3/transport", "rdma");
    EXPECT_EQ(device_facts(disk("nvme1n1"), sys_).at("nvme_transport"), "rdma,tcp");
}

TEST_F(DeviceFacts, LeaveOutWhatIsNotTold) {
    write("vda/size", "2048");
    write("module/nvme/parameters/poll_queues", "4");
    EXPECT_THAT(device_facts(disk("vda"), sys_), IsEmpty()) << "another driver's parameter is not its own";
    EXPECT_EQ(disk_bytes(disk("vda")), 2048u * 512);
    EXPECT_FALSE(disk_bytes(disk("sdz")));
}

TEST_F(DeviceFacts, SettingsNameWhatIsInForce) {
    write("sda/queue/scheduler", "none [mq-deadline] kyber");
    write("sda/queue/max_sectors_kb", "1280");
    write("sda/queue/write_cache", "write back");
    write("sda/queue/wbt_lat_usec", "75000");
    const std::map<std::string, std::string> expected = {{"scheduler", "mq-deadline"},
                                                         {"max_sectors_kb", "1280"},
                                                         {"write_cache", "write back"},
                                                         {"wbt_lat_usec", "75000"}};
    EXPECT_EQ(queue_settings(disk("sda")), expected);
}

}  // namespace
}  // namespace assay::os
