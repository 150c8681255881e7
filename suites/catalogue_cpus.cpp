#include <nlohmann/json.hpp>

#include "suites/embedded.h"
#include "suites/suite.h"

namespace assay {
namespace {

constexpr std::string_view cpus_file = "data/cpus.json";

CpuModelFacts cpu_from_json(const nlohmann::json& json) {
    CpuModelFacts cpu;
    cpu.name = json.at("name").get<std::string>();
    cpu.match = json.at("match").get<std::vector<std::string>>();
    cpu.memory_channels = json.at("memory_channels").get<int>();
    cpu.memory_transfers_per_second = json.at("memory_transfers_per_second").get<double>();
    cpu.sockets_at_most = json.at("sockets_at_most").get<int>();
    for (const nlohmann::json& source : json.at("sources")) {
        if (!cpu.sources.empty()) cpu.sources += "; ";
        cpu.sources += source.get<std::string>();
    }
    return cpu;
}

}  // namespace

CpuFacts load_cpu_facts() {
    const std::optional<std::string_view> content = embedded_file(cpus_file);
    if (!content) throw std::logic_error(std::string(cpus_file) + " is not embedded");
    CpuFacts facts;
    try {
        const nlohmann::json json = nlohmann::json::parse(*content);
        const nlohmann::json& attainable = json.at("attainable_memory_share");
        facts.attainable_share_low = attainable.at("low").get<double>();
        facts.attainable_share_high = attainable.at("high").get<double>();
        facts.attainable_source = attainable.at("source").get<std::string>();
        for (const nlohmann::json& entry : json.at("cpus")) facts.models.push_back(cpu_from_json(entry));
    } catch (const nlohmann::json::exception& error) {
        throw InputError(std::string(cpus_file) + ": " + error.what());
    }
    return facts;
}

}  // namespace assay
