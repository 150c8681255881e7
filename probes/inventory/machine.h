#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "kernels/cuda/nvml.h"
#include "probes/core/os/memory_modules.h"

/// What a machine says of itself, read from procfs and sysfs. An absent fact is an empty optional, never a
/// zero or a guess; nothing here throws because a file is missing.
namespace assay::inventory {

/// A fact with where it was read, since two sources may differ.
struct Sourced {
    double value = 0;
    std::string source;  ///< "cpufreq base_frequency"
};

/// What the CPU itself answers to CPUID, which no file shows.
struct CpuidFacts {
    std::optional<double> base_clock_hertz;  ///< leaf 0x16
    std::string hypervisor_signature;        ///< leaf 0x40000000: "KVMKVMKVM"; empty on bare metal
};
CpuidFacts read_cpuid();

struct CpuFacts {
    std::string model;
    std::string vendor;
    std::string microcode;
    std::vector<std::string> flags;        ///< as /proc/cpuinfo names them
    std::optional<int> logical;            ///< CPUs that are online
    std::string allowed_list;              ///< "0-15": CPUs that this process may use; empty when not told
    std::optional<int> allowed;            ///< their number
    std::optional<double> quota;           ///< CPUs' worth of time that the cgroup grants
    std::optional<Sourced> base_clock;     ///< hertz; the greatest where CPUs differ
    bool base_clock_differs = false;       ///< not all CPUs have the same one (performance and other cores)
    std::optional<double> cpufreq_max;     ///< hertz, the most that cpufreq allows
    std::optional<double> tsc_clock;       ///< hertz, from BogoMIPS; no base clock
    std::map<std::string, int> governors;  ///< governor to number of CPUs; empty where there is no cpufreq
    std::string cpufreq_driver;
    std::optional<bool> smt_active;

