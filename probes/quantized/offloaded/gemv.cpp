#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "kernels/device/memory_limit.h"
#include "probes/core/bytes_in_words.h"
#include "probes/core/device_room.h"
#include "probes/quantized/offloaded/offloaded.h"
#include "probes/quantized/vector_product.h"

namespace assay {

namespace {

constexpr std::size_t columns_of_scale = 32;  ///< int8 activations

/// The vector on the device, and the values that are multiplied.
struct DeviceVector {
    std::unique_ptr<DeviceMemory> values, scales;
    std::vector<float> as_multiplied;

    DeviceVector(Accelerator& accelerator, const GemvShape& shape, const std::vector<float>& in) {
        if (!shape.int8_activations) {
            values = copied(accelerator, in.data(), in.size() * sizeof(float));
            as_multiplied = in;
            return;
        }
        const kernels::DeviceActivations quantized =
            kernels::quantize_for_device(in.data(), in.size(), columns_of_scale);
        values = copied(accelerator, quantized.values.data(), quantized.values.size());
        scales = copied(accelerator, quantized.scales.data(), quantized.scales.size() * sizeof(float));
        as_multiplied = quantized.as_multiplied();
    }
    void hand_over(kernels::QuantizedOperands& to) const {
        to.activations = values.get();
        to.scales = scales.get();
    }
};

kernels::OffloadedWeights weights_of(const GemvShape& shape) {
    return kernels::offloaded_weights(shape.format, shape.int8_activations, shape.rows, shape.columns);
}

/// Packed weights of the host by `in` in that form; returns what was multiplied by.
std::vector<float> multiply_once(Accelerator& accelerator, const kernels::QuantizedForm& form,
                                 const GemvShape& shape, const std::byte* packed,
                                 const std::vector<float>& in, std::vector<float>& out) {
    std::vector<std::byte> arranged(shape.matrix_bytes());
    kernels::arrange_for_device(shape.format, packed, shape.rows, shape.columns, arranged.data());
    const std::unique_ptr<DeviceMemory> weights = copied(accelerator, arranged.data(), arranged.size());
    const std::unique_ptr<DeviceMemory> result = accelerator.allocate(shape.rows * sizeof(float), false);
    const DeviceVector vector(accelerator, shape, in);
    kernels::QuantizedOperands operands{.weights = weights.get(), .out = result.get()};
    vector.hand_over(operands);
    accelerator.queue().fill(*result, 0, result->bytes(), 0xff);
    kernels::launch_gemv(accelerator, form, weights_of(shape), operands);
    out = read_back(accelerator, *result, shape.rows);
    return vector.as_multiplied;
}

/// Why a matrix has no room; empty where it has.
std::string shortage(const Accelerator& accelerator, const GemvShape& shape) {
    const auto words = [&](std::uint64_t bytes, const std::string& whose, const std::string& there) {
        return fmt::format("a matrix of {} x {} weights in {} takes {} of {}, of which {}", shape.rows,
                           shape.columns, kernels::to_string(shape.format), bytes_in_words(bytes), whose,
                           there);
    };
    const DeviceRoom room = room_of(accelerator);
    if (shape.matrix_bytes() > room.bytes)
        return words(shape.matrix_bytes(), accelerator.info().id, room.words);
    const std::uint64_t usable = usable_memory_bytes();
    // Twice on the host while it is copied; a device on the CPU keeps its own there, too.
    const std::uint64_t host = shape.matrix_bytes() * (accelerator.is_card() ? 2 : 3);
    return usable != 0 && host > usable
               ? words(host, "the host, copies included", bytes_in_words(usable) + " may be used")
               : std::string();
}

}  // namespace

Outcome offloaded_gemv(const Case& the_case, Context& context, Accelerator& accelerator) {
    const GemvShape shape = gemv_shape_of(the_case);
    if (const std::string reason = shortage(accelerator, shape); !reason.empty())
        return skipped(the_case, reason);
    const MatrixCount count = count_device_matrices(accelerator, shape.matrix_bytes());
    context.progress("filling the weights", 0);
    const DeviceMatrices weights(accelerator, shape.format, shape.rows, shape.columns, count.matrices,
                                 context.seed);
    const DeviceVector vector(accelerator, shape, random_vector(shape.columns, context.seed));
    const std::unique_ptr<DeviceMemory> out = accelerator.allocate(shape.rows * sizeof(float), false);
    const kernels::OffloadedWeights described = weights_of(shape);
    std::size_t next = 0, last = 0;
    const auto enqueue = [&](const kernels::QuantizedForm& form) {
        last = next;
        kernels::QuantizedOperands operands = weights.operands(last);
        vector.hand_over(operands);
        operands.out = out.get();
        kernels::launch_gemv(accelerator, form, described, operands);
        next = (next + 1) % weights.matrices();
    };
    const std::vector<kernels::QuantizedForm> forms = kernels::gemv_forms(accelerator, described);
    std::vector<NamedProduct> products;
    for (const kernels::QuantizedForm& form : forms)
        products.push_back({form.name, [&enqueue, &form] { enqueue(form); }});
    const ChosenProduct chosen = choose_product(accelerator, products, shape.operations());
    const kernels::QuantizedForm& form = forms[chosen.index];
    const int batch = products_of_sample(chosen.seconds);

    context.progress("multiplying", 0.2);
    const SampleSet bandwidth = context.sample(context.sampling, [&] {
        accelerator.queue().fill(*out, 0, out->bytes(), 0xff);
        const double elapsed = timed(accelerator.queue(), [&] {
            for (int i = 0; i < batch; ++i) enqueue(form);
        });
        return batch * static_cast<double>(shape.matrix_bytes()) / std::max(elapsed, 1e-9);
    });
    SampleSet throughput = bandwidth;
    for (double& value : throughput.values)
        value *= shape.operations() / static_cast<double>(shape.matrix_bytes());

    context.progress("checking", 0.9);
    Outcome outcome;
    outcome.checks.push_back(check_gemv(shape, weights.packed(last).data(), vector.as_multiplied,
                                        read_back(accelerator, *out, shape.rows), context.seed));
    outcome.metrics = {make_metric(gemv_throughput_metric, throughput),
                       make_metric(gemv_bandwidth_metric, bandwidth)};
    outcome.metrics[1].limit =
        memory_bandwidth_limit(find_accelerator(context.accelerator_facts, accelerator.info()));
    outcome.metrics.push_back(make_exact_metric(
        gemv_traffic_metric, static_cast<double>(shape.matrix_bytes()) / shape.operations()));
    measure_accuracy(
        shape,
        [&](const GemvShape& part, const std::byte* packed, const std::vector<float>& in,
            std::vector<float>& to) { return multiply_once(accelerator, form, part, packed, in, to); },
        context.seed, outcome);

    outcome.resolved = {{"form", form.name},
                        {"arithmetic", shape.int8_activations ? "int8" : "f32"},
                        {"matrices", std::to_string(weights.matrices())},
                        {"matrix_bytes", std::to_string(shape.matrix_bytes())},
                        {"products_per_sample", std::to_string(batch)}};
    outcome.notes = {
        fmt::format(
            "Weights {} x {} in {}, {}; 2 m k = {:.4g} operations and {} bytes of weights, scales "
            "included, a product.",
            shape.rows, shape.columns, described_weights(shape),
            shape.int8_activations
                ? "activations quantized by the host beforehand to int8, a scale for each 32, sums of "
                  "these in int32, then f32"
                : "f32 activations and sums",
            shape.operations(), shape.matrix_bytes()),
        count.reason,
        "The packed bits are random; accuracy is measured on normally distributed weights that were "
        "quantized. The result is overwritten with NaN before each sample and the last one is checked.",
        "By own kernels, " + chosen.note,
    };
    return outcome;
}

}  // namespace assay
