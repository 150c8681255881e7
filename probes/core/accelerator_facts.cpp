#include "probes/core/accelerator_facts.h"

namespace assay {

namespace {

bool names(const AcceleratorFacts& facts, const std::string& device) {
    for (const std::string& match : facts.match) {
        if (facts.vendor == "nvidia" ? device == match : device.find(match) != std::string::npos) return true;
    }
    return false;
}

Limit datasheet_limit(const AcceleratorFacts& facts, double value) {
    return {value, "datasheet of " + facts.product};
}

}  // namespace

const AcceleratorFacts* find_accelerator(std::span<const AcceleratorFacts> facts, const DeviceInfo& device) {
    for (const AcceleratorFacts& one : facts)
        if (names(one, device.name)) return &one;
    return nullptr;
}

std::optional<Limit> peak_limit(const AcceleratorFacts* facts, const std::string& precision) {
    if (facts == nullptr || !facts->peak.contains(precision)) return std::nullopt;
    return datasheet_limit(*facts, facts->peak.at(precision));
}

std::optional<Limit> memory_bandwidth_limit(const AcceleratorFacts* facts) {
    if (facts == nullptr || !facts->memory_bandwidth) return std::nullopt;
    return datasheet_limit(*facts, *facts->memory_bandwidth);
}

}  // namespace assay
