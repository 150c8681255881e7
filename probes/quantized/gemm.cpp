#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "kernels/device/accelerator.h"
#include "kernels/device/memory_limit.h"
#include "kernels/matrix/quantized_product.h"
#include "probes/core/bytes_in_words.h"
#include "probes/core/cpu_choice.h"
#include "probes/core/random.h"
#include "probes/quantized/matrix_product.h"
#include "probes/quantized/offloaded/offloaded.h"
#include "probes/quantized/quantized.h"

namespace assay {

using kernels::MatrixKernel;
using kernels::Precision;
using kernels::WeightFormat;

namespace {

constexpr Seconds shortest_sample{2e-3};

/// Throws InputError where format, activations and instruction set do not go together; nothing where they do
/// on other CPUs, and no set was asked for.
std::optional<MatrixKernel> kernel_of(const Case& the_case) {
    const WeightFormat format = gemm_shape_of(the_case).format;
    const std::optional<kernels::Isa> isa = matrix_isa_of(the_case);
    const auto find = [&](Precision activations) {
        return isa ? kernels::quantized_kernel(format, activations, *isa)
                   : kernels::quantized_kernel(format, activations);
    };
    std::optional<MatrixKernel> kernel;
    if (!the_case.is_auto("activations")) {
        kernel = find(kernels::precision_from_string(the_case.text("activations")).value());
    } else if (format == WeightFormat::int8) {
        kernel = find(Precision::int8);
    } else {
        kernel = find(Precision::bf16);
    }
    const bool of_other_cpus =
        !isa && the_case.text("format").starts_with("int4") && the_case.text("activations") == "int8";
    if (!kernel && !of_other_cpus)
        throw InputError(
            fmt::format("quantized.gemm.activations: {} weights and {} activations have no kernel with isa "
                        "{}; accepted: auto; int8 "
                        "for int8 weights and, where the set multiplies bytes, int4; bf16 for int4 and fp8",
                        the_case.text("format"), the_case.text("activations"), the_case.text("isa")));
    return kernel;
}

std::string weights_note(const MatrixKernel& kernel, const GemmShape& shape) {
    const std::string given = std::string(kernels::to_string(shape.format));
    if (shape.format == WeightFormat::int8)
        return "int8 weights with a scale a row, packed beforehand; sums in int32.";
    if (kernel.sums_integers())
        return given +
               " weights, packed beforehand, become bytes block by block within the product; int32 sums of "
               "each group are scaled and added up in f32.";
    return fmt::format(
        "{} weights, packed beforehand, are brought to {} block by block within the product; sums in "
        "f32.",
        given, kernels::to_string(kernel.arithmetic));
}

/// What is allocated: weights and activations as the kernel wants them, padding and widening included, the
/// activations as they are given, and the result.
std::uint64_t needed_bytes(const MatrixKernel& kernel, const GemmShape& shape) {
    const auto [m, n, k] = shape.size;
    return kernels::packed_weight_bytes(kernel, shape.format, shape.size) +
           kernels::PackedLayout(kernel, kernels::Side::left, m, k).bytes() + (m * k + m * n) * sizeof(float);
}

Outcome run(const Case& the_case, Context& context) {
    if (Accelerator* const accelerator = context.device->accelerator())
        return offloaded_gemm(the_case, context, *accelerator);
    const GemmShape shape = gemm_shape_of(the_case);
    const auto [m, n, k] = shape.size;
    const std::optional<MatrixKernel> found = kernel_of(the_case);
    if (!found)
        return skipped(the_case, fmt::format("this CPU has no instruction that multiplies bytes as they are, "
                                             "without which {} weights meet no int8 activations",
                                             kernels::to_string(shape.format)));
    const MatrixKernel& kernel = *found;
    const std::uint64_t needed = needed_bytes(kernel, shape), usable = usable_memory_bytes();
    if (usable != 0 && needed > usable)
        return skipped(
            the_case, fmt::format("weights of {} x {} in {}, activations of {} x {}, packed copies included, "
                                  "and the result take {}, and {} may be used",
                                  n, k, kernels::to_string(shape.format), m, k, bytes_in_words(needed),
                                  bytes_in_words(usable)));
    kernels::ThreadTeam team(threads_of(the_case));
    kernels::QuantizedProduct product(kernel, shape.format, shape.size, team);
    context.progress("quantizing the weights", 0);
    const std::unique_ptr<DeviceMemory> weights = context.device->allocate(product.weight_bytes(), true);
    product.pack_weights(
        [&](std::size_t index, float* to) { gemm_weight_row(context.seed, index, shape.size.k, to); },
        weights->host_pointer());
    std::vector<float> activations(m * k), out(m * n);
    Random random(context.seed, 7);
    for (float& value : activations) value = static_cast<float>(random.uniform(-1, 1));

    const auto multiply = [&] { product.multiply(activations.data(), weights->host_pointer(), out.data()); };
    double one = std::numeric_limits<double>::infinity();
    for (int i = 0; i < 2; ++i) {
        const Nanoseconds begin = context.clock.now();
        multiply();
        one = std::min(one, std::max(seconds_of(context.clock.now() - begin), 1e-9));
    }
    const int batch = std::max(1, static_cast<int>(std::ceil(shortest_sample.count() / one)));
    context.progress("multiplying", 0.2);
    const SampleSet throughput = context.sample(context.sampling, [&] {
        std::fill(out.begin(), out.end(), std::numeric_limits<float>::quiet_NaN());
        const Nanoseconds begin = context.clock.now();
        for (int i = 0; i < batch; ++i) multiply();
        return batch * shape.operations() / std::max(seconds_of(context.clock.now() - begin), 1e-9);
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
    outcome.checks.push_back(check_gemm(
        shape,
        [&](std::size_t row, float* to) {
            kernels::activations_as_multiplied(kernel, activations.data() + row * shape.size.k, shape.size.k,
                                               to);
        },
        [&](std::size_t column, float* to) {
            std::vector<float> given(shape.size.k);
            gemm_weight_row(context.seed, column, shape.size.k, given.data());
            kernels::weights_as_multiplied(kernel, shape.format, given.data(), shape.size.k, to);
        },
        out, context.seed));
    outcome.resolved = {{"isa", std::string(kernels::to_string(kernel.isa))},
                        {"arithmetic", std::string(kernels::to_string(kernel.arithmetic))},
                        {"instruction", kernel.micro->instruction},
                        {"threads", std::to_string(team.size())},
                        {"products_per_sample", std::to_string(batch)},
                        {"page_bytes", std::to_string(weights->page_bytes())}};
    outcome.notes = {
        fmt::format(
            "{} x {} activations times the transpose of {} x {} weights: {:.4g} operations and {} bytes of "
            "weights, scales included, a product.",
            m, k, n, k, shape.operations(), shape.weight_bytes()),
        weights_note(kernel, shape),
        fmt::format(
            "Activations are given in f32; {} and packing them is part of each product. The result is set to "
            "NaN before each sample and checked after the last.",
            kernel.sums_integers()                 ? "quantizing them to int8, a scale a row,"
            : kernel.arithmetic == Precision::bf16 ? "rounding them to bf16"
                                                   : "leaving them so")};
    return outcome;
}

void check(const Case& the_case, const Context&) {
    const GemmShape shape = gemm_shape_of(the_case);
    const std::size_t multiple = kernels::columns_multiple(shape.format);
    if (shape.size.k % multiple != 0)
        throw InputError(fmt::format(
            "quantized.gemm.k: {} is not a multiple of {}, the values that {} keeps together; "
            "accepted: {}, {}, {} ...",
            shape.size.k, multiple, kernels::to_string(shape.format), multiple, 2 * multiple, 3 * multiple));
    if (!on_cpu(the_case)) return check_offloaded_gemm(the_case);
    threads_of(the_case);
    kernel_of(the_case);
}

Estimate estimate(const Case& the_case, const Context& context) {
    const GemmShape shape = gemm_shape_of(the_case);
    Estimate estimate;
    estimate.memory_bytes = 2 * shape.bytes();
    // Weights are made and quantized at a cautious 50 million a second.
    estimate.seconds = 1 + static_cast<double>(shape.size.n) * static_cast<double>(shape.size.k) * 2e-8 +
                       context.sampling.maximum_warm_up.count() + context.sampling.maximum_time.count();
    return estimate;
}

}  // namespace

Probe quantized_gemm_probe() {
    Probe probe;
    probe.name = "quantized.gemm";
    probe.summary = "Matrix product with quantized weights, what a prompt or a batch of requests takes.";
    constexpr double largest = 1 << 18;
    // int32 holds so many products of 127 with itself, and not many more.
    constexpr double largest_k = 1 << 17;
    probe.parameters = {
        {"device", ParameterKind::device, "cpu:0", "the device that computes"},
        {"format",
         ParameterKind::choice,
         "int8",
         "how weights are kept: int8 and fp8 (E4M3) with a scale a row, int4 with one for each 32, int4_g128 "
         "for "
         "each 128",
         0,
         0,
         {"int8", "int4", "int4_g128", "fp8"}},
        {"m", ParameterKind::integer, "2048", "rows of activations: tokens", 1, largest},
        {"n", ParameterKind::integer, "2048", "rows of weights: outputs", 1, largest},
        {"k", ParameterKind::integer, "2048", "columns of both, a multiple of 32 (int4_g128: 128)", 32,
         largest_k},
        {"activations",
         ParameterKind::choice,
         "auto",
         "what activations become within the product; auto: int8 for int8 weights, else bf16",
         0,
         0,
         {"int8", "bf16"}},
        threads_parameter(),
        matrix_isa_parameter(),
    };
    probe.metrics = {quantized_gemm_throughput_metric, quantized_gemm_bandwidth_metric,
                     quantized_gemm_traffic_metric};
    probe.run = run;
    probe.estimate = estimate;
    probe.check = check;
    probe.tiny = {{"m", "37"}, {"n", "48"}, {"k", "64"}};
    return probe;
}

}  // namespace assay
