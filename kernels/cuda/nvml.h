#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "kernels/cuda/nvml_api.h"
#include "kernels/device/device.h"
#include "kernels/device/telemetry.h"

/// NVIDIA's management library, found at run time: what watches a card, and what it says of the machine. A
/// function that the library does not have, or that the card does not support, gives an absent value.
namespace assay::nvml {

/// Watches the card at a PCI address ("0000:65:00.0"): all of it where MIG has cut it into slices, since NVML
/// tells power, clocks and load of no slice.
std::variant<std::unique_ptr<Telemetry>, Absent> open_telemetry(const std::string& pci_address);
std::variant<std::unique_ptr<Telemetry>, Absent> open_telemetry(const Api& api,
                                                                const std::string& pci_address);

/// What a card is and how it is set.
struct CardFacts {
    std::string name, uuid;
    std::string pci_address;  ///< "0000:65:00.0", as sysfs writes it
    std::optional<std::uint64_t> memory_bytes;
    std::optional<bool> persistence, ecc, mig;
    std::optional<double> power_limit, default_power_limit;         ///< watt
    std::optional<double> least_power_limit, greatest_power_limit;  ///< watt, what may be set
    std::optional<double> maximum_clock;                            ///< hertz
    std::optional<unsigned> link_generation, link_width;            ///< what card and slot can do at most
};

struct DriverFacts {
    std::string driver_version;  ///< "580.95.05"
    std::string cuda_version;    ///< "13.0": the newest that the driver serves
    std::vector<CardFacts> cards;
};

std::variant<DriverFacts, Absent> read_driver_facts();
DriverFacts read_driver_facts(const Api& api);

}  // namespace assay::nvml
