#include <cstdint>
#include <set>
#include <string>
#include <utility>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "probes/catalog.h"
#include "suites/embedded.h"
#include "suites/suite.h"

namespace assay {
namespace {

/// Rows and columns of the weights of every model's layers.
std::set<std::pair<std::int64_t, std::int64_t>> layers_of_models() {
    std::set<std::pair<std::int64_t, std::int64_t>> layers;
    const nlohmann::json models =
        nlohmann::json::parse(embedded_file("data/models.json").value()).at("models");
    for (const nlohmann::json& model : models) {
        const std::int64_t hidden = model.at("hidden_size");
        const auto feed_forward = [&](std::int64_t inner) {
            layers.insert({inner, hidden});
            layers.insert({hidden, inner});
        };
        feed_forward(model.at("intermediate_size"));
        if (model.contains("experts")) feed_forward(model.at("experts").at("intermediate_size"));
        layers.insert({model.at("vocabulary"), hidden});
        const std::int64_t heads = model.at("attention_heads"), dimension = model.at("head_dimension");
        if (model.at("attention") != "mla") layers.insert({hidden, heads * dimension});
    }
    return layers;
}

TEST(KernelsSuite, QuantizedShapesAreThoseOfModelsLayersOrSquare) {
    const std::set<std::pair<std::int64_t, std::int64_t>> layers = layers_of_models();
    const nlohmann::json suite = nlohmann::json::parse(embedded_file("kernels.json").value());
    int of_models = 0;
    for (const nlohmann::json& entry : suite.at("cases")) {
        const std::string probe = entry.at("probe");
        if (probe != "quantized.gemm" && probe != "quantized.gemv") continue;
        const nlohmann::json& parameters = entry.at("parameters");
        const std::int64_t rows = parameters.at(probe == "quantized.gemm" ? "n" : "m");
        const std::int64_t columns = parameters.at("k");
        if (rows == columns && layers.count({rows, columns}) == 0) continue;
        EXPECT_TRUE(layers.contains({rows, columns})) << probe << " " << rows << " x " << columns;
        ++of_models;
    }
    EXPECT_GE(of_models, 20);
}

TEST(KernelsSuite, LoadsWithTheProbesOfThisVersion) {
    EXPECT_FALSE(
        load_suite("kernels", "", {catalog(), planned_metrics(), planned_choices()}).entries.empty());
}

}  // namespace
}  // namespace assay
