#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "kernels/device/device.h"
#include "kernels/device/telemetry.h"

/// What the kernel shows of a card below /sys/bus/pci/devices/ADDRESS: its hardware monitor (power,
/// temperatures, clocks) and what amdgpu adds (load, memory, errors that its memory corrected or could not).
/// `root` holds /sys.
namespace assay::hwmon {

constexpr std::uint32_t nvidia_vendor = 0x10de;

/// The PCI vendor's number; nothing where there is no such device.
std::optional<std::uint32_t> vendor_of(const std::string& pci_address,
                                       const std::filesystem::path& root = "/");

std::variant<std::unique_ptr<Telemetry>, Absent> open_telemetry(const std::string& pci_address,
                                                                const std::filesystem::path& root = "/");

}  // namespace assay::hwmon
