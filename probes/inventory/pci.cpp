#include <array>
#include <charconv>
#include <fstream>

#include <fmt/format.h>

#include "probes/core/os/sysfs.h"
#include "probes/inventory/tree.h"

namespace assay::inventory {
namespace {

namespace fs = std::filesystem;

constexpr std::uint16_t nvidia = 0x10de, amd = 0x1002, intel = 0x8086;

struct NamedVendor {
    std::uint16_t id;
    const char* name;
};
// Makers of accelerators and of the displays found in servers, by the PCI SIG's numbers.
constexpr std::array vendors = {
    NamedVendor{nvidia, "NVIDIA"},        NamedVendor{amd, "AMD"},
    NamedVendor{intel, "Intel"},          NamedVendor{0x19e5, "Huawei"},
    NamedVendor{0xcabc, "Cambricon"},     NamedVendor{0x1ed5, "Moore Threads"},
    NamedVendor{0x1e36, "Enflame"},       NamedVendor{0x1d22, "Baidu"},
    NamedVendor{0x1d94, "Hygon"},         NamedVendor{0x1da3, "Habana"},
    NamedVendor{0x0731, "Jingjia Micro"}, NamedVendor{0x1e60, "Hailo"},
    NamedVendor{0x1ae0, "Google"},        NamedVendor{0x1d0f, "Amazon"},
    NamedVendor{0x1a03, "ASPEED"},        NamedVendor{0x102b, "Matrox"},
    NamedVendor{0x1013, "Cirrus Logic"},  NamedVendor{0x15ad, "VMware"},
    NamedVendor{0x1b36, "Red Hat (QXL)"}, NamedVendor{0x1af4, "virtio"},
    NamedVendor{0x1234, "QEMU"},
};

struct NamedDevice {
    std::uint16_t vendor, device;
    const char* name;
};
// The cards of the documents, for machines without the driver and without a table of PCI names.
constexpr std::array devices = {
    NamedDevice{nvidia, 0x1db1, "Tesla V100 SXM2 16GB"},
    NamedDevice{nvidia, 0x1db4, "Tesla V100 PCIe 16GB"},
    NamedDevice{nvidia, 0x1db5, "Tesla V100 SXM2 32GB"},
    NamedDevice{nvidia, 0x1db6, "Tesla V100 PCIe 32GB"},
    NamedDevice{nvidia, 0x1eb8, "Tesla T4"},
    NamedDevice{nvidia, 0x20b0, "A100 SXM4 40GB"},
    NamedDevice{nvidia, 0x20b2, "A100 SXM4 80GB"},
    NamedDevice{nvidia, 0x20b5, "A100 PCIe 80GB"},
    NamedDevice{nvidia, 0x20f1, "A100 PCIe 40GB"},
    NamedDevice{nvidia, 0x2235, "A40"},
    NamedDevice{nvidia, 0x2236, "A10"},
    NamedDevice{nvidia, 0x2322, "H800 PCIe"},
    NamedDevice{nvidia, 0x2324, "H800"},
    NamedDevice{nvidia, 0x2330, "H100 SXM5 80GB"},
    NamedDevice{nvidia, 0x2331, "H100 PCIe"},
    NamedDevice{nvidia, 0x2684, "GeForce RTX 4090"},
    NamedDevice{nvidia, 0x26b5, "L40"},
    NamedDevice{amd, 0x740c, "Instinct MI250X/MI250"},
    NamedDevice{amd, 0x740f, "Instinct MI210"},
};

std::optional<std::uint32_t> hexadecimal(std::string_view text) {
    if (text.starts_with("0x")) text.remove_prefix(2);
    std::uint32_t value = 0;
    const std::from_chars_result end = std::from_chars(text.data(), text.data() + text.size(), value, 16);
    if (text.empty() || end.ec != std::errc()) return std::nullopt;
    return value;
}

std::string vendor_name(std::uint16_t vendor) {
    for (const NamedVendor& known : vendors) {
        if (known.id == vendor) return known.name;
    }
    return {};
}

/// The name that the system's table of PCI names gives; empty when there is no table or no line.
std::string name_in_table(const fs::path& root, std::uint16_t vendor, std::uint16_t device) {
    const std::string vendor_line = fmt::format("{:04x} ", vendor);
    const std::string device_line = fmt::format("\t{:04x} ", device);
    for (const char* place : {"usr/share/misc/pci.ids", "usr/share/hwdata/pci.ids"}) {
        std::ifstream table(root / place);
        bool within = false;
        for (std::string line; std::getline(table, line);) {
            if (line.starts_with(vendor_line)) {
                within = true;
            } else if (within && line.starts_with(device_line)) {
                const std::string name = trimmed(line.substr(device_line.size()));
                const std::size_t open = name.find('[');  // "GA100 [A100 PCIe 80GB]": the product's name
                const std::size_t close = name.rfind(']');
                if (open != std::string::npos && close != std::string::npos && close > open) {
                    return trimmed(name.substr(open + 1, close - open - 1));
                }
                return name;
            } else if (within && !line.empty() && line[0] != '\t' && line[0] != '#') {
                break;
            }
        }
    }
    return {};
}

/// NVIDIA's driver knows the product by name.
std::string name_by_driver(const fs::path& root, const std::string& address, const fs::path& folder) {
    for (const std::string& line : lines_of(root / "proc/driver/nvidia/gpus" / address / "information")) {
        if (!line.starts_with("Model:")) continue;
        std::string name = trimmed(line.substr(6));
        if (name.starts_with("NVIDIA ")) name.erase(0, 7);  // the vendor is said beside it
        return name;
    }
    return text_of(folder / "product_name");  // amdgpu
}

/// A display that manages a server, or the one inside a processor, is nothing to compute on.
bool is_for_computing(const PciDevice& device) {
    if (device.vendor == nvidia) return true;
    if (device.vendor == amd) {
        // ATI ES1000 and Rage XL were put on server boards as management displays.
        return device.device != 0x515e && device.device != 0x5969 && device.device != 0x4752;
    }
    // Intel puts the graphics inside its processors at bus 0, slot 2; cards sit behind a bridge.
    return device.vendor == intel && !device.address.ends_with(":00:02.0");
}

}  // namespace

std::vector<PciDevice> gather_accelerators(const fs::path& root) {
    std::vector<PciDevice> found;
    const fs::path folder = root / "sys/bus/pci/devices";
    for (const std::string& address : names_in(folder)) {
        const fs::path one = folder / address;
        const std::optional<std::uint32_t> class_code = hexadecimal(text_of(one / "class"));
        constexpr std::uint32_t display = 0x03, processing = 0x12;
        if (!class_code || (*class_code >> 16 != display && *class_code >> 16 != processing)) continue;
        PciDevice device;
        device.address = address;
        device.class_code = *class_code;
        device.vendor = static_cast<std::uint16_t>(hexadecimal(text_of(one / "vendor")).value_or(0));
        device.device = static_cast<std::uint16_t>(hexadecimal(text_of(one / "device")).value_or(0));
        device.vendor_name = vendor_name(device.vendor);
        device.name = name_by_driver(root, address, one);
        if (device.name.empty()) device.name = name_in_table(root, device.vendor, device.device);
        for (const NamedDevice& known : devices) {
            if (device.name.empty() && known.vendor == device.vendor && known.device == device.device) {
                device.name = known.name;
            }
        }
        device.driver = link_name(one / "driver");
        const std::optional<std::int64_t> node = os::read_integer(one / "numa_node");
        if (node && *node >= 0) device.numa_node = static_cast<int>(*node);  // -1: the firmware does not tell
        device.link = link_of(resolved_path(one), root);
        device.computes = is_for_computing(device);
        found.push_back(std::move(device));
    }
    return found;
}

}  // namespace assay::inventory
