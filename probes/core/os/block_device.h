#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace assay::os {

/// A block device as /sys/block tells it: a disk, a partition, a logical volume.
struct BlockDevice {
    std::string name;              ///< "nvme0n1p2"
    std::string disk;              ///< the whole device that it is, or is part of: "nvme0n1"
    std::filesystem::path folder;  ///< its own folder in sysfs
    std::filesystem::path disk_folder;
};

/// What a device has read and written since the system started.
struct DeviceCounters {
    std::uint64_t reads = 0;
    std::uint64_t read_bytes = 0;
    std::uint64_t writes = 0;
    std::uint64_t written_bytes = 0;
    double busy_seconds = 0;  ///< with at least one request in flight
};

/// The device of a device number (stat's st_dev of a file, st_rdev of a block device). File systems that
/// make numbers up (btrfs) are found through their mount. Nothing where the data lies on no block device of
/// this machine: overlay and network file systems.
std::optional<BlockDevice> block_device_of(dev_t number);

/// The devices that really hold the data: through logical volumes, RAID, encryption and loop files down to
/// the disks and partitions. A device on which nothing is stacked is its own leaf.
std::vector<BlockDevice> leaf_devices(const BlockDevice& device);

/// Summed over devices; nothing where one of them has none.
std::optional<DeviceCounters> read_counters(const std::vector<BlockDevice>& devices);

/// What of the disk's settings changes a measurement: scheduler, nr_requests, rotational, wbt_lat_usec,
/// write_cache, io_poll, nomerges, iostats, max_sectors_kb, model. What is not told is left out.
std::map<std::string, std::string> queue_settings(const BlockDevice& device);

/// What the disk is, where the system tells: hardware_queues; of NVMe also poll_queues (as the driver was
/// asked for them) and nvme_transport ("pcie", "tcp", "rdma"). `sys` is where sysfs is.
std::map<std::string, std::string> device_facts(const BlockDevice& device,
                                                const std::filesystem::path& sys = "/sys");

/// The whole disk's capacity, also of one of its partitions; nothing where it does not tell.
std::optional<std::uint64_t> disk_bytes(const BlockDevice& device);

/// The smallest direct I/O in bytes; 512 where the device does not tell.
std::uint64_t logical_block_bytes(const BlockDevice& device);

}  // namespace assay::os
