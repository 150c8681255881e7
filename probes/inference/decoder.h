#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "kernels/cpu/decoder_ops.h"
#include "kernels/cpu/quantized.h"
#include "kernels/cpu/thread_team.h"
#include "probes/core/model.h"

namespace assay::inference {

/// The shape of a dense decoder with multi-head or grouped-query attention: pre-norm (RMS), rotary positions,
/// SwiGLU feed-forward; the family of Llama and Qwen2, to which all dense DeepSeek models belong.
struct DecoderShape {
    std::size_t hidden = 0;
    std::size_t layers = 0;
    std::size_t query_heads = 0;
    std::size_t key_value_heads = 0;
    std::size_t head_dimension = 0;
    std::size_t intermediate = 0;
    std::size_t vocabulary = 0;
    bool tied_embeddings = false;
    bool query_key_value_bias = false;

    std::size_t query_rows() const { return query_heads * head_dimension; }
    std::size_t key_value_rows() const { return key_value_heads * head_dimension; }
    std::size_t group() const { return query_heads / key_value_heads; }
};

/// Constants that published models vary and that neither speed nor memory depends on.
inline constexpr double rotary_base = 10000;
inline constexpr float norm_epsilon = 1e-6f;

/// The model's shape with `layers` layers of its own. Throws std::invalid_argument for a model that is not
/// dense and for dimensions that the kernels do not take.
DecoderShape shape_of(const Model& model, std::size_t layers);

/// Packed rows, see kernels/cpu/quantized.h.
struct Matrix {
    std::byte* packed = nullptr;
    std::size_t rows = 0;
    std::size_t columns = 0;
};

/// One layer. What is multiplied with the same input stands in one matrix: query, key and value rows in this
/// order; the gate's rows, then those of up.
struct LayerWeights {
    float* attention_norm = nullptr;  ///< [hidden]
    Matrix query_key_value;           ///< [query_rows + 2 key_value_rows × hidden]
    float* query_key_value_bias =
        nullptr;                         ///< [query_rows + 2 key_value_rows], null where the model has none
    Matrix attention_output;             ///< [hidden × query_rows]
    float* feed_forward_norm = nullptr;  ///< [hidden]
    Matrix gate_up;                      ///< [2 intermediate × hidden]
    Matrix down;                         ///< [hidden × intermediate]
};

/// A model's weights in memory that somebody else owns. Matrices are quantized, the embedding too; norms and
/// biases are f32.
struct DecoderWeights {
    DecoderShape shape;
    kernels::WeightFormat format = kernels::WeightFormat::int4;
    /// Products quantize what they multiply to int8, a scale for each 32 (kernels/cpu/quantized.h); else it
    /// is f32.
    bool int8_activations = false;
    Matrix embedding;  ///< [vocabulary × hidden], one row read a token
    std::vector<LayerWeights> layers;
    float* final_norm = nullptr;
    Matrix head;  ///< [vocabulary × hidden], the embedding itself where the two are tied
};

/// Bytes that place_weights() needs.
std::uint64_t weight_bytes(const DecoderShape& shape, kernels::WeightFormat format);
/// Bytes of the matrices that every token is multiplied with: all but an untied embedding.
std::uint64_t matrix_bytes_per_token(const DecoderShape& shape, kernels::WeightFormat format);

/// Lays the weights out in `memory` (64-byte aligned, weight_bytes() long) without touching it.
DecoderWeights place_weights(const DecoderShape& shape, kernels::WeightFormat format, std::byte* memory);

/// Random weights with variances that keep activations of order 1 through all layers. Each member of the team
/// first touches the rows that it will multiply. `progress` is told 0..1.
void fill_weights(const DecoderWeights& weights, std::uint64_t seed, kernels::ThreadTeam& team,
                  const std::function<void(double)>& progress);

/// Keys (rotated) and values of the past, f16, [layer][key/value head][position][head dimension], in memory
/// that somebody else owns.
struct Cache {
    std::uint16_t* keys = nullptr;
    std::uint16_t* values = nullptr;
    std::size_t capacity = 0;  ///< positions
    std::size_t length = 0;    ///< positions that hold something
};

std::uint64_t cache_bytes(const DecoderShape& shape, std::size_t positions);
/// In `memory` (64-byte aligned, cache_bytes() long), empty.
Cache place_cache(const DecoderShape& shape, std::size_t positions, std::byte* memory);
/// Makes the cache hold `length` positions of random keys and values of order 1, as if a prompt had been
/// read.
void fill_cache(Cache& cache, const DecoderShape& shape, std::size_t length, std::uint64_t seed);

/// Decodes at batch 1: one token in, one token out, every layer and the whole output head.
class Decoder {
  public:
    /// Keeps references to all but the scratch that it allocates.
    Decoder(const DecoderWeights& weights, Cache& cache, kernels::ThreadTeam& team, kernels::Isa isa);

    /// Puts `token` at position cache.length, appends to the cache and returns the most likely next token.
    /// Throws std::out_of_range when the cache is full or the token none of the vocabulary.
    std::uint32_t step(std::uint32_t token);

    std::span<const float> logits() const { return logits_; }               ///< of the last step
    std::span<const float> head_input() const { return members_[0].norm; }  ///< of the last step: [hidden]
    kernels::Isa isa() const { return isa_; }
    /// Packed bytes that all products so far were given, counted where they are called.
    std::uint64_t matrix_bytes_read() const;

  private:
    /// What a member of the team writes for itself.
    struct alignas(64) Member {
        std::vector<float> norm;
        std::vector<float> key;
        std::vector<float> scores;
        std::vector<std::uint16_t> newest_key, newest_value;
        std::vector<std::byte> quantized;
        std::uint64_t matrix_bytes = 0;
        std::size_t best_row = 0;
    };

    /// What a product multiplies: f32, or the same quantized by the member itself.
    struct Input {
        const float* values = nullptr;
        const std::byte* quantized = nullptr;
    };
    Input input(int member, const float* values, std::size_t columns);
    void multiply(int member, const Matrix& matrix, const Input& in, float* out, std::size_t row_begin,
                  std::size_t row_end);
    void project_query_key_value(int member, const LayerWeights& layer);
    void attend(int member, std::size_t layer);
    void project_attention(int member, const LayerWeights& layer);
    void feed_forward_in(int member, const LayerWeights& layer);
    void feed_forward_out(int member, const LayerWeights& layer);
    void output_head(int member);

    const DecoderWeights& weights_;
    Cache& cache_;
    kernels::ThreadTeam& team_;
    kernels::Isa isa_;
    const kernels::DecoderOps& ops_;

    std::vector<Member> members_;
    std::vector<float> hidden_, query_key_value_, attention_, projected_, gate_up_, logits_, cosine_, sine_;
};

/// A member's share of `rows`: whole multiples of 16 but for the end, the same for filling and multiplying.
struct RowRange {
    std::size_t begin = 0;
    std::size_t end = 0;
};
RowRange share_of(std::size_t rows, int members, int member);

}  // namespace assay::inference
