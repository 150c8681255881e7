#include "probes/inference/decoder.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

namespace assay::inference {

RowRange share_of(std::size_t rows, int members, int member) {
    constexpr std::size_t unit = 16;
    const std::size_t units = (rows + unit - 1) / unit;
    const std::size_t count = static_cast<std::size_t>(members);
    const std::size_t index = static_cast<std::size_t>(member);
    return {std::min(rows, units * index / count * unit), std::min(rows, units * (index + 1) / count * unit)};
}

Decoder::Decoder(const DecoderWeights& weights, Cache& cache, kernels::ThreadTeam& team, kernels::Isa isa)
    : weights_(weights), cache_(cache), team_(team), isa_(isa), ops_(kernels::decoder_ops(isa)) {
    const DecoderShape& shape = weights.shape;
    members_.resize(static_cast<std::size_t>(team.size()));
    // Each member allocates its own scratch, which so lies in its own memory.
    team_.run([this, &shape](int index) {
        Member& member = members_[static_cast<std::size_t>(index)];
        member.norm.resize(shape.hidden);
        member.key.resize(shape.head_dimension);
        member.scores.resize(kernels::attention_scratch(shape.group(), cache_.capacity));
        member.newest_key.resize(shape.head_dimension);
        member.newest_value.resize(shape.head_dimension);
        if (weights_.int8_activations) {
            const std::size_t longest = std::max({shape.hidden, shape.query_rows(), shape.intermediate});
            member.quantized.resize(kernels::activation_bytes(weights_.format, longest));
        }
    });
    hidden_.resize(shape.hidden);
    query_key_value_.resize(shape.query_rows() + 2 * shape.key_value_rows());
    attention_.resize(shape.query_rows());
    projected_.resize(shape.hidden);
    gate_up_.resize(2 * shape.intermediate);
    logits_.resize(shape.vocabulary);
    cosine_.resize(shape.head_dimension / 2);
    sine_.resize(shape.head_dimension / 2);
}

std::uint64_t Decoder::matrix_bytes_read() const {
    std::uint64_t total = 0;
    for (const Member& member : members_) total += member.matrix_bytes;
    return total;
}

Decoder::Input Decoder::input(int index, const float* values, std::size_t columns) {
    if (!weights_.int8_activations) return {values, nullptr};
    std::vector<std::byte>& quantized = members_[static_cast<std::size_t>(index)].quantized;
    kernels::quantize_activations(isa_, weights_.format, values, columns, quantized.data());
    return {values, quantized.data()};
}

void Decoder::multiply(int member, const Matrix& matrix, const Input& in, float* out, std::size_t row_begin,
                       std::size_t row_end) {
    if (in.quantized != nullptr)
        kernels::gemv_int8_activations(isa_, weights_.format, matrix.packed, matrix.columns, in.quantized,
                                       out, row_begin, row_end);
    else
        kernels::gemv(isa_, weights_.format, matrix.packed, matrix.columns, in.values, out, row_begin,
                      row_end);
    members_[static_cast<std::size_t>(member)].matrix_bytes +=
        (row_end - row_begin) * kernels::packed_row_bytes(weights_.format, matrix.columns);
}

// Norms, and quantizing what is multiplied, are so short that every member does them for itself rather than
// wait for another.

void Decoder::project_query_key_value(int member, const LayerWeights& layer) {
    std::vector<float>& norm = members_[static_cast<std::size_t>(member)].norm;
    ops_.rms_norm(hidden_.data(), layer.attention_norm, norm.size(), norm_epsilon, norm.data());
    const RowRange rows = share_of(layer.query_key_value.rows, team_.size(), member);
    multiply(member, layer.query_key_value, input(member, norm.data(), norm.size()), query_key_value_.data(),
             rows.begin, rows.end);
    if (layer.query_key_value_bias != nullptr)
        ops_.add(query_key_value_.data() + rows.begin, layer.query_key_value_bias + rows.begin,
                 rows.end - rows.begin);
}

// Members share out the query heads. Those that need the same key/value head each rotate and round the newest
// key for themselves; the one with the group's first query head stores it for the tokens to come.
void Decoder::attend(int index, std::size_t layer) {
    const DecoderShape& shape = weights_.shape;
    Member& member = members_[static_cast<std::size_t>(index)];
    const std::size_t dimension = shape.head_dimension;
    const std::size_t count = static_cast<std::size_t>(team_.size());
    std::size_t head = shape.query_heads * static_cast<std::size_t>(index) / count;
    const std::size_t end = shape.query_heads * (static_cast<std::size_t>(index) + 1) / count;
    while (head < end) {
        const std::size_t shared = head / shape.group();
        const std::size_t group_end = std::min(end, (shared + 1) * shape.group());
        const float* key = query_key_value_.data() + shape.query_rows() + shared * dimension;
        std::copy_n(key, dimension, member.key.data());
        ops_.rotate(member.key.data(), cosine_.data(), sine_.data(), dimension);
        kernels::store_f16(member.key.data(), dimension, member.newest_key.data());
        kernels::store_f16(key + shape.key_value_rows(), dimension, member.newest_value.data());

        const std::size_t past = (layer * shape.key_value_heads + shared) * cache_.capacity * dimension;
        if (head == shared * shape.group()) {
            const std::size_t newest = past + cache_.length * dimension;
            std::copy_n(member.newest_key.data(), dimension, cache_.keys + newest);
            std::copy_n(member.newest_value.data(), dimension, cache_.values + newest);
        }
        float* query = query_key_value_.data() + head * dimension;
        for (std::size_t i = head; i < group_end; ++i)
            ops_.rotate(query + (i - head) * dimension, cosine_.data(), sine_.data(), dimension);
        ops_.attend(query, group_end - head, dimension,
                    {cache_.keys + past, cache_.values + past, cache_.length, member.newest_key.data(),
                     member.newest_value.data()},
                    member.scores.data(), attention_.data() + head * dimension);
        head = group_end;
    }
}

void Decoder::project_attention(int member, const LayerWeights& layer) {
    const RowRange rows = share_of(layer.attention_output.rows, team_.size(), member);
    multiply(member, layer.attention_output, input(member, attention_.data(), attention_.size()),
             projected_.data(), rows.begin, rows.end);
    ops_.add(hidden_.data() + rows.begin, projected_.data() + rows.begin, rows.end - rows.begin);
}

void Decoder::feed_forward_in(int member, const LayerWeights& layer) {
    std::vector<float>& norm = members_[static_cast<std::size_t>(member)].norm;
    ops_.rms_norm(hidden_.data(), layer.feed_forward_norm, norm.size(), norm_epsilon, norm.data());
    const std::size_t intermediate = weights_.shape.intermediate;
    const RowRange rows = share_of(intermediate, team_.size(), member);
    const Input in = input(member, norm.data(), norm.size());
    multiply(member, layer.gate_up, in, gate_up_.data(), rows.begin, rows.end);
    multiply(member, layer.gate_up, in, gate_up_.data(), intermediate + rows.begin, intermediate + rows.end);
    float* gate = gate_up_.data() + rows.begin;
    ops_.swiglu(gate, gate + intermediate, rows.end - rows.begin, gate);
}

void Decoder::feed_forward_out(int member, const LayerWeights& layer) {
    const RowRange rows = share_of(layer.down.rows, team_.size(), member);
    multiply(member, layer.down, input(member, gate_up_.data(), weights_.shape.intermediate),
             projected_.data(), rows.begin, rows.end);
    ops_.add(hidden_.data() + rows.begin, projected_.data() + rows.begin, rows.end - rows.begin);
}

void Decoder::output_head(int index) {
    Member& member = members_[static_cast<std::size_t>(index)];
    ops_.rms_norm(hidden_.data(), weights_.final_norm, member.norm.size(), norm_epsilon, member.norm.data());
    const RowRange rows = share_of(weights_.head.rows, team_.size(), index);
    multiply(index, weights_.head, input(index, member.norm.data(), member.norm.size()), logits_.data(),
             rows.begin, rows.end);
    member.best_row = rows.begin;
    if (rows.begin < rows.end)
        member.best_row += ops_.greatest(logits_.data() + rows.begin, rows.end - rows.begin);
}

std::uint32_t Decoder::step(std::uint32_t token) {
    if (cache_.length >= cache_.capacity)
        throw std::out_of_range("the cache's " + std::to_string(cache_.capacity) + " positions are full");
    if (token >= weights_.shape.vocabulary)
        throw std::out_of_range("token " + std::to_string(token) + " of a vocabulary of " +
                                std::to_string(weights_.shape.vocabulary));
    const Matrix& embedding = weights_.embedding;
    kernels::dequantize_rows(
        weights_.format,
        embedding.packed + token * kernels::packed_row_bytes(weights_.format, embedding.columns), 1,
        embedding.columns, hidden_.data());
    for (std::size_t i = 0; i < cosine_.size(); ++i) {
        const double angle =
            static_cast<double>(cache_.length) *
            std::pow(rotary_base, -2.0 * static_cast<double>(i) / static_cast<double>(2 * cosine_.size()));
        cosine_[i] = static_cast<float>(std::cos(angle));
        sine_[i] = static_cast<float>(std::sin(angle));
    }
    // Five forks and joins a layer: each product needs all of the one before.
    for (std::size_t i = 0; i < weights_.layers.size(); ++i) {
        const LayerWeights& layer = weights_.layers[i];
        team_.run([this, &layer](int member) { project_query_key_value(member, layer); });
        team_.run([this, i](int member) { attend(member, i); });
        team_.run([this, &layer](int member) { project_attention(member, layer); });
        team_.run([this, &layer](int member) { feed_forward_in(member, layer); });
        team_.run([this, &layer](int member) { feed_forward_out(member, layer); });
    }
    team_.run([this](int member) { output_head(member); });
    ++cache_.length;

    std::size_t best = members_[0].best_row;
    for (const Member& member : members_)
        if (member.best_row < logits_.size() && logits_[member.best_row] > logits_[best])
            best = member.best_row;
    return static_cast<std::uint32_t>(best);
}

}  // namespace assay::inference
