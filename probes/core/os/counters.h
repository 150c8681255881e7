#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

namespace assay::os {

/// CPU time of the machine in clock ticks, summed over its CPUs (/proc/stat).
struct CpuTicks {
    std::uint64_t user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0;

    std::uint64_t busy() const { return user + nice + system; }
    std::uint64_t total() const { return busy() + idle + iowait + irq + softirq + steal; }
};
/// What passed between two readings; a counter that went back (idle time does, on some kernels) gives 0.
CpuTicks operator-(const CpuTicks& later, const CpuTicks& earlier);
std::optional<CpuTicks> parse_cpu_ticks(std::string_view proc_stat);

/// Time in which at least one task was stalled, from the "some" line of a /proc/pressure file.
std::optional<std::uint64_t> parse_stalled_microseconds(std::string_view pressure);

/// Bytes read and written on the devices of /proc/diskstats that `counted` takes.
std::uint64_t parse_device_bytes(std::string_view diskstats,
                                 const std::function<bool(std::string_view name)>& counted);
/// The same of this machine: each byte once, at the topmost device (a logical volume and not the disks under
/// it); loop devices and partitions are left out, since their bytes show on the disk.
std::optional<std::uint64_t> physical_device_bytes();

/// Bytes that this process and its reaped children caused to be moved on devices (/proc/self/io).
std::optional<std::uint64_t> own_device_bytes();
std::optional<std::uint64_t> parse_own_bytes(std::string_view proc_self_io);

}  // namespace assay::os
