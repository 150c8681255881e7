#pragma once

#include <cstdint>
#include <vector>

#include "probes/inference/decoder.h"

namespace assay::inference {

/// The same model, slow and right: one loop after another in f64 over dequantized weights, on one thread, for
/// tiny shapes. Only what is part of the model's definition is rounded: the cache keeps f16, and what
/// products multiply is int8 where the weights say so.
class ReferenceDecoder {
  public:
    /// Dequantizes everything, and copies what the cache holds.
    ReferenceDecoder(const DecoderWeights& weights, const Cache& cache);

    /// Appends `token` and returns the logits of what follows it.
    std::vector<double> step(std::uint32_t token);

  private:
    using Vector = std::vector<double>;
    struct Layer {
        Vector attention_norm, query, key, value, query_bias, key_bias, value_bias, output, feed_forward_norm,
            gate, up, down;
        /// A position's keys and values of all key/value heads, [key_value_rows] each.
        std::vector<Vector> keys, values;
    };

    Vector attention(Layer& layer, const Vector& in, std::size_t position) const;
    Vector product(const Vector& matrix, const Vector& given) const;

    DecoderShape shape_;
    bool int8_activations_;
    Vector embedding_, head_, final_norm_;
    std::vector<Layer> layers_;
    std::size_t position_ = 0;
};

}  // namespace assay::inference
