#include "probes/inference/reference_decoder.h"

#include <algorithm>
#include <cmath>

#include "kernels/cpu/half.h"

namespace assay::inference {

namespace {

using Vector = std::vector<double>;

Vector dequantized(const DecoderWeights& weights, const Matrix& matrix, std::size_t first, std::size_t rows) {
    std::vector<float> values(rows * matrix.columns);
    const std::size_t row_bytes = kernels::packed_row_bytes(weights.format, matrix.columns);
    kernels::dequantize_rows(weights.format, matrix.packed + first * row_bytes, rows, matrix.columns,
                             values.data());
    return Vector(values.begin(), values.end());
}

Vector copied(const float* values, std::size_t count) {
    return values == nullptr ? Vector(count, 0.0) : Vector(values, values + count);
}

/// To multiples of a 127th of the greatest magnitude among each 32.
Vector rounded_to_int8(const Vector& in) {
    constexpr std::size_t group = 32;
    Vector out(in.size());
    for (std::size_t begin = 0; begin < in.size(); begin += group) {
        const std::size_t end = std::min(in.size(), begin + group);
        double greatest = 0;
        for (std::size_t i = begin; i < end; ++i) greatest = std::max(greatest, std::abs(in[i]));
        const double step = greatest / 127;
        for (std::size_t i = begin; i < end; ++i)
            out[i] = step == 0 ? 0 : std::nearbyint(in[i] / step) * step;
    }
    return out;
}

void add(Vector& into, const Vector& what) {
    for (std::size_t i = 0; i < into.size(); ++i) into[i] += what[i];
}

Vector normalised(const Vector& in, const Vector& weight) {
    double squares = 0;
    for (const double value : in) squares += value * value;
    const double root =
        std::sqrt(squares / static_cast<double>(in.size()) + static_cast<double>(norm_epsilon));
    Vector out(in.size());
    for (std::size_t i = 0; i < in.size(); ++i) out[i] = in[i] / root * weight[i];
    return out;
}

/// Every head of `heads` turned: element i against element i + dimension / 2, by position / base^(2i /
/// dimension).
void rotate(Vector& heads, std::size_t dimension, std::size_t position) {
    for (std::size_t start = 0; start < heads.size(); start += dimension) {
        for (std::size_t i = 0; i < dimension / 2; ++i) {
            const double exponent = 2.0 * static_cast<double>(i) / static_cast<double>(dimension);
            const double angle = static_cast<double>(position) / std::pow(rotary_base, exponent);
            const double first = heads[start + i], second = heads[start + i + dimension / 2];
            heads[start + i] = first * std::cos(angle) - second * std::sin(angle);
            heads[start + i + dimension / 2] = first * std::sin(angle) + second * std::cos(angle);
        }
    }
}

/// To the nearest f16, ties to even: 11 significant bits, and steps of 2^-24 below 2^-14.
double rounded_to_f16(double value) {
    if (value == 0) return 0;
    int exponent = 0;
    std::frexp(value, &exponent);
    const double step = std::ldexp(1.0, std::max(exponent - 11, -24));
    return std::clamp(std::nearbyint(value / step) * step, -65504.0, 65504.0);
}

void round_to_f16(Vector& values) {
    for (double& value : values) value = rounded_to_f16(value);
}

}  // namespace

ReferenceDecoder::ReferenceDecoder(const DecoderWeights& weights, const Cache& cache)
    : shape_(weights.shape),
      int8_activations_(weights.int8_activations),
      embedding_(dequantized(weights, weights.embedding, 0, weights.embedding.rows)),
      head_(dequantized(weights, weights.head, 0, weights.head.rows)),
      final_norm_(copied(weights.final_norm, shape_.hidden)),
      position_(cache.length) {
    const std::size_t queries = shape_.query_rows(), shared = shape_.key_value_rows();
    const std::size_t dimension = shape_.head_dimension;
    for (std::size_t i = 0; i < weights.layers.size(); ++i) {
        const LayerWeights& from = weights.layers[i];
        const float* bias = from.query_key_value_bias;
        Layer layer;
        layer.attention_norm = copied(from.attention_norm, shape_.hidden);
        layer.query = dequantized(weights, from.query_key_value, 0, queries);
        layer.key = dequantized(weights, from.query_key_value, queries, shared);
        layer.value = dequantized(weights, from.query_key_value, queries + shared, shared);
        layer.query_bias = copied(bias, queries);
        layer.key_bias = copied(bias == nullptr ? nullptr : bias + queries, shared);
        layer.value_bias = copied(bias == nullptr ? nullptr : bias + queries + shared, shared);
        layer.output = dequantized(weights, from.attention_output, 0, shape_.hidden);
        layer.feed_forward_norm = copied(from.feed_forward_norm, shape_.hidden);
        layer.gate = dequantized(weights, from.gate_up, 0, shape_.intermediate);
        layer.up = dequantized(weights, from.gate_up, shape_.intermediate, shape_.intermediate);
        layer.down = dequantized(weights, from.down, 0, shape_.hidden);
        for (std::size_t position = 0; position < cache.length; ++position) {
            Vector keys(shared), values(shared);
            for (std::size_t row = 0; row < shared; ++row) {
                const std::size_t head = i * shape_.key_value_heads + row / dimension;
                const std::size_t at = (head * cache.capacity + position) * dimension + row % dimension;
                keys[row] = kernels::half_to_float(cache.keys[at]);
                values[row] = kernels::half_to_float(cache.values[at]);
            }
            layer.keys.push_back(keys);
            layer.values.push_back(values);
        }
        layers_.push_back(layer);
    }
}

ReferenceDecoder::Vector ReferenceDecoder::product(const Vector& matrix, const Vector& given) const {
    const Vector in = int8_activations_ ? rounded_to_int8(given) : given;
    Vector out(matrix.size() / in.size(), 0.0);
    for (std::size_t row = 0; row < out.size(); ++row)
        for (std::size_t column = 0; column < in.size(); ++column)
            out[row] += matrix[row * in.size() + column] * in[column];
    return out;
}

ReferenceDecoder::Vector ReferenceDecoder::attention(Layer& layer, const Vector& in,
                                                     std::size_t position) const {
    const std::size_t dimension = shape_.head_dimension;
    Vector query = product(layer.query, in), key = product(layer.key, in), value = product(layer.value, in);
    add(query, layer.query_bias);
    add(key, layer.key_bias);
    add(value, layer.value_bias);
    rotate(query, dimension, position);
    rotate(key, dimension, position);
    round_to_f16(key);
    round_to_f16(value);
    layer.keys.push_back(key);
    layer.values.push_back(value);

    Vector out(query.size(), 0.0);
    for (std::size_t head = 0; head < shape_.query_heads; ++head) {
        const std::size_t shared = head / (shape_.query_heads / shape_.key_value_heads);
        Vector scores;
        for (const Vector& past : layer.keys) {
            double dot = 0;
            for (std::size_t i = 0; i < dimension; ++i)
                dot += query[head * dimension + i] * past[shared * dimension + i];
            scores.push_back(std::exp(dot / std::sqrt(static_cast<double>(dimension))));
        }
        double total = 0;
        for (const double score : scores) total += score;
        for (std::size_t past = 0; past < scores.size(); ++past)
            for (std::size_t i = 0; i < dimension; ++i)
                out[head * dimension + i] +=
                    scores[past] / total * layer.values[past][shared * dimension + i];
    }
    return out;
}

std::vector<double> ReferenceDecoder::step(std::uint32_t token) {
    const std::ptrdiff_t row = static_cast<std::ptrdiff_t>(token * shape_.hidden);
    Vector hidden(embedding_.begin() + row,
                  embedding_.begin() + row + static_cast<std::ptrdiff_t>(shape_.hidden));
    for (Layer& layer : layers_) {
        add(hidden,
            product(layer.output, attention(layer, normalised(hidden, layer.attention_norm), position_)));
        const Vector in = normalised(hidden, layer.feed_forward_norm);
        const Vector gate = product(layer.gate, in), up = product(layer.up, in);
        Vector activated(gate.size());
        for (std::size_t i = 0; i < gate.size(); ++i)
            activated[i] = gate[i] / (1 + std::exp(-gate[i])) * up[i];
        add(hidden, product(layer.down, activated));
    }
    ++position_;
    return product(head_, normalised(hidden, final_norm_));
}

}  // namespace assay::inference
