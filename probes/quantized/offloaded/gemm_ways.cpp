#include "probes/quantized/offloaded/gemm_ways.h"

#include <algorithm>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "kernels/cuda/quantized_lt.h"
#include "kernels/matrix/bfloat16.h"
#include "probes/core/bytes_in_words.h"
#include "probes/core/device_room.h"

namespace assay {

namespace {

bool is_cuda(const Accelerator& accelerator) {
    return accelerator.info().id.starts_with("cuda:");
}

/// Why the library's way has no room beside the operands; empty where it has.
std::string shortage(const Accelerator& card, const GemmShape& shape,
                     const kernels::OffloadedWeights& weights) {
    const std::uint64_t tokens =
        weights.int8_activations ? 0 : std::uint64_t{shape.size.m} * shape.size.k * sizeof(std::uint16_t);
    const std::uint64_t more = cuda::quantized_lt_bytes(weights) + tokens;
    const DeviceRoom room = room_of(card);
    // The operands are there already, and what is free is without them.
    const std::uint64_t there = card.free_bytes() ? 0 : shape.bytes();
    if (there + more <= room.bytes) return {};
    return fmt::format(
        "beside {} of operands and result it takes {} for its workspace and copies in bf16 of {}, of which "
        "{}",
        bytes_in_words(shape.bytes()), bytes_in_words(more), card.info().id, room.words);
}

std::unique_ptr<DeviceMemory> copied_as_bf16(Accelerator& card, const std::vector<float>& values) {
    std::vector<std::uint16_t> rounded(values.size());
    std::transform(values.begin(), values.end(), rounded.begin(), kernels::float_to_bfloat16);
    return copied(card, rounded.data(), rounded.size() * sizeof rounded[0]);
}

std::variant<GemmWay, Absent> library_way(Accelerator& card, const GemmShape& shape,
                                          const kernels::OffloadedWeights& weights,
                                          const DeviceTokens& tokens, kernels::QuantizedOperands operands) {
    if (const std::string reason = shortage(card, shape, weights); !reason.empty()) return Absent{reason};
    std::shared_ptr<DeviceMemory> bf16;
    if (!weights.int8_activations) {
        bf16 = copied_as_bf16(card, tokens.as_multiplied);
        operands.activations = bf16.get();
    }
    std::variant<std::unique_ptr<cuda::QuantizedLtProduct>, Absent> prepared =
        cuda::QuantizedLtProduct::prepare(card, weights, shape.size.m, operands);
    if (Absent* absent = std::get_if<Absent>(&prepared)) return *absent;
    const std::shared_ptr<cuda::QuantizedLtProduct> product = std::move(std::get<0>(prepared));
    const bool integers = weights.int8_activations;
    GemmWay way;
    way.product = {integers ? "cuBLASLt and scaling" : "dequantizing and cuBLASLt",
                   [&card, &tokens, product, bf16] {
                       tokens.quantize(card);
                       product->enqueue();
                   }};
    way.implementation = "cublaslt";
    way.arithmetic = to_string(product->precision());
    way.library = product->library();
    way.bf16_weights = !integers;
    // Int32 sums lie where results come to lie, and all ones would be -1, scaled: a small result. This is
    // beyond all sums.
    const std::uint8_t never = integers ? 0x80 : 0xff;
    way.poison = [&card, &tokens, product, never, out = operands.out] {
        tokens.poison(card);
        card.queue().fill(*out, 0, out->bytes(), never);
        product->poison();
    };
    way.more_error = cuda::lt_cutting_error(product->precision(), shape.size.k);
    const std::string algorithms =
        fmt::format("the fastest of {} algorithms that its heuristics named", product->candidates());
    way.note = integers
                   ? fmt::format(
                         "int8 weights with a scale a row and activations, given in bf16, that a kernel "
                         "quantizes likewise; cuBLASLt, by {}, sums in int32, and a kernel brings the sums "
                         "to f32 by both scales. Both kernels are part of each product.",
                         algorithms)
                   : fmt::format(
                         "A kernel makes bf16 weights of the {} ones, which is part of each product; "
                         "cuBLASLt, by {}, multiplies these by bf16 activations, given in bf16 beforehand, "
                         "as layers hand them on; sums in f32.",
                         kernels::to_string(shape.format), algorithms);
    return way;
}

}  // namespace

void round_to_bf16(std::span<float> values) {
    for (float& value : values) value = kernels::bfloat16_to_float(kernels::float_to_bfloat16(value));
}

DeviceTokens::DeviceTokens(Accelerator& accelerator, bool integers, std::vector<float> given, std::size_t k)
    : columns(k) {
    if (integers) {
        if (is_cuda(accelerator)) {
            round_to_bf16(given);
            bf16 = copied_as_bf16(accelerator, given);
        }
        const kernels::DeviceActivations quantized =
            kernels::quantize_for_device(given.data(), given.size(), k);
        values = copied(accelerator, quantized.values.data(), quantized.values.size());
        scales = copied(accelerator, quantized.scales.data(), quantized.scales.size() * sizeof(float));
        as_multiplied = quantized.as_multiplied();
        return;
    }
    round_to_bf16(given);
    values = copied(accelerator, given.data(), given.size() * sizeof(float));
    as_multiplied = std::move(given);
}

void DeviceTokens::quantize(Accelerator& accelerator) const {
    if (bf16)
        cuda::quantize_activations(accelerator, as_multiplied.size() / columns, columns, *bf16, *values,
                                   *scales);
}

void DeviceTokens::poison(Accelerator& accelerator) const {
    if (bf16) accelerator.queue().fill(*values, 0, values->bytes(), 0x80);
}

GemmWays gemm_ways(Accelerator& accelerator, const GemmShape& shape, const kernels::OffloadedWeights& weights,
                   const DeviceMemory& packed, const DeviceTokens& tokens, DeviceMemory& out) {
    GemmWays found;
    const kernels::QuantizedOperands operands{&packed, 0, tokens.values.get(), tokens.scales.get(), &out};
    for (const kernels::QuantizedForm& form : kernels::gemm_forms(accelerator, weights)) {
        GemmWay way;
        way.product = {form.name, [&accelerator, &tokens, form, weights, m = shape.size.m, operands] {
                           tokens.quantize(accelerator);
                           kernels::launch_gemm(accelerator, form, weights, m, operands);
                       }};
        way.poison = [&accelerator, &tokens, &out] {
            tokens.poison(accelerator);
            accelerator.queue().fill(out, 0, out.bytes(), 0xff);
        };
        way.implementation = "own";
        way.arithmetic = weights.int8_activations ? "int8" : "f32";
        way.note = tokens.bf16
                       ? "int8 weights with a scale a row and activations, given in bf16, that a kernel "
                         "quantizes likewise as part of each product; sums in int32."
                   : weights.int8_activations
                       ? "int8 weights with a scale a row and activations that the host quantized likewise "
                         "beforehand; sums in int32."
                       : fmt::format(
                             "{} weights become f32 tile by tile within the product; activations are bf16 "
                             "values, kept in f32; sums in f32.",
                             kernels::to_string(shape.format));
        found.ways.push_back(way);
    }
    if (!is_cuda(accelerator)) return found;
    try {
        std::variant<GemmWay, Absent> way = library_way(accelerator, shape, weights, tokens, operands);
        if (const Absent* absent = std::get_if<Absent>(&way))
            found.absence = absent->reason;
        else
            found.ways.push_back(std::move(std::get<GemmWay>(way)));
    } catch (const DeviceError& error) {
        if (error.lost()) throw;
        found.absence = error.what();
    }
    return found;
}

}  // namespace assay
