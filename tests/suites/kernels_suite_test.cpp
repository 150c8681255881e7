#include <cstdint>
#include <map>
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

using Shape = std::pair<std::int64_t, std::int64_t>;

/// Rows and columns of the weights of every model's layers, by their kind.
std::map<std::string, std::set<Shape>> layers_of_models() {
    std::map<std::string, std::set<Shape>> layers;
    const nlohmann::json models =
        nlohmann::json::parse(embedded_file("data/models.json").value()).at("models");
    for (const nlohmann::json& model : models) {
        const std::int64_t hidden = model.at("hidden_size");
        const auto feed_forward = [&](const std::string& kind, std::int64_t inner) {
            layers[kind + " up"].insert({inner, hidden});
            layers[kind + " down"].insert({hidden, inner});
        };
        feed_forward("feed-forward", model.at("intermediate_size"));
        if (model.contains("experts")) feed_forward("expert", model.at("experts").at("intermediate_size"));
        layers["output head"].insert({model.at("vocabulary"), hidden});
        const std::int64_t heads = model.at("attention_heads"), dimension = model.at("head_dimension");
        if (model.at("attention") != "mla") layers["attention"].insert({hidden, heads * dimension});
    }
    return layers;
}

nlohmann::json cases_of_suite(const std::string& file, const std::string& probe) {
    nlohmann::json cases = nlohmann::json::array();
    const nlohmann::json suite = nlohmann::json::parse(embedded_file(file).value());
    for (const nlohmann::json& entry : suite.at("cases"))
        if (entry.at("probe") == probe) cases.push_back(entry.value("parameters", nlohmann::json::object()));
    return cases;
}

Shape weights_of(const std::string& probe, const nlohmann::json& parameters) {
    return {parameters.at(probe == "quantized.gemm" ? "n" : "m"), parameters.at("k")};
}

TEST(KernelsSuite, QuantizedShapesAreThoseOfModelsLayersOrSquare) {
    std::set<Shape> layers;
    for (const auto& [kind, shapes] : layers_of_models()) layers.insert(shapes.begin(), shapes.end());
    int of_models = 0;
    for (const std::string probe : {"quantized.gemm", "quantized.gemv"})
        for (const nlohmann::json& parameters : cases_of_suite("kernels.json", probe)) {
            const Shape shape = weights_of(probe, parameters);
            if (shape.first == shape.second && !layers.contains(shape)) continue;
            EXPECT_TRUE(layers.contains(shape)) << probe << " " << shape.first << " x " << shape.second;
            ++of_models;
        }
    EXPECT_GE(of_models, 20);
}

TEST(KernelsSuite, EveryKindOfLayerIsMultipliedInBytesAndInNibbles) {
    const std::map<std::string, std::set<Shape>> layers = layers_of_models();
    ASSERT_EQ(layers.size(), 6u);
    for (const std::string probe : {"quantized.gemm", "quantized.gemv"})
        for (const auto& [kind, shapes] : layers)
            for (const std::string format : {"int8", "int4_g128"}) {
                int found = 0;
                for (const nlohmann::json& parameters : cases_of_suite("kernels.json", probe))
                    found +=
                        parameters.at("format") == format && shapes.contains(weights_of(probe, parameters));
                EXPECT_GE(found, 1) << probe << " " << format << " " << kind;
            }
}

TEST(KernelsSuite, EveryWayToMultiplyAFormatOccurs) {
    std::set<std::pair<std::string, std::string>> ways;
    for (const nlohmann::json& parameters : cases_of_suite("kernels.json", "quantized.gemm"))
        ways.insert({parameters.at("format"), parameters.value("activations", "auto")});
    const std::set<std::pair<std::string, std::string>> expected = {{"int8", "auto"}, {"int4", "auto"},
                                                                    {"int4", "int8"}, {"int4_g128", "auto"},
                                                                    {"fp8", "auto"},  {"int4_g128", "int8"}};
    EXPECT_EQ(ways, expected);
    std::set<std::int64_t> lengths;
    for (const nlohmann::json& parameters : cases_of_suite("kernels.json", "quantized.accuracy"))
        lengths.insert(parameters.value("k", 4096));
    EXPECT_GE(lengths.size(), 2u);
}

TEST(KernelsSuite, EveryVectorProductHasF32OfItsShapeBesideIt) {
    for (const char* suite : {"kernels.json", "poc.json"}) {
        std::set<std::string> shapes, in_f32;
        for (nlohmann::json parameters : cases_of_suite(suite, "quantized.gemv")) {
            const bool f32 = parameters.at("format") == "f32";
            parameters.erase("format");
            // Cards' cases have no f32 beside them: memory of theirs is what they are held against.
            if (parameters.contains("device")) continue;
            (f32 ? in_f32 : shapes).insert(parameters.dump());
        }
        EXPECT_FALSE(shapes.empty());
        EXPECT_EQ(shapes, in_f32) << suite;
    }
}

TEST(KernelsSuite, EveryPrecisionOfAProductHasItsCeiling) {
    for (const char* suite : {"kernels.json", "poc.json"}) {
        std::set<std::string> ceilings;
        bool bytes_by_every_set = false;
        for (const nlohmann::json& parameters : cases_of_suite(suite, "gemm.ceiling")) {
            if (parameters.contains("threads")) continue;
            ceilings.insert(parameters.at("precision"));
            // Where tiles multiply bytes, vectors still multiply those of matrix-vector products.
            bytes_by_every_set |=
                parameters.at("precision") == "int8" && parameters.value("isa", "auto") == "all";
        }
        EXPECT_TRUE(bytes_by_every_set) << suite;
        for (const nlohmann::json& parameters : cases_of_suite(suite, "gemm.throughput")) {
            if (parameters.contains("device")) continue;
            EXPECT_TRUE(ceilings.contains(parameters.at("precision"))) << suite << parameters;
        }
    }
    std::set<std::string> of_one_core;
    for (const nlohmann::json& parameters : cases_of_suite("kernels.json", "gemm.ceiling"))
        if (parameters.value("threads", 0) == 1) of_one_core.insert(parameters.at("precision"));
    EXPECT_EQ(of_one_core, (std::set<std::string>{"bf16", "f16", "f32", "f64", "int8"}));
}

TEST(KernelsSuite, LoadsWithTheProbesOfThisVersion) {
    EXPECT_FALSE(
        load_suite("kernels", "", {catalog(), planned_metrics(), planned_choices()}).entries.empty());
}

}  // namespace
}  // namespace assay
