#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace assay {

/// The link of a PCI device or port to the next one up, as sysfs tells it. Links sleep: what they have now is
/// read while they are busy.
struct PciLink {
    std::string address;                                     ///< of the device or port: "0000:65:00.0"
    std::optional<int> generation, width;                    ///< now
    std::optional<int> greatest_generation, greatest_width;  ///< what this end of the link can
    bool known() const { return generation && width; }
};

/// 4 of 16 GT/s (within what a number read from text may be off), up to generation 6; nothing of other rates.
std::optional<int> pci_generation(double transfers_per_second);

/// What a link carries at most one way, byte/second, of its generation's transfers and line code (8b/10b in
/// 1 and 2, 128b/130b in 3 to 5, flits with 236 of 256 bytes in 6), before the headers of packets. 0 for a
/// generation that is not known.
double pci_link_bytes_per_second(int generation, int width);

/// The link of the device at `address` ("0000:65:00.0") first, then that of every bridge and port above it
/// that tells one; empty where the device tells none or is not there. `root` stands for "/" in tests.
std::vector<PciLink> pci_links(const std::string& address, const std::filesystem::path& root = "/");

/// The link of known speed that carries least; null where none is known. Of equal ones the device's own.
const PciLink* narrowest(const std::vector<PciLink>& links);

/// The memory node that the device is attached to; nothing where the firmware does not tell (-1).
std::optional<int> pci_numa_node(const std::string& address, const std::filesystem::path& root = "/");

}  // namespace assay
