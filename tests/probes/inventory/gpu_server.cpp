#include "tests/probes/inventory/gpu_server.h"

#include <fmt/format.h>

namespace assay::inventory {

void add_cpus(const FakeRoot& root, const std::string& model_name) {
    std::string cpuinfo;
    for (int cpu = 0; cpu < 8; ++cpu) {
        const int core = cpu % 4;
        const int socket = core / 2;
        cpuinfo += fmt::format(
            "processor\t: {}\nvendor_id\t: GenuineIntel\nmodel name\t: {}\nmicrocode\t: 0xd0003a5\n"
            "physical id\t: {}\nflags\t\t: fpu sse2 lm constant_tsc avx2 avx512f avx512dq avx512bw avx512vl "
            "avx512_vnni\nbogomips\t: 5200.00\n\n",
            cpu, model_name, socket);
        const std::string folder = fmt::format("sys/devices/system/cpu/cpu{}/", cpu);
        const int core_mask = 0x11 << core;
        const int socket_mask = 0x33 << (socket * 2);
        root.write(folder + "topology/physical_package_id", std::to_string(socket));
        root.write(folder + "topology/core_id", std::to_string(core % 2));
        root.write(folder + "topology/thread_siblings", fmt::format("{:02x}", core_mask));
        root.write(folder + "topology/core_cpus", fmt::format("{:02x}", core_mask));
        root.write(folder + "topology/core_siblings", fmt::format("{:02x}", socket_mask));
        root.write(folder + "topology/package_cpus", fmt::format("{:02x}", socket_mask));
        const auto cache = [&](int index, int level, const char* type, const char* size, int mask) {
            const std::string one = fmt::format("{}cache/index{}/", folder, index);
            root.write(one + "level", std::to_string(level));
            root.write(one + "type", type);
            root.write(one + "size", size);
            root.write(one + "coherency_line_size", "64");
            root.write(one + "number_of_sets", "64");
            root.write(one + "physical_line_partition", "1");
            root.write(one + "shared_cpu_map", fmt::format("{:02x}", mask));
        };
        cache(0, 1, "Data", "48K", core_mask);
        cache(1, 1, "Instruction", "32K", core_mask);
        cache(2, 2, "Unified", "1280K", core_mask);
        cache(3, 3, "Unified", "43008K", socket_mask);
    }
    root.write("proc/cpuinfo", cpuinfo);
    root.write("sys/devices/system/cpu/online", "0-7");
    root.write("sys/devices/system/cpu/possible", "0-7");
    root.write("sys/devices/system/cpu/smt/active", "1");
    root.write("sys/devices/system/node/online", "0-1");
    root.write("sys/devices/system/node/possible", "0-1");
    for (int node = 0; node < 2; ++node) {
        const std::string folder = fmt::format("sys/devices/system/node/node{}/", node);
        root.write(folder + "cpumap", node == 0 ? "33" : "cc");
        root.write(folder + "meminfo",
                   fmt::format("Node {0} MemTotal: 263784652 kB\nNode {0} MemFree: 1 kB", node));
        root.write(folder + "distance", node == 0 ? "10 21" : "21 10");
    }
    root.write("proc/self/status", "Name:\tassay\nCpus_allowed:\tff\nCpus_allowed_list:\t0-7");
}

void add_cpufreq(const FakeRoot& root, const std::string& governor) {
    for (int cpu = 0; cpu < 8; ++cpu) {
        const std::string folder = fmt::format("sys/devices/system/cpu/cpu{}/cpufreq/", cpu);
        root.write(folder + "scaling_governor", governor);
        root.write(folder + "scaling_driver", "intel_pstate");
        root.write(folder + "base_frequency", "2600000");
        root.write(folder + "cpuinfo_max_freq", "3500000");
    }
}

void add_memory(const FakeRoot& root) {
    root.write("proc/meminfo",
               "MemTotal:       527569304 kB\nMemFree:  100 kB\nMemAvailable:   500000000 kB");
    root.write("sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages", "16");
    root.write("sys/kernel/mm/hugepages/hugepages-1048576kB/free_hugepages", "12");
    root.write("sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never");
}

std::string pci_folder(const std::string& address) {
    return fmt::format("sys/devices/pci{}:00/{}:01.0/{}", address.substr(0, 4), address.substr(0, 7),
                       address);
}

void add_pci(const FakeRoot& root, const std::string& address, const std::string& class_code,
             const std::string& vendor, const std::string& device, const std::string& driver) {
    const std::string folder = pci_folder(address);
    root.write(folder + "/class", class_code);
    root.write(folder + "/vendor", vendor);
    root.write(folder + "/device", device);
    root.write(folder + "/numa_node", "-1");
    root.link("sys/bus/pci/devices/" + address, folder);
    if (!driver.empty()) root.link(folder + "/driver", "sys/bus/pci/drivers/" + driver);
}

void add_link(const FakeRoot& root, const std::string& address, const std::string& speed,
              const std::string& width, const std::string& best_speed, const std::string& best_width) {
    const std::string folder = pci_folder(address);
    root.write(folder + "/current_link_speed", speed);
    root.write(folder + "/current_link_width", width);
    root.write(folder + "/max_link_speed", best_speed);
    root.write(folder + "/max_link_width", best_width);
}

void make_gpu_server(const FakeRoot& root) {
    add_cpus(root);
    add_cpufreq(root, "performance");
    add_memory(root);

    add_pci(root, "0000:17:00.0", "0x030200", "0x10de", "0x20b5", "nvidia");
    add_link(root, "0000:17:00.0", "2.5 GT/s PCIe", "8", "16.0 GT/s PCIe", "16");
    root.write(pci_folder("0000:17:00.0") + "/numa_node", "1");
    add_pci(root, "0000:03:00.0", "0x030000", "0x1a03", "0x2000", "ast");  // the board's management display
    add_pci(root, "0000:00:1f.2", "0x010601", "0x8086", "0xa182", "ahci");

    add_pci(root, "0000:65:00.0", "0x010802", "0x144d", "0xa80a", "nvme");
    add_link(root, "0000:65:00.0", "16.0 GT/s PCIe", "4", "16.0 GT/s PCIe", "4");
    const std::string local = pci_folder("0000:65:00.0") + "/nvme/nvme0";
    root.write(local + "/transport", "pcie");
    root.write(local + "/model", "SAMSUNG MZQL23T8HCLS-00A07               ");
    root.write(local + "/firmware_rev", "GDC5602Q");
    root.write(local + "/state", "live");
    root.write(local + "/nvme0n1/size", "7501476528");
    root.write(local + "/nvme0n1/queue/rotational", "0");
    root.link(local + "/nvme0n1/device", local);
    root.link("sys/class/nvme/nvme0", local);
    root.link("sys/block/nvme0n1", local + "/nvme0n1");

    // Native multipathing: the namespace belongs to a subsystem that links to its controllers.
    const std::string remote = "sys/devices/virtual/nvme-fabrics/ctl/nvme1";
    const std::string subsystem = "sys/devices/virtual/nvme-subsystem/nvme-subsys1";
    root.write(remote + "/transport", "tcp");
    root.write(remote + "/model", "Linux");
    root.write(remote + "/state", "live");
    root.write(subsystem + "/nvme1n1/size", "2097152");
    root.write(subsystem + "/nvme1n1/queue/rotational", "0");
    root.link(subsystem + "/nvme1", remote);
    root.link("sys/class/nvme/nvme1", remote);
    root.link("sys/block/nvme1n1", subsystem + "/nvme1n1");

    const std::string disk = "sys/devices/pci0000:00/0000:00:1f.2/ata1/host0/target0:0:0/0:0:0:0";
    root.write(disk + "/model", "ST8000NM000A    ");
    root.write(disk + "/rev", "SN02");
    root.write(disk + "/block/sda/size", "15628053168");
    root.write(disk + "/block/sda/queue/rotational", "1");
    root.link(disk + "/block/sda/device", disk);
    root.link("sys/block/sda", disk + "/block/sda");
    root.write("sys/devices/virtual/block/loop0/size", "100");
    root.link("sys/block/loop0", "sys/devices/virtual/block/loop0");

    const auto interface = [&](const std::string& name, const std::string& address, const std::string& driver,
                               const std::string& speed, const std::string& state, const std::string& type) {
        add_pci(root, address, "0x020000", "0x15b3", "0x101d", driver);
        add_link(root, address, "16.0 GT/s PCIe", "16", "16.0 GT/s PCIe", "16");
        const std::string folder = pci_folder(address) + "/net/" + name;
        root.write(folder + "/speed", speed);
        root.write(folder + "/operstate", state);
        root.write(folder + "/mtu", "1500");
        root.write(folder + "/type", type);
        root.link(folder + "/device", pci_folder(address));
        root.link("sys/class/net/" + name, folder);
    };
    interface("eth0", "0000:b1:00.0", "mlx5_core", "25000", "up", "1");
    interface("eth1", "0000:b1:00.1", "mlx5_core", "-1", "down", "1");
    interface("ibp202s0", "0000:ca:00.0", "mlx5_core", "200000", "up", "32");
    root.write("sys/devices/virtual/net/lo/operstate", "unknown");
    root.link("sys/class/net/lo", "sys/devices/virtual/net/lo");
    root.write("sys/class/infiniband/mlx5_2/ports/1/state", "4: ACTIVE");
    root.write("sys/class/infiniband/mlx5_2/ports/1/rate", "200 Gb/sec (4X HDR)");
    root.write("sys/class/infiniband/mlx5_2/ports/1/link_layer", "InfiniBand");

    root.write("sys/class/dmi/id/sys_vendor", "Dell Inc.");
    root.write("sys/class/dmi/id/product_name", "PowerEdge R750xa");
    root.write("sys/class/dmi/id/product_serial", "8XKQ2Z3");
    root.write("sys/class/dmi/id/board_vendor", "Dell Inc.");
    root.write("sys/class/dmi/id/board_name", "0VJDJ5");
    root.write("sys/class/dmi/id/bios_vendor", "Dell Inc.");
    root.write("sys/class/dmi/id/bios_version", "1.9.2");
    root.write("sys/class/dmi/id/bios_date", "11/17/2022");
    root.write("sys/module/nvidia/version", "535.154.05");
    root.write("proc/sys/kernel/osrelease", "6.1.0-18-amd64");
    root.write("etc/os-release", "NAME=\"Debian GNU/Linux\"\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"");
}

}  // namespace assay::inventory
