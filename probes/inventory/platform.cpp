#include <algorithm>
#include <array>
#include <set>
#include <system_error>

#include <gnu/libc-version.h>

#include <fmt/format.h>

#include "probes/core/os/sysfs.h"
#include "probes/inventory/tree.h"

namespace assay::inventory {
namespace {

namespace fs = std::filesystem;

/// What boards carry where nobody filled the field in.
bool is_placeholder(const std::string& text) {
    static constexpr std::array<const char*, 10> placeholders = {
        "To be filled by O.E.M.", "To Be Filled By O.E.M.", "Default string", "System Serial Number",
        "Not Specified",          "Not Applicable",         "None",           "0123456789",
        "System Product Name",    "System manufacturer"};
    return std::find(placeholders.begin(), placeholders.end(), text) != placeholders.end();
}

std::string dmi_text(const fs::path& folder, const char* name) {
    const std::string text = text_of(folder / name);
    return is_placeholder(text) ? std::string() : text;
}

std::string joined(std::initializer_list<std::string> parts) {
    std::string text;
    for (const std::string& part : parts) {
        if (part.empty()) continue;
        if (!text.empty()) text += ' ';
        text += part;
    }
    return text;
}

/// Hypervisors by the signature that they answer to CPUID.
std::string hypervisor_name(const std::string& signature) {
    static constexpr std::array<std::pair<const char*, const char*>, 8> names = {
        {{"KVMKVMKVM", "KVM"},
         {"Microsoft Hv", "Hyper-V"},
         {"VMwareVMware", "VMware"},
         {"XenVMMXenVMM", "Xen"},
         {"TCGTCGTCGTCG", "QEMU (emulated)"},
         {"bhyve bhyve ", "bhyve"},
         {"ACRNACRNACRN", "ACRN"},
         {"prl hyperv  ", "Parallels"}}};
    for (const auto& [known, name] : names) {
        if (signature == known) return name;
    }
    return signature;
}

std::string find_hypervisor(const fs::path& root, const CpuidFacts& cpuid, const Platform& platform) {
    if (!cpuid.hypervisor_signature.empty()) return hypervisor_name(cpuid.hypervisor_signature);
    const std::string type = text_of(root / "sys/hypervisor/type");
    if (!type.empty()) return type;
    static constexpr std::array<const char*, 6> virtual_vendors = {"QEMU", "VMware", "innotek",
                                                                   "Xen",  "Bochs",  "Parallels"};
    for (const char* vendor : virtual_vendors) {
        if (platform.vendor.starts_with(vendor)) return vendor;
    }
    if (platform.product.starts_with("KVM") || platform.product == "Virtual Machine") return platform.product;
    return {};
}

std::string find_container(const fs::path& root) {
    std::error_code error;
    if (fs::exists(root / ".dockerenv", error)) return "docker";
    if (fs::exists(root / "run/.containerenv", error)) return "podman";
    return text_of(root / "run/systemd/container");
}

std::string operating_system(const fs::path& root) {
    for (const std::string& line : lines_of(root / "etc/os-release")) {
        constexpr std::string_view name = "PRETTY_NAME=";
        if (!line.starts_with(name)) continue;
        std::string text = trimmed(line.substr(name.size()));
        std::erase(text, '"');
        return text;
    }
    return {};
}

/// File names, links resolved, of the libraries in this process on which figures rest.
std::vector<std::string> loaded_libraries() {
    static constexpr std::array<const char*, 7> telling = {"libopenblas", "libaio",    "libhwloc", "liburing",
                                                           "libnuma",     "libOpenCL", "libcuda"};
    std::set<std::string> names;
    for (const std::string& line : lines_of("/proc/self/maps")) {
        const std::size_t slash = line.find('/');
        if (slash == std::string::npos) continue;
        const std::string name = fs::path(line.substr(slash)).filename().string();
        for (const char* prefix : telling) {
            if (name.starts_with(prefix) && name.find(".so") != std::string::npos) names.insert(name);
        }
    }
    return {names.begin(), names.end()};
}

}  // namespace

Platform gather_platform(const fs::path& root, const CpuidFacts& cpuid) {
    Platform platform;
    const fs::path folder = root / "sys/class/dmi/id";
    platform.vendor = dmi_text(folder, "sys_vendor");
    platform.product = joined({dmi_text(folder, "product_name"), dmi_text(folder, "product_version")});
    platform.board = joined({dmi_text(folder, "board_vendor"), dmi_text(folder, "board_name")});
    platform.bios = joined(
        {dmi_text(folder, "bios_vendor"), dmi_text(folder, "bios_version"), dmi_text(folder, "bios_date")});
    platform.serial = dmi_text(folder, "product_serial");
    platform.dmi = !names_in(folder).empty();
    std::error_code error;
    platform.serial_needs_root = platform.serial.empty() && fs::exists(folder / "product_serial", error) &&
                                 !os::read_text(folder / "product_serial");
    platform.hypervisor = find_hypervisor(root, cpuid, platform);
    platform.container = find_container(root);
    if (!platform.dmi) {  // boards without DMI name themselves in the device tree
        platform.product = text_of(root / "proc/device-tree/model");
        platform.serial = text_of(root / "proc/device-tree/serial-number");
    }
    return platform;
}

SoftwareFacts gather_software(const fs::path& root) {
    SoftwareFacts software;
    software.kernel = text_of(root / "proc/sys/kernel/osrelease");
    software.operating_system = operating_system(root);
    software.nvidia_driver = text_of(root / "sys/module/nvidia/version");
    if (software.nvidia_driver.empty()) {
        // "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.154.05  Thu Dec 28 ..."
        for (const std::string& line : lines_of(root / "proc/driver/nvidia/version")) {
            if (!line.starts_with("NVRM version:")) continue;
            software.nvidia_driver = first_dotted_number(line);
        }
    }
    software.amdgpu_driver = text_of(root / "sys/module/amdgpu/version");
    if (root == "/") {
        software.libc = fmt::format("glibc {}", ::gnu_get_libc_version());
        software.libraries = loaded_libraries();
    }
    return software;
}

}  // namespace assay::inventory
