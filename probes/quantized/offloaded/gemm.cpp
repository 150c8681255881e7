#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "kernels/device/memory_limit.h"
#include "probes/core/bytes_in_words.h"
#include "probes/core/device_room.h"
#include "probes/core/random.h"
#include "probes/quantized/offloaded/gemm_ways.h"

namespace assay {

using kernels::WeightFormat;

namespace {

bool int8_activations(const Case& the_case) {
    return the_case.is_auto("activations") ? the_case.text("format") == "int8"
                                           : the_case.text("activations") == "int8";
}

std::unique_ptr<DeviceMemory> quantized_weights(Accelerator& accelerator, const GemmShape& shape,
                                                std::uint64_t seed) {
    const auto [m, n, k] = shape.size;
    const std::size_t row_bytes = kernels::packed_row_bytes(shape.format, k);
    std::vector<std::byte> packed(n * row_bytes), arranged(n * row_bytes);
    kernels::ThreadTeam team(kernels::allowed_cpus());
    team.run([&, rows = n, columns = k](int member) {
        const kernels::ItemRange mine = kernels::member_range(rows, 1, member, team.size());
        std::vector<float> row(columns);
        for (std::size_t index = mine.begin; index < mine.end; ++index) {
            gemm_weight_row(seed, index, columns, row.data());
            kernels::quantize_rows(shape.format, row.data(), 1, columns, packed.data() + index * row_bytes);
        }
    });
    kernels::arrange_for_device(shape.format, packed.data(), n, k, arranged.data());
    return copied(accelerator, arranged.data(), arranged.size());
}

/// Why a product has no room; empty where it has.
std::string shortage(const Accelerator& accelerator, const GemmShape& shape) {
    const auto [m, n, k] = shape.size;
    const auto words = [&, rows = m, columns = n, sums = k](std::uint64_t bytes, const std::string& whose,
                                                            const std::string& there) {
        return fmt::format(
            "weights of {} x {} in {}, activations of {} x {} and the result take {} of {}, of which {}",
            columns, sums, kernels::to_string(shape.format), rows, sums, bytes_in_words(bytes), whose, there);
    };
    const DeviceRoom room = room_of(accelerator);
    if (shape.bytes() > room.bytes) return words(shape.bytes(), accelerator.info().id, room.words);
    const std::uint64_t usable = usable_memory_bytes();
    const std::uint64_t host = shape.bytes() * (accelerator.is_card() ? 2 : 3);
    return usable != 0 && host > usable
               ? words(host, "the host, copies included", bytes_in_words(usable) + " may be used")
               : std::string();
}

}  // namespace

void check_offloaded_gemm(const Case& the_case) {
    refuse_cpu_parameters(the_case, {"threads", "isa"});
    if (int8_activations(the_case) && the_case.text("format") != "int8")
        throw InputError(
            fmt::format("quantized.gemm.activations: {} weights and int8 activations have no kernel on {}; "
                        "accepted there: auto, bf16; int8 for int8 weights",
                        the_case.text("format"), the_case.text("device")));
}

Outcome offloaded_gemm(const Case& the_case, Context& context, Accelerator& accelerator) {
    const GemmShape shape = gemm_shape_of(the_case);
    const std::size_t m = shape.size.m, n = shape.size.n, k = shape.size.k;
    const bool integers = int8_activations(the_case);
    if (const std::string reason = shortage(accelerator, shape); !reason.empty())
        return skipped(the_case, reason);
    context.progress("quantizing the weights", 0);
    const std::unique_ptr<DeviceMemory> weights = quantized_weights(accelerator, shape, context.seed);
    std::vector<float> given(m * k);
    Random random(context.seed, 7);
    for (float& value : given) value = static_cast<float>(random.uniform(-1, 1));
    const DeviceTokens tokens(accelerator, integers, std::move(given), k);
    const std::unique_ptr<DeviceMemory> out = accelerator.allocate(m * n * sizeof(float), false);
    const kernels::OffloadedWeights described = kernels::offloaded_weights(shape.format, integers, n, k);
    const GemmWays found = gemm_ways(accelerator, shape, described, *weights, tokens, *out);
    std::vector<NamedProduct> products;
    for (const GemmWay& way : found.ways) products.push_back(way.product);
    const ChosenProduct chosen = choose_product(accelerator, products, shape.operations());
    const GemmWay& way = found.ways[chosen.index];
    const int batch = products_of_sample(chosen.seconds);

    context.progress("multiplying", 0.2);
    const SampleSet throughput = context.sample(context.sampling, [&] {
        way.poison();
        const double elapsed = timed(accelerator.queue(), [&] {
            for (int i = 0; i < batch; ++i) way.product.enqueue();
        });
        return batch * shape.operations() / std::max(elapsed, 1e-9);
    });
    SampleSet bandwidth = throughput;
    for (double& value : bandwidth.values)
        value *= static_cast<double>(shape.weight_bytes()) / shape.operations();

    context.progress("checking", 0.9);
    Outcome outcome;
    outcome.metrics = {make_metric(quantized_gemm_throughput_metric, throughput),
                       make_metric(quantized_gemm_bandwidth_metric, bandwidth),
                       make_exact_metric(quantized_gemm_traffic_metric,
                                         static_cast<double>(shape.bytes()) / shape.operations())};
    const std::size_t row_bytes = kernels::packed_row_bytes(shape.format, k);
    outcome.checks.push_back(check_gemm(
        shape,
        [&](std::size_t row, float* to) {
            std::memcpy(to, tokens.as_multiplied.data() + row * k, k * sizeof(float));
        },
        [&](std::size_t column, float* to) {
            std::vector<std::byte> packed(row_bytes);
            gemm_weight_row(context.seed, column, k, to);
            kernels::quantize_rows(shape.format, to, 1, k, packed.data());
            kernels::dequantize_rows(shape.format, packed.data(), 1, k, to);
            if (way.bf16_weights) round_to_bf16({to, k});
        },
        read_back(accelerator, *out, m * n), context.seed, way.more_error));
    outcome.resolved = {{"form", way.product.name},
                        {"implementation", way.implementation},
                        {"arithmetic", way.arithmetic},
                        {"products_per_sample", std::to_string(batch)}};
    if (!way.library.empty()) outcome.resolved["library"] = way.library;
    outcome.notes = {
        fmt::format(
            "{} x {} activations times the transpose of {} x {} weights: {:.4g} operations and {} bytes "
            "of weights, scales included, a product.",
            m, k, n, k, shape.operations(), shape.weight_bytes()),
        way.note,
        "The result is overwritten before each sample with what no product is, and checked after the last.",
        (way.library.empty() ? "By own kernels, " : "Through cuBLASLt, ") + chosen.note};
    if (!found.absence.empty())
        outcome.notes.push_back(
            "Without cuBLASLt, by which engines multiply on the tensor cores, the figure tells more of the "
            "own "
            "kernel than of the card: " +
            found.absence);
    return outcome;
}

}  // namespace assay
