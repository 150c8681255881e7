#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "kernels/device/memory_limit.h"
#include "kernels/matrix/bfloat16.h"
#include "probes/core/bytes_in_words.h"
#include "probes/core/device_room.h"
#include "probes/core/random.h"
#include "probes/quantized/matrix_product.h"
#include "probes/quantized/offloaded/offloaded.h"

namespace assay {

using kernels::WeightFormat;

namespace {

bool int8_activations(const Case& the_case) {
    return the_case.is_auto("activations") ? the_case.text("format") == "int8"
                                           : the_case.text("activations") == "int8";
}

/// [m × k] as the device takes them: int8 with a scale a row, or bf16 values in f32.
struct DeviceTokens {
    std::vector<float> as_multiplied;
    std::unique_ptr<DeviceMemory> values, scales;

    DeviceTokens(Accelerator& accelerator, bool integers, std::vector<float> given, std::size_t k) {
        if (integers) {
            const kernels::DeviceActivations quantized =
                kernels::quantize_for_device(given.data(), given.size(), k);
            values = copied(accelerator, quantized.values.data(), quantized.values.size());
            scales = copied(accelerator, quantized.scales.data(), quantized.scales.size() * sizeof(float));
            as_multiplied = quantized.as_multiplied();
            return;
        }
        for (float& value : given) value = kernels::bfloat16_to_float(kernels::float_to_bfloat16(value));
        values = copied(accelerator, given.data(), given.size() * sizeof(float));
        as_multiplied = std::move(given);
    }
};

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
    const kernels::QuantizedOperands operands{weights.get(), 0, tokens.values.get(), tokens.scales.get(),
                                              out.get()};
    const auto enqueue = [&](const kernels::QuantizedForm& form) {
        kernels::launch_gemm(accelerator, form, described, m, operands);
    };
    const ChosenForm chosen =
        choose_form(accelerator, kernels::gemm_forms(accelerator, described), shape.operations(), enqueue);
    const int batch = products_of_sample(chosen.seconds);

    context.progress("multiplying", 0.2);
    const SampleSet throughput = context.sample(context.sampling, [&] {
        accelerator.queue().fill(*out, 0, out->bytes(), 0xff);
        const double elapsed = timed(accelerator.queue(), [&] {
            for (int i = 0; i < batch; ++i) enqueue(chosen.form);
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
        },
        read_back(accelerator, *out, m * n), context.seed));
    outcome.resolved = {{"form", chosen.form.name},
                        {"arithmetic", integers ? "int8" : "f32"},
                        {"products_per_sample", std::to_string(batch)}};
    outcome.notes = {
        fmt::format(
            "{} x {} activations times the transpose of {} x {} weights: {:.4g} operations and {} bytes "
            "of weights, scales included, a product.",
            m, k, n, k, shape.operations(), shape.weight_bytes()),
        integers ? "int8 weights with a scale a row and activations that the host quantized likewise "
                   "beforehand; sums in int32."
                 : fmt::format("{} weights become f32 tile by tile within the product; activations are bf16 "
                               "values, kept in f32; sums in f32.",
                               kernels::to_string(shape.format)),
        "The result is overwritten with NaN before each sample and checked after the last.", chosen.note};
    return outcome;
}

}  // namespace assay
