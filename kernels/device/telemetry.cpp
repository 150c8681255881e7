#include "kernels/device/telemetry.h"

#include "kernels/cuda/nvml.h"
#include "kernels/device/device.h"
#include "kernels/device/hwmon.h"

namespace assay {

std::variant<std::unique_ptr<Telemetry>, Absent> find_telemetry(const DeviceInfo& device) {
    if (device.kind == "cpu") return Absent{"no telemetry: " + device.id + " is no card"};
    if (device.pci_address.empty())
        return Absent{"no telemetry: " + device.id + " does not tell its PCI address"};
    const bool nvidia = device.id.starts_with("cuda:") || device.name.starts_with("NVIDIA") ||
                        device.name.starts_with("Tesla") ||
                        hwmon::vendor_of(device.pci_address) == hwmon::nvidia_vendor;
    return nvidia ? nvml::open_telemetry(device.pci_address) : hwmon::open_telemetry(device.pci_address);
}

Telemetry* LazyTelemetry::of(const DeviceInfo& device) {
    if (!asked_) {
        asked_ = true;
        std::variant<std::unique_ptr<Telemetry>, Absent> found = find_telemetry(device);
        if (std::unique_ptr<Telemetry>* telemetry = std::get_if<std::unique_ptr<Telemetry>>(&found))
            found_ = std::move(*telemetry);
    }
    return found_.get();
}

}  // namespace assay
