#include "kernels/device/pci_link.h"

#include <array>
#include <cmath>
#include <fstream>
#include <system_error>

namespace assay {

namespace {

namespace fs = std::filesystem;

struct Generation {
    double transfers_per_second;
    double data_share;  ///< bytes of packets among the bits sent
};
constexpr std::array generations = {
    Generation{2.5e9, 8.0 / 10},   Generation{5e9, 8.0 / 10},     Generation{8e9, 128.0 / 130},
    Generation{16e9, 128.0 / 130}, Generation{32e9, 128.0 / 130}, Generation{64e9, 236.0 / 256},
};

/// The number that a small file begins with; nothing where it is absent or says "Unknown".
std::optional<double> number_in(const fs::path& file) {
    std::ifstream stream(file);
    double number = 0;
    if (!(stream >> number)) return std::nullopt;
    return number;
}

/// "16.0 GT/s PCIe"; older kernels leave out the fraction and the word.
std::optional<int> generation_in(const fs::path& file) {
    const std::optional<double> giga = number_in(file);
    return giga ? pci_generation(*giga * 1e9) : std::nullopt;
}

/// 0 and 255 stand for a link that is down or cannot be read.
std::optional<int> width_in(const fs::path& file) {
    const std::optional<double> lanes = number_in(file);
    return lanes && *lanes > 0 && *lanes <= 32 ? std::optional(static_cast<int>(*lanes)) : std::nullopt;
}

PciLink link_in(const fs::path& folder) {
    return {folder.filename().string(), generation_in(folder / "current_link_speed"),
            width_in(folder / "current_link_width"), generation_in(folder / "max_link_speed"),
            width_in(folder / "max_link_width")};
}

fs::path folder_of(const std::string& address, const fs::path& root) {
    return root / "sys/bus/pci/devices" / address;
}

}  // namespace

std::optional<int> pci_generation(double transfers_per_second) {
    for (std::size_t i = 0; i < generations.size(); ++i) {
        const double exact = generations[i].transfers_per_second;
        if (std::abs(transfers_per_second - exact) < 0.01 * exact) return static_cast<int>(i + 1);
    }
    return std::nullopt;
}

double pci_link_bytes_per_second(int generation, int width) {
    if (generation < 1 || generation > static_cast<int>(generations.size())) return 0;
    const Generation& rate = generations[static_cast<std::size_t>(generation - 1)];
    return rate.transfers_per_second * rate.data_share * width / 8;
}

std::vector<PciLink> pci_links(const std::string& address, const fs::path& root) {
    std::vector<PciLink> links;
    if (address.empty()) return links;
    std::error_code error;
    // The link's target is a path through all bridges: devices/pci0000:00/0000:00:01.0/0000:01:00.0.
    fs::path folder = fs::canonical(folder_of(address, root), error);
    if (error) return links;
    const PciLink own = link_in(folder);
    if (!own.known()) return links;
    links.push_back(own);
    while (folder.has_parent_path() && folder != folder.parent_path()) {
        folder = folder.parent_path();
        if (!fs::exists(folder / "current_link_speed", error)) {
            // The bridge of an old bus has no link; above the host's bridge there are no devices.
            if (!fs::exists(folder / "vendor", error)) break;
            continue;
        }
        if (PciLink link = link_in(folder); link.known()) links.push_back(std::move(link));
    }
    return links;
}

const PciLink* narrowest(const std::vector<PciLink>& links) {
    const PciLink* least = nullptr;
    for (const PciLink& link : links) {
        if (!link.known()) continue;
        const auto carries = [](const PciLink& one) {
            return pci_link_bytes_per_second(*one.generation, *one.width);
        };
        if (least == nullptr || carries(link) < carries(*least)) least = &link;
    }
    return least;
}

std::optional<int> pci_numa_node(const std::string& address, const fs::path& root) {
    if (address.empty()) return std::nullopt;
    const std::optional<double> node = number_in(folder_of(address, root) / "numa_node");
    return node && *node >= 0 ? std::optional(static_cast<int>(*node)) : std::nullopt;
}

}  // namespace assay
