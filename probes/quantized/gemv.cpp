#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "kernels/cpu/caches.h"
#include "kernels/device/memory_limit.h"
#include "kernels/device/pages.h"
#include "kernels/reference/reference.h"
#include "probes/core/cpu_choice.h"
#include "probes/core/random.h"
#include "probes/core/statistics.h"
#include "probes/quantized/cycled_weights.h"
#include "probes/quantized/quantized.h"

namespace assay {

namespace {

constexpr Seconds shortest_sample{2e-3};
constexpr std::size_t samples_per_read = 4;
constexpr std::size_t checked_rows = 64;
constexpr std::size_t accuracy_rows = 64;

const MetricDeclaration throughput_metric{"quantized.gemv.throughput", Unit::operation_per_second,
                                          Direction::higher,
                                          "quantized matrix times vector, 2 m k operations a product"};
const MetricDeclaration bandwidth_metric{
    "quantized.gemv.bandwidth", Unit::byte_per_second, Direction::higher,
    "bytes of packed weights, scales included, that products go through"};
const MetricDeclaration error_metric{
    "quantized.gemv.error", Unit::ratio, Direction::lower,
    "relative error of the product against f64 on the weights before they were "
    "quantized, normally distributed: ||y - y_ref|| / ||y_ref||"};

const MetricDeclaration traffic_metric{"quantized.gemv.bytes_per_operation", Unit::byte_per_operation,
                                       Direction::none, "bytes of packed weights over 2 m k operations"};

struct Shape {
    kernels::WeightFormat format;
    bool int8_activations = false;
    std::size_t rows = 0, columns = 0;
    std::uint64_t matrix_bytes() const { return rows * kernels::packed_row_bytes(format, columns); }
    double operations() const { return 2.0 * static_cast<double>(rows) * static_cast<double>(columns); }
};

Shape shape_of(const Case& the_case) {
    const kernels::WeightFormat format = kernels::weight_format_from_string(the_case.text("format")).value();
    const bool int8 = the_case.is_auto("activations") ? kernels::meets_int8_activations(format)
                                                      : the_case.text("activations") == "int8";
    return {format, int8, static_cast<std::size_t>(the_case.integer("m")),
            static_cast<std::size_t>(the_case.integer("k"))};
}

/// What the product multiplies by: the activations, or what they stand for once quantized.
std::vector<float> multiplied_by(const Shape& shape, const std::vector<float>& in) {
    if (!shape.int8_activations) return in;
    std::vector<std::byte> activations(kernels::activation_bytes(shape.format, shape.columns));
    std::vector<float> values(shape.columns);
    kernels::quantize_activations(shape.format, in.data(), shape.columns, activations.data());
    kernels::dequantize_activations(shape.format, activations.data(), shape.columns, values.data());
    return values;
}

void multiply_once(const Shape& shape, kernels::Isa isa, const std::byte* packed,
                   const std::vector<float>& in, std::vector<float>& out) {
    if (!shape.int8_activations)
        return kernels::gemv(isa, shape.format, packed, shape.columns, in.data(), out.data(), 0, shape.rows);
    std::vector<std::byte> activations(kernels::activation_bytes(shape.format, shape.columns));
    kernels::quantize_activations(shape.format, in.data(), shape.columns, activations.data());
    kernels::gemv_int8_activations(isa, shape.format, packed, shape.columns, activations.data(), out.data(),
                                   0, shape.rows);
}

/// For the notes: what the weights are.
std::string described(const Shape& shape) {
    switch (shape.format) {
        case kernels::WeightFormat::int8:
            return "int8 with an f32 scale a row";
        case kernels::WeightFormat::int4:
            return "int4 with an f16 scale for each group of 32";
        case kernels::WeightFormat::int4_g128:
            return "int4 with an f16 scale for each group of 128";
        case kernels::WeightFormat::fp8:
            return "fp8 (E4M3) with an f32 scale a row";
        case kernels::WeightFormat::bf16:
            return "bf16";
        case kernels::WeightFormat::f32:
            return "f32";
    }
    return "";
}

/// What the f32 arithmetic of a product may be off by, as a multiple of the sum of its terms' magnitudes: no
/// path adds more than columns / 16 terms one after another in a lane, and a few dozen roundings join the
/// lanes and apply the scales.
double rounding_bound(std::size_t columns) {
    return (static_cast<double>(columns) / 16 + 32) * 0x1p-24;
}

std::vector<float> random_vector(std::size_t count, std::uint64_t seed) {
    Random random(seed, 77);
    std::vector<float> values(count);
    for (float& value : values) value = static_cast<float>(random.uniform(-1, 1));
    return values;
}

/// Sum of twelve uniforms less six: near enough to a normal distribution of deviation 1.
float nearly_normal(Random& random) {
    double sum = -6;
    for (int i = 0; i < 12; ++i) sum += random.uniform(0, 1);
    return static_cast<float>(sum);
}

/// The largest error of `out` at `rows` against f64 over the dequantized weights, relative to the terms'
/// magnitudes; infinite where an output is not finite.
double worst_error(const Shape& shape, const std::byte* packed, std::span<const float> in,
                   std::span<const float> out, std::span<const std::size_t> rows) {
    const std::size_t row_bytes = kernels::packed_row_bytes(shape.format, shape.columns);
    std::vector<float> weights(shape.columns);
    double worst = 0;
    for (const std::size_t row : rows) {
        kernels::dequantize_rows(shape.format, packed + row * row_bytes, 1, shape.columns, weights.data());
        const kernels::reference::Product expected = kernels::reference::dot(weights, in);
        const double difference = std::abs(static_cast<double>(out[row]) - expected.value);
        if (!std::isfinite(difference)) return std::numeric_limits<double>::infinity();
        if (difference > 0)
            worst = std::max(worst,
                             difference / std::max(expected.magnitude, std::numeric_limits<double>::min()));
    }
    return worst;
}

Check rounding_check(std::string name, double worst, std::size_t rows, std::size_t columns) {
    const double bound = rounding_bound(columns);
    return {
        std::move(name), worst <= bound, worst,
        fmt::format("{} rows, largest error {:.2g} of the terms' magnitudes, allowed (k/16 + 32) u = {:.2g}",
                    rows, worst, bound)};
}

/// Weights that are really quantized: what the format costs in accuracy, and whether the product is right on
/// them.
void measure_accuracy(const Shape& full, kernels::Isa isa, std::uint64_t seed, Outcome& outcome) {
    const Shape shape{full.format, full.int8_activations, std::min(full.rows, accuracy_rows), full.columns};
    Random random(seed, 99);
    std::vector<float> weights(shape.rows * shape.columns);
    for (float& weight : weights) weight = nearly_normal(random);
    const std::vector<float> in = random_vector(shape.columns, seed + 5);
    std::vector<std::byte> packed(shape.matrix_bytes());
    kernels::quantize_rows(shape.format, weights.data(), shape.rows, shape.columns, packed.data());
    std::vector<float> out(shape.rows, std::numeric_limits<float>::quiet_NaN());
    multiply_once(shape, isa, packed.data(), in, out);

    std::vector<std::size_t> rows(shape.rows);
    double difference = 0, norm = 0;
    for (std::size_t row = 0; row < shape.rows; ++row) {
        rows[row] = row;
        const double expected =
            kernels::reference::dot(std::span(weights).subspan(row * shape.columns, shape.columns), in).value;
        difference += (out[row] - expected) * (out[row] - expected);
        norm += expected * expected;
    }
    outcome.metrics.push_back(make_exact_metric(error_metric, std::sqrt(difference / norm)));
    outcome.checks.push_back(rounding_check(
        "product of quantized weights matches f64",
        worst_error(shape, packed.data(), multiplied_by(shape, in), out, rows), shape.rows, shape.columns));
}

/// The outputs of the last timed product, on rows drawn by seed, and that every output was written.
Check check_last(const Shape& shape, const std::byte* packed, std::span<const float> in,
                 std::span<const float> out, std::uint64_t seed) {
    Random random(seed, 13);
    std::vector<std::size_t> rows = {0, shape.rows - 1};
    for (std::size_t i = 0; i < checked_rows; ++i)
        rows.push_back(static_cast<std::size_t>(random.below(shape.rows)));
    double worst = worst_error(shape, packed, in, out, rows);
    const bool all_finite =
        std::all_of(out.begin(), out.end(), [](float value) { return std::isfinite(value); });
    if (!all_finite) worst = std::numeric_limits<double>::infinity();
    Check check = rounding_check("last timed product matches f64", worst, rows.size(), shape.columns);
    if (!all_finite) {
        check.error.reset();
        check.detail = "outputs were left unwritten or are not finite";
    }
    return check;
}

Outcome run(const Case& the_case, Context& context) {
    const Shape shape = shape_of(the_case);
    const kernels::Isa isa = isa_of(the_case);
    if (const std::uint64_t usable = usable_memory_bytes(); usable != 0 && shape.matrix_bytes() > usable)
        return skipped(
            the_case,
            fmt::format("a matrix of {} x {} weights in {} takes {} bytes, and {} may be used", shape.rows,
                        shape.columns, kernels::to_string(shape.format), shape.matrix_bytes(), usable));
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
    const kernels::StreamPattern read_patterns[] = {{isa, false},
                                                    {isa, false, kernels::Prefetch::all_caches, 8192, 2}};
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
        check_last(shape, weights.matrix(last), multiplied_by(shape, in), out, context.seed));
    const double read_rate = std::max(median_of(read_rates[0]), median_of(read_rates[1]));
    outcome.metrics = {make_metric(throughput_metric, throughput), make_metric(bandwidth_metric, bandwidth)};
    const double share = outcome.metrics[1].value / read_rate;
    outcome.metrics[1].limit =
        Limit{read_rate, "reading the same weights and nothing else, in turns with the products"};
    outcome.metrics.push_back(
        make_exact_metric(traffic_metric, static_cast<double>(shape.matrix_bytes()) / shape.operations()));
    measure_accuracy(shape, isa, context.seed, outcome);

