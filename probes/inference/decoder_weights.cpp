#include <cmath>
#include <stdexcept>
#include <string>

#include "probes/inference/decoder.h"

namespace assay::inference {

namespace {

/// Every piece starts on a page of its own, so that members of a team on different NUMA nodes share none at a
/// matrix's ends.
constexpr std::uint64_t alignment = 4096;

std::uint64_t aligned(std::uint64_t bytes) {
    return (bytes + alignment - 1) / alignment * alignment;
}

/// Hands out memory piece by piece, or only counts when there is none.
struct Placer {
    std::byte* memory = nullptr;
    kernels::WeightFormat format = kernels::WeightFormat::int4;
    std::uint64_t used = 0;
    std::uint64_t matrix_bytes = 0;

    std::byte* take(std::uint64_t bytes) {
        std::byte* place = memory == nullptr ? nullptr : memory + used;
        used += aligned(bytes);
        return place;
    }
    Matrix matrix(std::size_t rows, std::size_t columns) {
        const std::uint64_t bytes = rows * kernels::packed_row_bytes(format, columns);
        matrix_bytes += bytes;
        return {take(bytes), rows, columns};
    }
    float* floats(std::size_t count) { return reinterpret_cast<float*>(take(count * sizeof(float))); }
};

DecoderWeights place(const DecoderShape& shape, Placer& placer) {
    DecoderWeights weights;
    weights.shape = shape;
    weights.format = placer.format;
    weights.embedding = placer.matrix(shape.vocabulary, shape.hidden);
    const std::size_t projected = shape.query_rows() + 2 * shape.key_value_rows();
    for (std::size_t i = 0; i < shape.layers; ++i) {
        LayerWeights layer;
        layer.attention_norm = placer.floats(shape.hidden);
        layer.query_key_value = placer.matrix(projected, shape.hidden);
        if (shape.query_key_value_bias) layer.query_key_value_bias = placer.floats(projected);
        layer.attention_output = placer.matrix(shape.hidden, shape.query_rows());
        layer.feed_forward_norm = placer.floats(shape.hidden);
        layer.gate_up = placer.matrix(2 * shape.intermediate, shape.hidden);
        layer.down = placer.matrix(shape.hidden, shape.intermediate);
        weights.layers.push_back(layer);
    }
    weights.final_norm = placer.floats(shape.hidden);
    weights.head = shape.tied_embeddings ? weights.embedding : placer.matrix(shape.vocabulary, shape.hidden);
    return weights;
}

std::uint64_t mixed(std::uint64_t value) {
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
    return value ^ (value >> 31);
}

/// Uniform in [-1, 1) from a seed and an index (SplitMix64 as a hash).
float uniform(std::uint64_t seed, std::uint64_t index) {
    const std::uint64_t bits = mixed(mixed(seed) + index * 0x9e3779b97f4a7c15u);
    return static_cast<float>(static_cast<std::int64_t>(bits) >> 40) * 0x1p-23f;
}

void fill_floats(float* values, std::size_t count, std::uint64_t seed, float middle, float reach) {
    for (std::size_t i = 0; i < count; ++i) values[i] = middle + reach * uniform(seed, i);
}

void require_multiple(std::size_t value, std::size_t of, std::size_t most, const std::string& what) {
    if (value == 0 || value % of != 0 || (most != 0 && value > most))
        throw std::invalid_argument(what + " of " + std::to_string(value) + ": a positive multiple of " +
                                    std::to_string(of) + " would be accepted");
}

}  // namespace

DecoderShape shape_of(const Model& model, std::size_t layers) {
    if (model.architecture != "dense" || model.attention == AttentionKind::mla)
        throw std::invalid_argument(model.name +
                                    " is not a dense model with multi-head or grouped-query attention");
    DecoderShape shape;
    shape.hidden = static_cast<std::size_t>(model.hidden_size);
    shape.layers = layers;
    shape.query_heads = static_cast<std::size_t>(model.attention_heads);
    shape.key_value_heads = static_cast<std::size_t>(model.key_value_heads);
    shape.head_dimension = static_cast<std::size_t>(model.head_dimension);
    shape.intermediate = static_cast<std::size_t>(model.intermediate_size);
    shape.vocabulary = static_cast<std::size_t>(model.vocabulary);
    shape.tied_embeddings = model.tied_embeddings;
    shape.query_key_value_bias = model.query_key_value_bias;
    require_multiple(shape.hidden, 32, 0, model.name + ": a hidden size");
    require_multiple(shape.head_dimension, 32, 512, model.name + ": a head dimension");
    require_multiple(shape.intermediate, 32, 0, model.name + ": an intermediate size");
    require_multiple(shape.vocabulary, 1, 0, model.name + ": a vocabulary");
    require_multiple(shape.key_value_heads, 1, 0, model.name + ": a number of key/value heads");
    require_multiple(shape.query_heads, shape.key_value_heads, 0, model.name + ": a number of query heads");
    return shape;
}

std::uint64_t weight_bytes(const DecoderShape& shape, kernels::WeightFormat format) {
    Placer placer{nullptr, format};
    place(shape, placer);
    return placer.used;
}

std::uint64_t matrix_bytes_per_token(const DecoderShape& shape, kernels::WeightFormat format) {
    Placer placer{nullptr, format};
    place(shape, placer);
    const std::uint64_t embedding = shape.vocabulary * kernels::packed_row_bytes(format, shape.hidden);
    return placer.matrix_bytes - (shape.tied_embeddings ? 0 : embedding);
}

DecoderWeights place_weights(const DecoderShape& shape, kernels::WeightFormat format, std::byte* memory) {
    Placer placer{memory, format};
    return place(shape, placer);
}

void fill_weights(const DecoderWeights& weights, std::uint64_t seed, kernels::ThreadTeam& team,
                  const std::function<void(double)>& progress) {
    std::uint64_t piece = mixed(seed);
    // With an input of order 1 in each column, this deviation gives an output of order 1 in each row.
    const auto fill = [&](const Matrix& matrix, float input) {
        const float deviation = 1.0f / (input * std::sqrt(static_cast<float>(matrix.columns)));
        const std::uint64_t own = mixed(++piece);
        team.run([&](int member) {
            const RowRange rows = share_of(matrix.rows, team.size(), member);
            kernels::random_rows(weights.format, own, deviation, matrix.packed, matrix.columns, rows.begin,
                                 rows.end);
        });
    };
    const auto fill_norm = [&](float* norm) {
        fill_floats(norm, weights.shape.hidden, mixed(++piece), 1.0f, 0.25f);
    };
    // An embedding that is also the head is scaled as the head: the first norm evens its rows out anyway.
    fill(weights.embedding,
         weights.shape.tied_embeddings ? 1.0f : 1.0f / std::sqrt(static_cast<float>(weights.shape.hidden)));
    std::size_t done = 0;
    for (const LayerWeights& layer : weights.layers) {
        fill_norm(layer.attention_norm);
        fill(layer.query_key_value, 1.0f);
        if (layer.query_key_value_bias != nullptr)
            fill_floats(layer.query_key_value_bias, layer.query_key_value.rows, mixed(++piece), 0.0f, 0.5f);
        fill(layer.attention_output, 1.0f);
        fill_norm(layer.feed_forward_norm);
        fill(layer.gate_up, 1.0f);
        fill(layer.down, 1.0f);
        if (progress) progress(static_cast<double>(++done) / static_cast<double>(weights.layers.size() + 1));
    }
    fill_norm(weights.final_norm);
    if (weights.head.packed != weights.embedding.packed) fill(weights.head, 1.0f);
    if (progress) progress(1.0);
}

std::uint64_t cache_bytes(const DecoderShape& shape, std::size_t positions) {
    return 2 * shape.layers * shape.key_value_rows() * positions * sizeof(std::uint16_t);
}

Cache place_cache(const DecoderShape& shape, std::size_t positions, std::byte* memory) {
    Cache cache;
    cache.keys = reinterpret_cast<std::uint16_t*>(memory);
    cache.values = cache.keys + shape.layers * shape.key_value_rows() * positions;
    cache.capacity = positions;
    return cache;
}

void fill_cache(Cache& cache, const DecoderShape& shape, std::size_t length, std::uint64_t seed) {
    if (length > cache.capacity)
        throw std::out_of_range("a cache of " + std::to_string(cache.capacity) + " positions cannot hold " +
                                std::to_string(length));
    const std::size_t dimension = shape.head_dimension;
    constexpr float reach = 1.7320508f;  // the square root of 3: uniform with variance 1
    std::vector<float> row(dimension);
    for (std::size_t head = 0; head < shape.layers * shape.key_value_heads; ++head) {
        for (std::size_t position = 0; position < length; ++position) {
            const std::size_t at = (head * cache.capacity + position) * dimension;
            fill_floats(row.data(), dimension, seed + 2 * at, 0.0f, reach);
            kernels::store_f16(row.data(), dimension, cache.keys + at);
            fill_floats(row.data(), dimension, seed + 2 * at + 1, 0.0f, reach);
            kernels::store_f16(row.data(), dimension, cache.values + at);
        }
    }
    cache.length = length;
}

}  // namespace assay::inference
