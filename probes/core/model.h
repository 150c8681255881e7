#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace assay {

/// How attention keeps its past: multi-head, grouped-query, or multi-head latent attention.
enum class AttentionKind { mha, gqa, mla };

/// The shape of a decoder model, from its published configuration (catalogue data, with sources).
struct Model {
    std::string name;
    std::string architecture;  ///< "dense" or "moe"
    std::int64_t hidden_size = 0;
    std::int64_t layers = 0;
    std::int64_t attention_heads = 0;
    std::int64_t key_value_heads = 0;
    std::int64_t head_dimension = 0;
    std::int64_t intermediate_size = 0;
    std::int64_t vocabulary = 0;
    bool tied_embeddings = false;
    bool query_key_value_bias = false;
    AttentionKind attention = AttentionKind::mha;
    std::uint64_t parameters = 0;         ///< of the main model, computed from the fields
    std::uint64_t active_parameters = 0;  ///< touched for one token
    std::uint64_t cache_elements_per_token_per_layer = 0;
    std::string source;
};

}  // namespace assay
