#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "kernels/cpu/half.h"
#include "kernels/cpu/quantized.h"
#include "kernels/device/accelerator.h"
#include "kernels/device/memory_limit.h"
#include "kernels/matrix/bfloat16.h"
#include "kernels/matrix/product.h"
#include "kernels/reference/reference.h"
#include "probes/core/bytes_in_words.h"
#include "probes/quantized/accuracy.h"
#include "probes/quantized/distributions.h"
#include "probes/quantized/offloaded/offloaded.h"
#include "probes/quantized/quantized.h"

namespace assay {

using kernels::Precision;
using kernels::WeightFormat;

AccuracyScheme::AccuracyScheme(const Case& the_case)
    : activations(the_case.text("scheme").starts_with("both")),
      groups(the_case.text("scheme").ends_with("group")) {}

bool is_half(const std::string& format) {
    return format == "f16" || format == "bf16";
}

std::vector<float> quantized_values(WeightFormat format, const std::vector<float>& values,
                                    std::size_t share) {
    const std::size_t rows = values.size() / share;
    std::vector<std::byte> packed(rows * kernels::packed_row_bytes(format, share));
    std::vector<float> back(values.size());
    kernels::quantize_rows(format, values.data(), rows, share, packed.data());
    kernels::dequantize_rows(format, packed.data(), rows, share, back.data());
    return back;
}

namespace {

const MetricDeclaration error_metric{
    "quantized.accuracy.error", Unit::ratio, Direction::lower,
    "relative error of a product against f64 on the numbers before they were "
    "quantized: ||y - y_ref|| / ||y_ref||"};
const MetricDeclaration bytes_metric{"quantized.accuracy.bytes_per_weight", Unit::byte, Direction::lower,
                                     "bytes that a weight takes, its share of scales included"};

/// y of numbers that were quantized, in f64: the format's error and nothing else.
double error_of_format(const std::vector<float>& activations, const std::vector<float>& weights,
                       const std::vector<float>& given_activations, const std::vector<float>& given_weights,
                       const AccuracySizes& sizes) {
    const auto row = [&](const std::vector<float>& of, std::size_t index) {
        return std::span(of).subspan(index * sizes.k, sizes.k);
    };
    ErrorNorms norms;
    for (std::size_t i = 0; i < sizes.m; ++i)
        for (std::size_t j = 0; j < sizes.n; ++j)
            norms.add(kernels::reference::dot(row(weights, j), row(activations, i)).value,
                      kernels::reference::dot(row(given_weights, j), row(given_activations, i)).value);
    return norms.error();
}

/// y of operands rounded to bf16 or f16, by the kernel that multiplies them here, sums included.
double error_of_half(Precision precision, const std::vector<float>& activations,
                     const std::vector<float>& weights, const AccuracySizes& sizes, Outcome& outcome) {
    const auto rounded = [&](const std::vector<float>& values) {
        std::vector<std::uint16_t> bits(values.size());
        std::transform(values.begin(), values.end(), bits.begin(), [&](float value) {
            return precision == Precision::f16 ? kernels::float_to_half(value)
                                               : kernels::float_to_bfloat16(value);
        });
        return bits;
    };
    const kernels::MatrixKernel kernel = kernels::best_matrix_kernel(precision).value();
    kernels::ThreadTeam team(1);
    kernels::MatrixProduct product(kernel, {sizes.m, sizes.n, sizes.k}, team);
    const std::vector<std::uint16_t> left = rounded(activations), right = rounded(weights);
    std::vector<std::byte> packed_left(product.left().bytes()), packed_right(product.right().bytes());
    product.pack_left({precision, left.data(), sizes.m, sizes.k, sizes.k, 1}, packed_left.data());
    product.pack_right({precision, right.data(), sizes.n, sizes.k, sizes.k, 1}, packed_right.data());
    std::vector<float> out(sizes.m * sizes.n);
    product.multiply(packed_left.data(), packed_right.data(), out.data());
    outcome.resolved["instruction"] = kernel.micro->instruction;
    outcome.resolved["arithmetic"] = kernels::to_string(kernel.arithmetic);
    ErrorNorms norms;
    for (std::size_t i = 0; i < sizes.m; ++i)
        for (std::size_t j = 0; j < sizes.n; ++j)
            norms.add(static_cast<double>(out[i * sizes.n + j]),
                      kernels::reference::dot(std::span(weights).subspan(j * sizes.k, sizes.k),
                                              std::span(activations).subspan(i * sizes.k, sizes.k))
                          .value);
    return norms.error();
}

AccuracySizes sizes_of(const Case& the_case) {
    return {static_cast<std::size_t>(the_case.integer("m")), static_cast<std::size_t>(the_case.integer("n")),
            static_cast<std::size_t>(the_case.integer("k"))};
}

/// What is held at once on the host, at most: both operands as they were drawn and, of half precisions, the
/// rounded and the packed ones and the product, of all others what they stand for once quantized, and the
/// quantized ones of the larger operand.
std::uint64_t needed_bytes(const Case& the_case) {
    const std::string& format = the_case.text("format");
    const auto [m, n, k] = sizes_of(the_case);
    const std::uint64_t drawn = (m + n) * k * sizeof(float);
    if (is_half(format)) {
        const kernels::MatrixKernel kernel =
            kernels::best_matrix_kernel(kernels::precision_from_string(format).value()).value();
        return drawn + (m + n) * k * sizeof(std::uint16_t) +
               kernels::PackedLayout(kernel, kernels::Side::left, m, k).bytes() +
               kernels::PackedLayout(kernel, kernels::Side::right, n, k).bytes() + m * n * sizeof(float);
    }
    const AccuracyScheme scheme(the_case);
    const std::size_t share = scheme.groups ? accuracy_group_columns : k;
    const std::uint64_t of_row =
        k / share * kernels::packed_row_bytes(kernels::weight_format_from_string(format).value(), share);
    const std::uint64_t kept = (scheme.activations ? m + n : n) * k * sizeof(float);
    return drawn + kept + std::max(n, scheme.activations ? m : 0) * of_row;
}

Outcome run(const Case& the_case, Context& context) {
    const std::string& format = the_case.text("format");
    const AccuracySizes sizes = sizes_of(the_case);
    const std::uint64_t needed = needed_bytes(the_case), usable = usable_memory_bytes();
    if (usable != 0 && needed > usable)
        return skipped(the_case, fmt::format("{} x {} activations and {} x {} weights, as drawn and once "
                                             "{}, take {}, and {} may be used",
                                             sizes.m, sizes.k, sizes.n, sizes.k,
                                             is_half(format) ? "rounded and packed" : "quantized",
                                             bytes_in_words(needed), bytes_in_words(usable)));
    const AccuracyScheme scheme(the_case);
    const Distribution distribution = distribution_from_string(the_case.text("distribution"));
    context.progress("drawing the operands", 0);
    const std::vector<float> weights = draw_weights(distribution, sizes.n, sizes.k, context.seed);
    const std::vector<float> activations = draw_activations(distribution, sizes.m, sizes.k, context.seed);

    context.progress("multiplying", 0.3);
    Outcome outcome;
    double error = 0, bytes = 2;
    std::string method;
    Accelerator* const accelerator = context.device->accelerator();
    if (accelerator != nullptr) {
        error = error_on_device(the_case, *accelerator, activations, weights, sizes, outcome);
        if (!is_half(format)) {
            const std::size_t share = scheme.groups ? accuracy_group_columns : sizes.k;
            bytes = static_cast<double>(
                        kernels::packed_row_bytes(*kernels::weight_format_from_string(format), share)) /
                    static_cast<double>(share);
        }
        method = fmt::format(
            "The host {} {}; the device multiplies them by its own kernels, sums in {}: the format's error "
            "and "
            "that of the device's arithmetic.",
            is_half(format) ? "rounds" : "quantizes", scheme.activations ? "both operands" : "the weights",
            outcome.resolved["arithmetic"] == "int8" ? "int32" : "f32");
    } else if (is_half(format)) {
        error = error_of_half(kernels::precision_from_string(format).value(), activations, weights, sizes,
                              outcome);
        method =
            "Both operands are rounded, and multiplied by the kernel that this CPU multiplies them with: "
            "sums in "
            "f32, or in f16 taken up by f32 after every 64 products.";
    } else {
        const WeightFormat weight_format = kernels::weight_format_from_string(format).value();
        const std::size_t share = scheme.groups ? accuracy_group_columns : sizes.k;
        const std::vector<float> kept = quantized_values(weight_format, weights, share);
        const WeightFormat activation_format =
            weight_format == WeightFormat::fp8 ? weight_format : WeightFormat::int8;
        error = error_of_format(
            scheme.activations ? quantized_values(activation_format, activations, share) : activations, kept,
            activations, weights, sizes);
        bytes =
            static_cast<double>(kernels::packed_row_bytes(weight_format, share)) / static_cast<double>(share);
        method = fmt::format(
            "Weights are quantized{}{}; products of what they stand for are summed in f64, so this is the "
            "format's "
            "error and not the machine's.",
            scheme.groups ? " with a scale for each 32 of a row" : "",
            scheme.activations
                ? fmt::format(", activations to {} likewise, a scale {}",
                              kernels::to_string(activation_format), scheme.groups ? "for each 32" : "a row")
                : ", activations are not");
    }
    outcome.metrics = {make_exact_metric(error_metric, error), make_exact_metric(bytes_metric, bytes)};
    outcome.checks.push_back({"error is a number", std::isfinite(error), error, "against f64"});
    outcome.notes = {method, fmt::format("{} x {} activations times {} x {} weights, {}, drawn by seed.",
                                         sizes.m, sizes.k, sizes.n, sizes.k, the_case.text("distribution"))};
    return outcome;
}

void check(const Case& the_case, const Context&) {
    const std::string& format = the_case.text("format");
    const AccuracyScheme scheme(the_case);
    const bool own_scales = format == "int8" || format == "fp8";
    if (scheme.groups && !own_scales)
        throw InputError(fmt::format("quantized.accuracy.scheme: {} has {}; accepted: weights, both", format,
                                     is_half(format) ? "no scales" : "groups of its own"));
    if (is_half(format) && !scheme.activations)
        throw InputError(
            fmt::format("quantized.accuracy.scheme: {} rounds both operands; accepted: both", format));
    const std::int64_t k = the_case.integer("k");
    const std::int64_t multiple = is_half(format) ? 1
                                                  : static_cast<std::int64_t>(kernels::columns_multiple(
                                                        kernels::weight_format_from_string(format).value()));
    if (k % multiple != 0)
        throw InputError(
            fmt::format("quantized.accuracy.k: {} is not a multiple of {}; accepted: {}, {}, {} ...", k,
                        multiple, multiple, 2 * multiple, 3 * multiple));
}

Estimate estimate(const Case& the_case, const Context&) {
    Estimate estimate;
    const double m = static_cast<double>(the_case.integer("m")),
                 n = static_cast<double>(the_case.integer("n")),
                 k = static_cast<double>(the_case.integer("k"));
    estimate.seconds = 0.5 + 2 * m * n * k * 2e-9 + (m + n) * k * 4e-7;
    estimate.memory_bytes = needed_bytes(the_case);
    return estimate;
}

}  // namespace

Probe quantized_accuracy_probe() {
    Probe probe;
    probe.name = "quantized.accuracy";
    probe.summary = "What a number format costs in accuracy, and how many bytes a weight takes.";
    probe.parameters = {
        {"device", ParameterKind::device, "cpu:0", "the device that multiplies"},
        {"format",
         ParameterKind::choice,
         "int8",
         "how weights are kept",
         0,
         0,
         {"int8", "int4", "int4_g128", "fp8", "bf16", "f16"}},
        {"scheme",
         ParameterKind::choice,
         "both",
         "what is quantized: weights alone, or both operands; with the format's own scales (int8 and fp8 one "
         "a row), "
         "or one for each group of 32",
         0,
         0,
         {"weights", "both", "weights_group", "both_group"}},
        {"distribution",
         ParameterKind::choice,
         "normal",
         "of the operands: normal, Student's t of three degrees of freedom, or normal with one in 128 "
         "channels of the "
         "activations 20 times as large",
         0,
         0,
         {"normal", "heavy_tailed", "outlier_channels"}},
        {"m", ParameterKind::integer, "32", "rows of activations", 1, 4096},
        {"n", ParameterKind::integer, "128", "rows of weights", 1, 65536},
        {"k", ParameterKind::integer, "4096", "columns of both, a multiple of 32 (int4_g128: 128)", 1, 65536},
    };
    probe.metrics = {error_metric, bytes_metric};
    probe.run = run;
    probe.estimate = estimate;
    probe.check = check;
    probe.tiny = {{"m", "4"}, {"n", "8"}, {"k", "256"}};
    return probe;
}

}  // namespace assay