    bool has(const std::string& flag) const;
    bool avx512() const;  ///< F, BW, DQ and VL, as the kernels need them
};

struct NumaNode {
    int index = 0;
    std::string cpus;  ///< "0-31,64-95"
    std::uint64_t memory_bytes = 0;
};

struct CacheLevel {
    std::string name;  ///< "L1d", "L1i", "L2", "L3"
    std::uint64_t bytes = 0;
    int count = 0;
};

/// From hwloc, with what the container may not use included.
struct Topology {
    std::optional<int> sockets, cores, threads;
    std::vector<NumaNode> numa;
    std::vector<CacheLevel> caches;
};

struct HugePagePool {
    std::uint64_t page_bytes = 0;
    std::int64_t total = 0;
    std::int64_t free = 0;
};

struct MemoryFacts {
    std::optional<std::uint64_t> total_bytes;
    std::optional<std::uint64_t> available_bytes;
    std::optional<std::uint64_t> limit_bytes;  ///< the tightest of the cgroup's and its parents' limits
    std::string limit_source;                  ///< "cgroup v2"
    std::vector<HugePagePool> huge_pages;
    std::string transparent_huge_pages;  ///< "madvise"
    /// Slots, empty ones too; nothing where the firmware's list cannot be read (root only).
    std::optional<std::vector<os::MemoryModule>> modules;
};

/// State of a PCI Express link. Idle links may report a lower speed than they reach under load.
struct PciLink {
    std::optional<int> generation, width;                    ///< now
    std::optional<int> greatest_generation, greatest_width;  ///< of what the device can
    bool known() const { return generation && width; }
};

struct PciDevice {
    std::string address;  ///< "0000:17:00.0"
    std::uint32_t class_code = 0;
    std::uint16_t vendor = 0, device = 0;
    std::string vendor_name;  ///< "NVIDIA"; empty for uncommon ones
    std::string name;         ///< "A100 PCIe 80GB" where a name table or the driver tells
    std::string driver;
    std::optional<int> numa_node;
    PciLink link;
    bool computes = false;  ///< a GPU to compute on (NVIDIA, AMD, Intel), not a management display
};

struct BlockDevice {
    std::string name;  ///< "nvme0n1"
    std::string model;
    std::string firmware;
    std::uint64_t bytes = 0;
    std::optional<bool> rotational;
    std::string transport;  ///< "nvme", "nvme over tcp", "virtio", "sata", "sas", "usb", "virtual"
    PciLink link;
};

struct NvmeController {
    std::string name;       ///< "nvme0"
    std::string transport;  ///< "pcie", "tcp", "rdma", "fc", "loop"
    std::string model, firmware, state;
    bool over_fabrics() const { return !transport.empty() && transport != "pcie" && transport != "loop"; }
};

struct NetworkInterface {
    std::string name;
    std::string driver;
    std::string state;                 ///< "up"
    std::optional<double> speed_bits;  ///< bit/second; absent when the driver does not tell
    std::optional<std::int64_t> mtu;
    bool infiniband = false;
    PciLink link;
};

/// A port of an RDMA device (InfiniBand or RoCE).
struct RdmaPort {
    std::string device;  ///< "mlx5_0"
    int port = 0;
    std::string link_layer, state, rate;  ///< "InfiniBand", "ACTIVE", "200 Gb/sec (4X HDR)"
};

struct Platform {
    std::string vendor, product, board, bios;  ///< from DMI
    std::string serial;
    bool serial_needs_root = false;
    bool dmi = false;
    std::string hypervisor;  ///< "KVM"; empty when none is seen
    std::string container;   ///< "docker"; empty when none is seen
};

struct SoftwareFacts {
    std::string kernel;  ///< "6.1.0-18-amd64"
    std::string operating_system;
    std::string libc;                    ///< "glibc 2.36"; only of the running process
    std::vector<std::string> libraries;  ///< files of the libraries that the figures rest on
    std::string nvidia_driver;           ///< "535.154.05"
    std::string amdgpu_driver;
};

struct Machine {
    CpuFacts cpu;
    Topology topology;
    MemoryFacts memory;
    std::vector<PciDevice> accelerators;  ///< PCI classes 0x03xx (display) and 0x12xx (processing)
    std::vector<BlockDevice> blocks;
    std::vector<NvmeController> nvme;
    std::vector<NetworkInterface> interfaces;  ///< those with hardware (or a bond) behind them
    std::vector<RdmaPort> rdma;
    Platform platform;
    SoftwareFacts software;
    bool sees_pci = false;      ///< /sys/bus/pci is there: no accelerator means that there is none
    bool sees_devices = false;  ///< /sys/class is there: no NVMe controller means that there is none
    std::optional<nvml::DriverFacts> nvidia;  ///< asked where NVIDIA's driver is loaded
    std::string nvidia_absence;               ///< why it did not answer; empty: it did, or was not asked
};

/// This machine.
Machine gather_machine();
/// The machine whose /proc and /sys lie below `root`. What only the running process can tell (libc,
/// libraries) is absent unless `root` is "/".
Machine gather_machine(const std::filesystem::path& root, const CpuidFacts& cpuid);

// The parts; each reads below `root`.
CpuFacts gather_cpu(const std::filesystem::path& root, const CpuidFacts& cpuid);
Topology gather_topology(const std::filesystem::path& root);
MemoryFacts gather_memory(const std::filesystem::path& root);
std::vector<PciDevice> gather_accelerators(const std::filesystem::path& root);
std::vector<BlockDevice> gather_blocks(const std::filesystem::path& root);
std::vector<NvmeController> gather_nvme(const std::filesystem::path& root);
std::vector<NetworkInterface> gather_interfaces(const std::filesystem::path& root);
std::vector<RdmaPort> gather_rdma(const std::filesystem::path& root);
Platform gather_platform(const std::filesystem::path& root, const CpuidFacts& cpuid);
SoftwareFacts gather_software(const std::filesystem::path& root);

/// The machine in short readable lines with stable keys: "cpu.model", "block.nvme0n1", "pci.0000:17:00.0".
std::map<std::string, std::string> describe(const Machine& machine);
/// "NVIDIA A100 PCIe 80GB [10de:20b5] at 0000:17:00.0"
std::string describe_device(const PciDevice& device);

}  // namespace assay::inventory
