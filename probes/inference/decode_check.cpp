#include "probes/inference/decode_check.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <new>
#include <random>

#include <fmt/format.h>

namespace assay::inference {

namespace {

/// Page-aligned memory, which vectors do not promise.
struct Aligned {
    struct Free {
        void operator()(std::byte* memory) const { ::operator delete[](memory, std::align_val_t{4096}); }
    };
    explicit Aligned(std::uint64_t size)
        : bytes(static_cast<std::byte*>(::operator new[](size, std::align_val_t{4096}))) {}
    std::unique_ptr<std::byte[], Free> bytes;
};

double root_mean_square(const std::vector<double>& values) {
    double squares = 0;
    for (const double value : values) squares += value * value;
    return std::sqrt(squares / static_cast<double>(values.size()));
}

double relative_error(std::span<const float> logits, const std::vector<double>& reference) {
    std::vector<double> differences(reference.size());
    for (std::size_t i = 0; i < reference.size(); ++i)
        differences[i] = static_cast<double>(logits[i]) - reference[i];
    return root_mean_square(differences) / root_mean_square(reference);
}

/// Of two logits, each may be off by four times the tolerance, which is that of all of them together.
constexpr double greedy_margin = 8;

}  // namespace

double logits_tolerance(bool int8_activations) {
    return int8_activations ? 3e-2 : 5e-4;
}

DecoderShape miniature_of(const DecoderShape& shape) {
    DecoderShape small = shape;
    small.hidden = 256;
    small.layers = std::min<std::size_t>(shape.layers, 2);
    small.key_value_heads = std::min<std::size_t>(shape.key_value_heads, 2);
    small.query_heads = small.key_value_heads * shape.group();
    small.intermediate = 352;
    small.vocabulary = 301;
    return small;
}

std::vector<Check> compare(Decoder& decoder, ReferenceDecoder& reference, std::size_t tokens,
                           std::uint32_t first, double tolerance) {
    double largest = 0;
    std::size_t equal = 0;
    std::uint32_t token = first;
    for (std::size_t i = 0; i < tokens; ++i) {
        const std::uint32_t next = decoder.step(token);
        const std::vector<double> logits = reference.step(token);
        const double error = relative_error(decoder.logits(), logits);
        largest = std::isfinite(error) ? std::max(largest, error) : HUGE_VAL;
        const std::ptrdiff_t best = std::max_element(logits.begin(), logits.end()) - logits.begin();
        const double behind = logits[static_cast<std::size_t>(best)] - logits[next];
        equal += behind <= greedy_margin * tolerance * root_mean_square(logits) ? 1 : 0;
        token = static_cast<std::uint32_t>(best);
    }
    return {{"logits match the f64 reference decoder", largest <= tolerance, largest,
             fmt::format("largest relative error {:.1e} of {} tokens, allowed {:.0e}", largest, tokens,
                         tolerance)},
            {"greedy tokens are the reference decoder's", equal == tokens, std::nullopt,
             fmt::format("{} of {}", equal, tokens)}};
}

std::vector<Check> check_against_reference(const DecodePlan& plan, kernels::ThreadTeam& team,
                                           std::uint64_t seed) {
    constexpr std::size_t past = 21, tokens = 8;
    const DecoderShape shape = miniature_of(plan.shape);
    const Aligned weight_memory(weight_bytes(shape, plan.format));
    const Aligned cache_memory(cache_bytes(shape, past + tokens));
    DecoderWeights weights = place_weights(shape, plan.format, weight_memory.bytes.get());
    Cache cache = place_cache(shape, past + tokens, cache_memory.bytes.get());
    fill_weights(weights, seed, team, {});
    fill_cache(cache, shape, past, seed + 1);

    std::vector<Check> checks;
    for (const bool int8_activations : {false, true}) {
        if (int8_activations && !plan.int8_activations) break;
        weights.int8_activations = int8_activations;
        cache.length = past;
        ReferenceDecoder reference(weights, cache);
        Decoder decoder(weights, cache, team, plan.isa);
        for (Check check :
             compare(decoder, reference, tokens, static_cast<std::uint32_t>(seed % shape.vocabulary),
                     logits_tolerance(int8_activations))) {
            check.name += int8_activations ? ", int8 activations" : ", f32 activations";
            checks.push_back(std::move(check));
        }
    }
    checks.front().detail += fmt::format(
        "; {} layers, hidden {}, {} query and {} key/value heads of {}, {} positions cached before",
        shape.layers, shape.hidden, shape.query_heads, shape.key_value_heads, shape.head_dimension, past);
    return checks;
}

Check check_logits_finite(const Decoder& decoder) {
    const std::span<const float> logits = decoder.logits();
    const bool finite =
        std::all_of(logits.begin(), logits.end(), [](float logit) { return std::isfinite(logit); });
    if (!finite) return {"logits are finite and not all equal", false, std::nullopt, "one is not finite"};
    const std::pair<std::span<const float>::iterator, std::span<const float>::iterator> ends =
        std::minmax_element(logits.begin(), logits.end());
    return {"logits are finite and not all equal", *ends.first < *ends.second, std::nullopt,
            fmt::format("{} logits between {:.2f} and {:.2f}", logits.size(), *ends.first, *ends.second)};
}

Check check_head_rows(const Decoder& decoder, const DecoderWeights& weights, std::uint64_t seed) {
    constexpr std::size_t rows = 16;
    constexpr double tolerance = 1e-4;
    const Matrix& head = weights.head;
    const std::size_t row_bytes = kernels::packed_row_bytes(weights.format, head.columns);
    std::vector<float> in(decoder.head_input().begin(), decoder.head_input().end());
    if (weights.int8_activations) {
        std::vector<std::byte> quantized(kernels::activation_bytes(weights.format, in.size()));
        kernels::quantize_activations(decoder.isa(), weights.format, in.data(), in.size(), quantized.data());
        kernels::dequantize_activations(weights.format, quantized.data(), in.size(), in.data());
    }
    std::mt19937_64 random(seed);
    std::vector<float> row(head.columns);
    double worst = 0;
    for (std::size_t i = 0; i < rows; ++i) {
        const std::size_t index = static_cast<std::size_t>(random() % head.rows);
        kernels::dequantize_rows(weights.format, head.packed + index * row_bytes, 1, head.columns,
                                 row.data());
        double expected = 0, size = 0;
        for (std::size_t column = 0; column < head.columns; ++column) {
            const double term = static_cast<double>(row[column]) * static_cast<double>(in[column]);
            expected += term;
            size += term * term;
        }
        // Against the size of the terms, since their sum may happen to be near 0.
        const double error =
            std::abs(static_cast<double>(decoder.logits()[index]) - expected) / std::sqrt(size);
        worst = std::isfinite(error) ? std::max(worst, error) : HUGE_VAL;
    }
    return {"output head of the timed model matches f64", worst <= tolerance, worst,
            fmt::format("largest relative error {:.1e} of {} rows, allowed {:.0e}", worst, rows, tolerance)};
}

}  // namespace assay::inference
