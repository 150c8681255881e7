#pragma once

#include "tests/probes/inventory/fake_root.h"

namespace assay::inventory {

// Parts of a machine as the kernel shows them below /proc and /sys; a test puts together what it needs.

/// Two sockets of two cores of two threads; CPU n+4 is the second thread of CPU n's core.
void add_cpus(const FakeRoot& root,
              const std::string& model_name = "Intel(R) Xeon(R) Gold 6348 CPU @ 2.60GHz");
void add_cpufreq(const FakeRoot& root, const std::string& governor);
void add_memory(const FakeRoot& root);
/// A PCI device behind a bridge, with a link that can do `best_speed` x `best_width`.
void add_pci(const FakeRoot& root, const std::string& address, const std::string& class_code,
             const std::string& vendor, const std::string& device, const std::string& driver = "");
void add_link(const FakeRoot& root, const std::string& address, const std::string& speed,
              const std::string& width, const std::string& best_speed, const std::string& best_width);
/// The folder of a PCI device, without the root.
std::string pci_folder(const std::string& address);

/// All of them: an A100 at 0000:17:00.0 and a management display, a local NVMe disk and one over TCP, a
/// SATA disk, an Ethernet and an InfiniBand interface, firmware that names itself.
void make_gpu_server(const FakeRoot& root);

}  // namespace assay::inventory
