#include <cstdint>
#include <set>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "suites/embedded.h"
#include "suites/suite.h"

namespace assay {
namespace {

nlohmann::json entries() {
    return nlohmann::json::parse(embedded_file("data/models.json").value()).at("models");
}

/// Weights of one layer's attention. Latent attention projects queries and the cached state down and up
/// again, each low rank with its own norm.
std::int64_t attention_parameters(const nlohmann::json& model) {
    const std::int64_t hidden = model.at("hidden_size");
    const std::int64_t heads = model.at("attention_heads");
    const std::int64_t dimension = model.at("head_dimension");
    if (model.at("attention") != "mla") {
        const std::int64_t key_value_heads = model.at("key_value_heads");
        const std::int64_t rows = (heads + 2 * key_value_heads) * dimension;
        return hidden * rows + (model.at("query_key_value_bias").get<bool>() ? rows : 0) +
               heads * dimension * hidden;
    }
    const nlohmann::json& latent = model.at("latent_attention");
    const std::int64_t rank = latent.at("key_value_rank");
    const std::int64_t query_rank = latent.at("query_rank");
    const std::int64_t rotary = latent.at("rotary_head_dimension");
    const std::int64_t plain = latent.at("plain_head_dimension");
    const std::int64_t value = latent.at("value_head_dimension");
    const std::int64_t query = query_rank == 0
                                   ? hidden * heads * (plain + rotary)
                                   : hidden * query_rank + query_rank + query_rank * heads * (plain + rotary);
    return query + hidden * (rank + rotary) + rank + rank * heads * (plain + value) + heads * value * hidden;
}

/// All parameters of the main model, or those that one token touches.
std::int64_t parameters(const nlohmann::json& model, bool active) {
    const std::int64_t hidden = model.at("hidden_size");
    const std::int64_t layers = model.at("layers");
    const std::int64_t dense = 3 * hidden * model.at("intermediate_size").get<std::int64_t>();
    const std::int64_t embeddings = model.at("vocabulary").get<std::int64_t>() * hidden *
                                    (model.at("tied_embeddings").get<bool>() ? 1 : 2);
    const std::int64_t common = embeddings + hidden + layers * (attention_parameters(model) + 2 * hidden);
    if (!model.contains("experts")) return common + layers * dense;
    const nlohmann::json& experts = model.at("experts");
    const std::int64_t routed = experts.at("routed");
    const std::int64_t leading = experts.at("leading_dense_layers");
    const std::int64_t one = 3 * hidden * experts.at("intermediate_size").get<std::int64_t>();
    const std::int64_t used = active ? experts.at("active").get<std::int64_t>() : routed;
    const std::int64_t router = hidden * routed + (experts.at("router_bias").get<bool>() ? routed : 0);
    return common + leading * dense +
           (layers - leading) * ((used + experts.at("shared").get<std::int64_t>()) * one + router);
}

TEST(Models, FifteenAreInTheCatalogueEachNamedOnceAndWithItsSource) {
    const std::vector<Model> models = load_models();
    EXPECT_EQ(models.size(), 15u);
    std::set<std::string> names;
    for (const Model& model : models) {
        EXPECT_TRUE(names.insert(model.name).second) << model.name;
        EXPECT_FALSE(model.source.empty()) << model.name;
    }
    EXPECT_TRUE(names.contains("DeepSeek-R1-Distill-Qwen-1.5B"));
}

TEST(Models, StoredParameterCountsFollowFromTheFields) {
    const nlohmann::json json = entries();
    const std::vector<Model> models = load_models();
    ASSERT_EQ(models.size(), json.size());
    for (std::size_t i = 0; i < models.size(); ++i) {
        EXPECT_EQ(static_cast<std::int64_t>(models[i].parameters), parameters(json[i], false))
            << models[i].name;
        EXPECT_EQ(static_cast<std::int64_t>(models[i].active_parameters), parameters(json[i], true))
            << models[i].name;
    }
}

TEST(Models, StoredCacheElementsFollowFromTheFields) {
    const nlohmann::json json = entries();
    const std::vector<Model> models = load_models();
    ASSERT_EQ(models.size(), json.size());
    for (std::size_t i = 0; i < models.size(); ++i) {
        const Model& model = models[i];
        std::int64_t expected = 2 * model.key_value_heads * model.head_dimension;
        if (model.attention == AttentionKind::mla) {
            // What is cached is the latent state and the rotary part of the key, once for all heads.
            const nlohmann::json& latent = json[i].at("latent_attention");
            expected = latent.at("key_value_rank").get<std::int64_t>() +
                       latent.at("rotary_head_dimension").get<std::int64_t>();
        }
        EXPECT_EQ(static_cast<std::int64_t>(model.cache_elements_per_token_per_layer), expected)
            << model.name;
    }
}

// Counts that their publishers printed, independent of our fields.
TEST(Models, CountsAreThoseThatWerePublished) {
    std::map<std::string, std::uint64_t> published = {{"deepseek-llm-7b", 6910365696},
                                                      {"DeepSeek-V2", 235741434880},
                                                      {"DeepSeek-R1-Distill-Qwen-1.5B", 1777088000},
                                                      {"DeepSeek-R1-Distill-Qwen-7B", 7615616512},
                                                      {"DeepSeek-R1-Distill-Llama-70B", 70553706496}};
    std::size_t found = 0;
    for (const Model& model : load_models()) {
        const auto known = published.find(model.name);
        if (known == published.end()) continue;
        EXPECT_EQ(model.parameters, known->second) << model.name;
        ++found;
    }
    EXPECT_EQ(found, published.size());
}

TEST(Models, EveryFieldIsReadFromItsOwnKey) {
    for (const Model& model : load_models()) {
        if (model.name != "DeepSeek-R1-Distill-Qwen-1.5B") continue;
        EXPECT_EQ(model.architecture, "dense");
        EXPECT_EQ(model.hidden_size, 1536);
        EXPECT_EQ(model.layers, 28);
        EXPECT_EQ(model.attention_heads, 12);
        EXPECT_EQ(model.key_value_heads, 2);
        EXPECT_EQ(model.head_dimension, 128);
        EXPECT_EQ(model.intermediate_size, 8960);
        EXPECT_EQ(model.vocabulary, 151936);
        EXPECT_FALSE(model.tied_embeddings);
        EXPECT_TRUE(model.query_key_value_bias);
        EXPECT_EQ(model.attention, AttentionKind::gqa);
    }
}

}  // namespace
}  // namespace assay
