#include <array>
#include <utility>

#include "probes/core/os/sysfs.h"
#include "probes/inventory/tree.h"

namespace assay::inventory {
namespace {

namespace fs = std::filesystem;

bool is_controller_name(const std::string& name) {
    return name.starts_with("nvme") && name.size() > 4 &&
           name.find_first_not_of("0123456789", 4) == std::string::npos;
}

/// Folders of the controllers behind an NVMe namespace. With native multipathing the namespace belongs to a
/// subsystem, which has the controllers as its entries; else it lies below its one controller.
std::vector<fs::path> controllers_of(const fs::path& device) {
    std::vector<fs::path> found;
    const fs::path parent = device.parent_path();
    if (is_controller_name(parent.filename().string())) {
        found.push_back(parent);
    } else {
        for (const std::string& name : names_in(parent)) {
            if (is_controller_name(name)) found.push_back(resolved_path(parent / name));
        }
    }
    return found;
}

/// How a device that is no NVMe namespace is attached, from the folders that it lies below.
std::string transport_of(const fs::path& device) {
    static constexpr std::array<std::pair<const char*, const char*>, 9> marks = {{{"virtio", "virtio"},
                                                                                  {"usb", "usb"},
                                                                                  {"ata", "sata"},
                                                                                  {"end_device-", "sas"},
                                                                                  {"session", "iscsi"},
                                                                                  {"rport-", "fibre channel"},
                                                                                  {"mmc", "mmc"},
                                                                                  {"vbd-", "xen"},
                                                                                  {"VMBUS", "hyper-v"}}};
    for (const fs::path& part : device) {
        for (const auto& [prefix, transport] : marks) {
            if (part.string().starts_with(prefix)) return transport;
        }
    }
    for (const fs::path& part : device) {
        if (part == "virtual") return "virtual";
        if (part.string().starts_with("target")) return "scsi";
    }
    return {};
}

}  // namespace

std::vector<NvmeController> gather_nvme(const fs::path& root) {
    std::vector<NvmeController> found;
    const fs::path folder = root / "sys/class/nvme";
    for (const std::string& name : names_in(folder)) {
        if (!is_controller_name(name)) continue;
        const fs::path one = folder / name;
        found.push_back({name, text_of(one / "transport"), text_of(one / "model"),
                         text_of(one / "firmware_rev"), text_of(one / "state")});
    }
    return found;
}

std::vector<BlockDevice> gather_blocks(const fs::path& root) {
    std::vector<BlockDevice> found;
    const fs::path folder = root / "sys/block";
    for (const std::string& name : names_in(folder)) {
        if (name.starts_with("loop") || name.starts_with("ram")) continue;
        const fs::path device = resolved_path(folder / name);
        BlockDevice block;
        block.name = name;
        constexpr std::uint64_t sector_bytes = 512;  // sysfs counts in these whatever the device's own are
        const std::optional<std::int64_t> sectors = os::read_integer(device / "size");
        if (!sectors || *sectors <= 0) continue;  // an empty drive or an unused slot
        block.bytes = static_cast<std::uint64_t>(*sectors) * sector_bytes;
        const std::string rotational = text_of(device / "queue/rotational");
        if (rotational == "0" || rotational == "1") block.rotational = rotational == "1";
        block.model = text_of(device / "device/model");
        block.firmware = text_of(device / "device/firmware_rev");
        if (block.firmware.empty()) block.firmware = text_of(device / "device/rev");
        block.transport = transport_of(device);
        if (name.starts_with("nvme")) {
            block.transport = "nvme";
            for (const fs::path& controller : controllers_of(device)) {
                const std::string transport = text_of(controller / "transport");
                if (!transport.empty() && transport != "pcie") block.transport = "nvme over " + transport;
                if (block.model.empty()) block.model = text_of(controller / "model");
                if (block.firmware.empty()) block.firmware = text_of(controller / "firmware_rev");
                if (!block.link.known()) block.link = link_of(controller, root);
            }
        }
        found.push_back(std::move(block));
    }
    return found;
}

}  // namespace assay::inventory