    outcome.resolved = {{"isa", std::string(kernels::to_string(isa))},
                        {"arithmetic", shape.int8_activations ? "int8" : "f32"},
                        {"threads", std::to_string(team.size())},
                        {"matrices", std::to_string(weights.matrices())},
                        {"matrix_bytes", std::to_string(weights.matrix_bytes())},
                        {"products_per_sample", std::to_string(batch)},
                        {"page_bytes", std::to_string(weights.memory().page_bytes())}};
    if (const auto huge = huge_page_share(weights.memory().host_pointer(), weights.memory().bytes()))
        outcome.resolved["huge_page_share"] = fmt::format("{:.3f}", *huge);
    outcome.notes = {
        fmt::format("Weights {} x {} in {}, {}; 2 m k = {:.4g} operations and {} bytes of weights, scales "
                    "included, a "
                    "product.",
                    shape.rows, shape.columns, described(shape),
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
                    "of a plain "
                    "and a prefetching loop): the products reach {:.1f} % of that.",
                    read_rate / 1e9, share * 100),
    };
    return outcome;
}

void check(const Case& the_case, const Context&) {
    const Shape shape = shape_of(the_case);
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
    threads_of(the_case);
    isa_of(the_case);
}

Estimate estimate(const Case& the_case, const Context& context) {
    const Shape shape = shape_of(the_case);
    const MatrixCount count =
        count_matrices(shape.matrix_bytes(), kernels::last_level_cache_bytes(), usable_memory_bytes());
    Estimate estimate;
    estimate.memory_bytes = count.matrices * shape.matrix_bytes();
    estimate.seconds = 0.5 + static_cast<double>(estimate.memory_bytes) * 1e-9 +
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
    probe.metrics = {throughput_metric, bandwidth_metric, traffic_metric, error_metric};
    probe.run = run;
    probe.estimate = estimate;
    probe.check = check;
    probe.tiny = {{"m", "64"}, {"k", "96"}};
    return probe;
}

}  // namespace assay
