#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "suites/embedded.h"
#include "suites/suite.h"

namespace assay {
namespace {

TEST(CpuCatalogue, HasSourcesAndMemoryOfEveryCpu) {
    const CpuFacts facts = load_cpu_facts();
    EXPECT_GE(facts.models.size(), 6u);
    for (const CpuModelFacts& model : facts.models) {
        EXPECT_FALSE(model.match.empty()) << model.name;
        EXPECT_FALSE(model.sources.empty()) << model.name;
        EXPECT_GE(model.memory_channels, 1) << model.name;
        EXPECT_GE(model.memory_transfers_per_second, 1e9) << model.name;
        EXPECT_GE(model.sockets_at_most, 1) << model.name;
    }
    EXPECT_LT(facts.attainable_share_low, facts.attainable_share_high);
    EXPECT_LT(facts.attainable_share_high, 1);
    EXPECT_GT(facts.attainable_share_low, 0.5);
    EXPECT_FALSE(facts.attainable_source.empty());
}

TEST(CpuCatalogue, GivesBandwidthsThatAreTheirOwnArithmetic) {
    const nlohmann::json json = nlohmann::json::parse(embedded_file("data/cpus.json").value());
    for (const nlohmann::json& cpu : json.at("cpus")) {
        const double arithmetic =
            cpu.at("memory_channels").get<double>() * cpu.at("memory_transfers_per_second").get<double>() * 8;
        EXPECT_NEAR(cpu.at("memory_bandwidth").get<double>() / arithmetic, 1, 1e-3) << cpu.at("name");
    }
}

TEST(CpuCatalogue, KnowsRealNames) {
    const CpuFacts facts = load_cpu_facts();
    const auto name_of = [&](const std::string& model) {
        const CpuModelFacts* const found = find_cpu_model(facts, model);
        return found == nullptr ? std::string("unknown") : found->name;
    };
    EXPECT_EQ(name_of("Intel(R) Xeon(R) Silver 4310 CPU @ 2.10GHz"), "xeon-silver-4310");
    EXPECT_EQ(name_of("Intel(R) Xeon(R) Platinum 8380 CPU @ 2.30GHz"), "xeon-platinum-8380");
    EXPECT_EQ(name_of("Intel(R) Xeon(R) Platinum 8380H CPU @ 2.90GHz"), "unknown");
    EXPECT_EQ(name_of("AMD EPYC 7543 32-Core Processor"), "epyc-7543");
    EXPECT_EQ(name_of("AMD EPYC"), "unknown");
}

}  // namespace
}  // namespace assay
