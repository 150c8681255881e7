#include "probes/inventory/nvidia.h"

#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace assay::inventory {

namespace {

std::string on_or_off(std::string_view what, bool on) {
    return fmt::format("{} {}", what, on ? "on" : "off");
}

}  // namespace

std::vector<std::string> describe_cards(const nvml::DriverFacts& facts) {
    std::vector<std::string> sentences;
    for (const nvml::CardFacts& card : facts.cards) {
        std::vector<std::string> parts;
        if (card.memory_bytes)
            parts.push_back(
                fmt::format("{:.1f} GB of memory", static_cast<double>(*card.memory_bytes) / 1e9));
        if (card.ecc) parts.push_back(on_or_off("ECC", *card.ecc));
        if (card.mig) parts.push_back(on_or_off("MIG", *card.mig));
        if (card.persistence) parts.push_back(on_or_off("persistence mode", *card.persistence));
        if (card.power_limit) {
            const bool lowered =
                card.default_power_limit && *card.power_limit < *card.default_power_limit - 1;
            parts.push_back(
                fmt::format("power limit {:.0f} W", *card.power_limit) +
                (lowered ? fmt::format(", lowered from {:.0f} W", *card.default_power_limit) : ""));
        }
        if (card.maximum_clock)
            parts.push_back(fmt::format("clock up to {:.0f} MHz", *card.maximum_clock / 1e6));
        if (card.link_generation && card.link_width)
            parts.push_back(fmt::format("PCIe {} x{} at most", *card.link_generation, *card.link_width));
        sentences.push_back(fmt::format("{} at {}: {}", card.name, card.pci_address, fmt::join(parts, ", ")));
    }
    return sentences;
}

}  // namespace assay::inventory
