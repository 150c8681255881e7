#include <nlohmann/json.hpp>

#include "suites/embedded.h"
#include "suites/suite.h"

namespace assay {
namespace {

constexpr std::string_view models_file = "data/models.json";

AttentionKind attention_kind(const std::string& name, const std::string& model) {
    if (name == "mha") return AttentionKind::mha;
    if (name == "gqa") return AttentionKind::gqa;
    if (name == "mla") return AttentionKind::mla;
    throw InputError(std::string(models_file) + ": " + model + ": attention \"" + name +
                     "\" is none of mha, gqa, mla");
}

Model model_from_json(const nlohmann::json& json) {
    Model model;
    model.name = json.at("name").get<std::string>();
    model.architecture = json.at("architecture").get<std::string>();
    model.hidden_size = json.at("hidden_size").get<std::int64_t>();
    model.layers = json.at("layers").get<std::int64_t>();
    model.attention_heads = json.at("attention_heads").get<std::int64_t>();
    model.key_value_heads = json.at("key_value_heads").get<std::int64_t>();
    model.head_dimension = json.at("head_dimension").get<std::int64_t>();
    model.intermediate_size = json.at("intermediate_size").get<std::int64_t>();
    model.vocabulary = json.at("vocabulary").get<std::int64_t>();
    model.tied_embeddings = json.at("tied_embeddings").get<bool>();
    model.query_key_value_bias = json.at("query_key_value_bias").get<bool>();
    model.attention = attention_kind(json.at("attention").get<std::string>(), model.name);
    model.parameters = json.at("parameters").get<std::uint64_t>();
    model.active_parameters = json.at("active_parameters").get<std::uint64_t>();
    model.cache_elements_per_token_per_layer =
        json.at("cache_elements_per_token_per_layer").get<std::uint64_t>();
    for (const nlohmann::json& source : json.at("sources")) {
        if (!model.source.empty()) model.source += "; ";
        model.source += source.get<std::string>();
    }
    return model;
}

}  // namespace

std::vector<Model> load_models() {
    const std::optional<std::string_view> content = embedded_file(models_file);
    if (!content) throw std::logic_error(std::string(models_file) + " is not embedded");
    std::vector<Model> models;
    try {
        const nlohmann::json json = nlohmann::json::parse(*content);
        for (const nlohmann::json& entry : json.at("models")) models.push_back(model_from_json(entry));
    } catch (const nlohmann::json::exception& error) {
        throw InputError(std::string(models_file) + ": " + error.what());
    }
    return models;
}

}  // namespace assay
