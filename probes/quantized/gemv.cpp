#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "kernels/cpu/caches.h"
#include "kernels/device/accelerator.h"
#include "kernels/device/memory_limit.h"
#include "kernels/device/pages.h"
#include "probes/core/bytes_in_words.h"
#include "probes/core/cpu_choice.h"
#include "probes/core/statistics.h"
#include "probes/quantized/cycled_weights.h"
#include "probes/quantized/offloaded/offloaded.h"
#include "probes/quantized/quantized.h"
#include "probes/quantized/vector_product.h"

namespace assay {

namespace {

constexpr Seconds shortest_sample{2e-3};
constexpr std::size_t samples_per_read = 4;
/// What reads as long as this is tried once in each pattern, not three times.
constexpr Seconds longest_repeated{5e-3};

/// What the product multiplies by: the activations, or what they stand for once quantized.
std::vector<float> multiplied_by(const GemvShape& shape, kernels::Isa isa, const std::vector<float>& in) {
    if (!shape.int8_activations) return in;
    std::vector<std::byte> activations(kernels::activation_bytes(shape.format, shape.columns));
    std::vector<float> values(shape.columns);
    kernels::quantize_activations(isa, shape.format, in.data(), shape.columns, activations.data());
    kernels::dequantize_activations(shape.format, activations.data(), shape.columns, values.data());
    return values;
}

std::vector<float> multiply_once(const GemvShape& shape, kernels::Isa isa, const std::byte* packed,
                                 const std::vector<float>& in, std::vector<float>& out) {
    if (!shape.int8_activations) {
        kernels::gemv(isa, shape.format, packed, shape.columns, in.data(), out.data(), 0, shape.rows);
        return in;
    }
    std::vector<std::byte> activations(kernels::activation_bytes(shape.format, shape.columns));
    kernels::quantize_activations(isa, shape.format, in.data(), shape.columns, activations.data());
    kernels::gemv_int8_activations(isa, shape.format, packed, shape.columns, activations.data(), out.data(),
                                   0, shape.rows);
    return multiplied_by(shape, isa, in);
}

Outcome run(const Case& the_case, Context& context) {
    if (Accelerator* const accelerator = context.device->accelerator())
        return offloaded_gemv(the_case, context, *accelerator);
    const GemvShape shape = gemv_shape_of(the_case);
    const kernels::Isa isa = isa_of(the_case);
    if (const std::uint64_t usable = usable_memory_bytes(); usable != 0 && shape.matrix_bytes() > usable)
        return skipped(the_case, fmt::format("a matrix of {} x {} weights in {} takes {}, and {} may be used",
                                             shape.rows, shape.columns, kernels::to_string(shape.format),
                                             bytes_in_words(shape.matrix_bytes()), bytes_in_words(usable)));
    const MatrixCount count =
        count_matrices(shape.matrix_bytes(), kernels::last_level_cache_bytes(), usable_memory_bytes());
    kernels::ThreadTeam team(threads_of(the_case));
    context.progress("filling the weights", 0);
    CycledWeights weights(*context.device, team, shape.format, shape.rows, shape.columns, count.matrices,
                          context.seed);
    const std::vector<float> in = random_vector(shape.columns, context.seed);
    std::vector<float> out(shape.rows);
    std::size_t next = 0, last = 0;
    const auto multiply = [&] {
        last = next;
        weights.multiply(isa, shape.int8_activations, last, in.data(), out.data());
        next = (next + 1) % weights.matrices();
    };
    const auto seconds_now = [&] { return seconds_of(context.clock.now()); };
    // The shortest of a few: the first one also pays for cold pages.
    double one = std::numeric_limits<double>::infinity();
    for (int i = 0; i < 3; ++i) {
        const double begin = seconds_now();
        multiply();
        one = std::min(one, std::max(seconds_now() - begin, 1e-9));
    }
    const int batch = static_cast<int>(std::clamp(std::ceil(shortest_sample.count() / one), 1.0, 1e6));

    context.progress("multiplying", 0.2);
    // What reading the same memory would give is measured in turns with the products: a machine that is
    // shared changes from one second to the next.
    const kernels::StreamPattern read_patterns[] = {
        {isa, false},
        weights.fastest_read(isa, batch, one < longest_repeated.count() ? 3 : 1, context.clock)};
    std::vector<double> read_rates[2];
    std::size_t samples = 0;
    const SampleSet bandwidth = context.sample(context.sampling, [&] {
        if (const std::size_t turn = samples++; turn % samples_per_read == 0) {
            const std::size_t which = turn / samples_per_read % 2;
            const double begin = seconds_now();
            std::size_t bytes = 0;
            for (int i = 0; i < batch; ++i) {
                bytes += weights.read(read_patterns[which], next);
                next = (next + 1) % weights.matrices();
            }
            read_rates[which].push_back(static_cast<double>(bytes) / std::max(seconds_now() - begin, 1e-9));
        }
        std::fill(out.begin(), out.end(), std::numeric_limits<float>::quiet_NaN());
        const double begin = seconds_now();
        for (int i = 0; i < batch; ++i) multiply();
        return batch * static_cast<double>(shape.matrix_bytes()) / std::max(seconds_now() - begin, 1e-9);
    });
    SampleSet throughput = bandwidth;
    for (double& value : throughput.values)
        value *= shape.operations() / static_cast<double>(shape.matrix_bytes());

    context.progress("checking", 0.9);
    Outcome outcome;
    outcome.checks.push_back(
        check_gemv(shape, weights.matrix(last), multiplied_by(shape, isa, in), out, context.seed));
    const double read_rate = std::max(median_of(read_rates[0]), median_of(read_rates[1]));
    outcome.metrics = {make_metric(gemv_throughput_metric, throughput),
                       make_metric(gemv_bandwidth_metric, bandwidth)};
    const double share = outcome.metrics[1].value / read_rate;
    outcome.metrics[1].limit =
        Limit{read_rate, "reading the same weights and nothing else, in turns with the products"};
    outcome.metrics.push_back(make_exact_metric(
        gemv_traffic_metric, static_cast<double>(shape.matrix_bytes()) / shape.operations()));
    measure_accuracy(
        shape,
        [&](const GemvShape& part, const std::byte* packed, const std::vector<float>& given,
            std::vector<float>& to) { return multiply_once(part, isa, packed, given, to); },
        context.seed, outcome);

    outcome.resolved = {{"isa", std::string(kernels::to_string(isa))},
                        {"arithmetic", shape.int8_activations ? "int8" : "f32"},
                        {"threads", std::to_string(team.size())},
                        {"matrices", std::to_string(weights.matrices())},
                        {"matrix_bytes", std::to_string(weights.matrix_bytes())},
                        {"read_pattern", kernels::describe(read_patterns[1])},
                        {"products_per_sample", std::to_string(batch)},
                        {"page_bytes", std::to_string(weights.memory().page_bytes())}};
    if (const auto huge = huge_page_share(weights.memory().host_pointer(), weights.memory().bytes()))
        outcome.resolved["huge_page_share"] = fmt::format("{:.3f}", *huge);
    outcome.notes = {
        fmt::format("Weights {} x {} in {}, {}; 2 m k = {:.4g} operations and {} bytes of weights, scales "
                    "included, a "
                    "product.",
                    shape.rows, shape.columns, described_weights(shape),
                    shape.int8_activations
                        ? "activations quantized within each product to int8, a scale for each 32, "
                          "sums of these in int32, then f32"
                        : "f32 activations and sums",
                    shape.operations(), shape.matrix_bytes()),
        count.reason,
        "The packed bits are random; accuracy is measured on normally distributed weights that were "
        "quantized. "
        "The result is set to NaN before each sample and the last one is checked.",
        fmt::format("In turns with the products the same weights were only read, at {:.2f} GB/s (the better "
                    "of a plain loop and what a trial of memory.bandwidth's patterns chose): the products "
                    "reach {:.1f} % of that.",
                    read_rate / 1e9, share * 100),
    };
    return outcome;
}

void check(const Case& the_case, const Context&) {
    const GemvShape shape = gemv_shape_of(the_case);
    const std::size_t multiple = kernels::columns_multiple(shape.format);
    if (shape.columns % multiple != 0)
        throw InputError(fmt::format(
            "quantized.gemv.k: {} is not a multiple of {}, the columns that {} keeps "
            "together; accepted: {}, {}, {} ...",
            shape.columns, multiple, kernels::to_string(shape.format), multiple, 2 * multiple, 3 * multiple));
    if (shape.int8_activations && !kernels::meets_int8_activations(shape.format))
        throw InputError(
            fmt::format("quantized.gemv.activations: {} weights meet f32 activations alone; accepted: "
                        "auto, f32",
                        kernels::to_string(shape.format)));
    if (!on_cpu(the_case)) return refuse_cpu_parameters(the_case, {"threads", "isa"});
    threads_of(the_case);
    isa_of(the_case);
}

Estimate estimate(const Case& the_case, const Context& context) {
    const GemvShape shape = gemv_shape_of(the_case);
    const MatrixCount count =
        count_matrices(shape.matrix_bytes(), kernels::last_level_cache_bytes(), usable_memory_bytes());
    Estimate estimate;
    estimate.memory_bytes = count.matrices * shape.matrix_bytes();
    if (!on_cpu(the_case)) estimate.memory_bytes += device_staging_bytes(shape.matrix_bytes());
    estimate.seconds = 0.5 + static_cast<double>(estimate.memory_bytes + shape.matrix_bytes()) * 1e-9 +
                       context.sampling.maximum_warm_up.count() + context.sampling.maximum_time.count();
    return estimate;
}

}  // namespace

Probe quantized_gemv_probe() {
    Probe probe;
    probe.name = "quantized.gemv";
    probe.summary = "Quantized matrix times vector, what decoding does, over weights that no cache holds.";
    probe.parameters = {
        {"device", ParameterKind::device, "cpu:0", "the device that computes"},
        {"format",
         ParameterKind::choice,
         "int4",
         "how weights are kept: int8 and fp8 (E4M3) with a scale a row, int4 with one for each 32, int4_g128 "
         "for "
         "each 128, bf16 and f32 as they are",
         0,
         0,
         {"int8", "int4", "int4_g128", "fp8", "bf16", "f32"}},
        {"m", ParameterKind::integer, "14336", "rows of the matrix, outputs", 1, 1 << 20},
        {"k", ParameterKind::integer, "4096", "columns, a multiple of 32 (int4_g128: 128)", 32, 1 << 20},
        {"activations",
         ParameterKind::choice,
         "auto",
         "the vector: f32, or int8 with a scale for each 32; auto: int8 where weights are integers",
         0,
         0,
         {"int8", "f32"}},
        threads_parameter(),
        isa_parameter(),
    };
    probe.metrics = {gemv_throughput_metric, gemv_bandwidth_metric, gemv_traffic_metric, gemv_error_metric};
    probe.run = run;
    probe.estimate = estimate;
    probe.check = check;
    probe.tiny = {{"m", "64"}, {"k", "96"}};
    return probe;
}

}  // namespace assay
