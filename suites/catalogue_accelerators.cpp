#include <nlohmann/json.hpp>

#include "suites/embedded.h"
#include "suites/suite.h"

namespace assay {
namespace {

using nlohmann::json;

constexpr std::string_view accelerators_file = "data/accelerators.json";

template <typename Value>
std::optional<Value> published(const json& value) {
    if (value.is_null()) return std::nullopt;
    return value.get<Value>();
}

AcceleratorFacts accelerator_from_json(const json& entry) {
    AcceleratorFacts facts;
    facts.name = entry.at("name").get<std::string>();
    facts.product = entry.at("product").get<std::string>();
    facts.match = entry.at("match").get<std::vector<std::string>>();
    facts.vendor = entry.at("vendor").get<std::string>();
    for (const auto& [precision, peak] : entry.at("peak").items())
        if (!peak.is_null()) facts.peak[precision] = peak.get<double>();
    facts.memory_bytes = entry.at("memory_bytes").get<std::uint64_t>();
    facts.memory_bandwidth = published<double>(entry.at("memory_bandwidth"));
    // A card of two dies is two devices to its driver, each with half of everything.
    if (entry.contains("per_device")) {
        const double devices = entry.at("per_device").at("devices").get<double>();
        for (auto& [precision, peak] : facts.peak) peak /= devices;
        facts.memory_bytes = static_cast<std::uint64_t>(static_cast<double>(facts.memory_bytes) / devices);
        if (facts.memory_bandwidth) *facts.memory_bandwidth /= devices;
    }
    facts.peer_bandwidth_both_directions = published<double>(entry.at("peer_bandwidth_both_directions"));
    facts.pcie_generation = published<int>(entry.at("pcie").at("generation"));
    facts.pcie_width = published<int>(entry.at("pcie").at("width"));
    facts.power_limit = published<double>(entry.at("power_limit"));
    for (const nlohmann::json& source : entry.at("sources")) {
        if (!facts.sources.empty()) facts.sources += "; ";
        facts.sources += source.get<std::string>();
    }
    return facts;
}

}  // namespace

std::vector<AcceleratorFacts> load_accelerator_facts() {
    const std::optional<std::string_view> content = embedded_file(accelerators_file);
    if (!content) throw std::logic_error(std::string(accelerators_file) + " is not embedded");
    std::vector<AcceleratorFacts> facts;
    try {
        const json document = json::parse(*content);
        for (const json& entry : document.at("accelerators")) facts.push_back(accelerator_from_json(entry));
    } catch (const json::exception& error) {
        throw InputError(std::string(accelerators_file) + ": " + error.what());
    }
    return facts;
}

}  // namespace assay
