#include "probes/inference/decoder.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "probes/inference/reference_decoder.h"
#include "tests/probes/inference/tiny_decoder.h"

namespace assay::inference {
namespace {

using kernels::Isa;
using kernels::WeightFormat;

/// |a - b| / |b|, Euclidean.
double relative_error(std::span<const float> logits, const std::vector<double>& reference) {
    double difference = 0, size = 0;
    for (std::size_t i = 0; i < reference.size(); ++i) {
        difference += std::pow(static_cast<double>(logits[i]) - reference[i], 2);
        size += reference[i] * reference[i];
    }
    return std::sqrt(difference / size);
}

std::uint32_t greatest(const std::vector<double>& values) {
    return static_cast<std::uint32_t>(std::max_element(values.begin(), values.end()) - values.begin());
}

/// Largest relative error of the logits over `tokens` greedy tokens; fails when the tokens differ.
double largest_error(TinyDecoder& tiny, int tokens) {
    ReferenceDecoder reference(tiny.weights, tiny.cache);
    double largest = 0;
    std::uint32_t token = 5;
    for (int i = 0; i < tokens; ++i) {
        const std::uint32_t next = tiny.decoder->step(token);
        const std::vector<double> logits = reference.step(token);
        largest = std::max(largest, relative_error(tiny.decoder->logits(), logits));
        EXPECT_EQ(next, greatest(logits)) << "token " << i;
        token = next;
    }
    return largest;
}

struct Configuration {
    std::string name;
    std::size_t query_heads, key_value_heads;
    bool bias, tied;
    WeightFormat format;
    int threads;
    Isa isa;
    std::size_t past;
};

std::vector<Configuration> configurations() {
    std::vector<Configuration> all;
    for (const Isa isa : {Isa::portable, Isa::avx2, kernels::best_isa()}) {
        if (!kernels::supports(isa)) continue;
        for (const WeightFormat format : {WeightFormat::int4, WeightFormat::int8}) {
            for (const int threads : {1, 2}) {
                if (threads > kernels::allowed_cpus()) continue;
                all.push_back({"grouped with bias", 6, 2, true, false, format, threads, isa, 0});
                all.push_back({"grouped after a past", 6, 2, false, true, format, threads, isa, 21});
                all.push_back({"multi-head tied", 3, 3, false, true, format, threads, isa, 0});
                all.push_back({"one shared head", 4, 1, true, false, format, threads, isa, 16});
            }
        }
    }
    return all;
}

TEST(Decoder, EqualsTheReferenceDecoderTokenByToken) {
    for (const Configuration& configuration : configurations()) {
        SCOPED_TRACE(configuration.name + " " + std::string(to_string(configuration.format)) + " " +
                     std::string(to_string(configuration.isa)) + " threads " +
                     std::to_string(configuration.threads));
        DecoderShape shape = tiny_shape();
        shape.query_heads = configuration.query_heads;
        shape.key_value_heads = configuration.key_value_heads;
        shape.query_key_value_bias = configuration.bias;
        shape.tied_embeddings = configuration.tied;
        TinyDecoder tiny(shape, configuration.format, configuration.threads, configuration.isa,
                         configuration.past);
        const double error = largest_error(tiny, 10);
        // f32 sums err by 1e-6; a key or value that falls to the other side of an f16 tie adds up to 5e-5.
        EXPECT_LT(error, 2e-4);
    }
}
}  // namespace
}  // namespace assay::inference
