#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "kernels/cpu/half.h"
#include "kernels/matrix/bfloat16.h"
#include "kernels/reference/reference.h"
#include "probes/quantized/accuracy.h"
#include "probes/quantized/offloaded/offloaded.h"

namespace assay {

using kernels::WeightFormat;

namespace {

struct QuantizedResult {
    std::vector<float> results;  ///< [m × n]
    std::string form;
};

/// A product on the device of `weights` [n × k], quantized here with a scale for each `share` of k, and
/// `activations` [m × k]: with `int8_activations` quantized, too, with a scale a row, and multiplied as
/// integers.
QuantizedResult multiply_quantized(Accelerator& accelerator, kernels::WeightFormat format,
                                   const std::vector<float>& weights, const std::vector<float>& activations,
                                   const AccuracySizes& sizes, std::size_t share, bool int8_activations) {
    const std::size_t m = sizes.m, n = sizes.n, k = sizes.k;
    const std::size_t parts = weights.size() / share;
    std::vector<std::byte> packed(parts * kernels::packed_row_bytes(format, share)), arranged(packed.size());
    kernels::quantize_rows(format, weights.data(), parts, share, packed.data());
    kernels::arrange_for_device(format, packed.data(), parts, share, arranged.data());
    const std::unique_ptr<DeviceMemory> on_device = copied(accelerator, arranged.data(), arranged.size());

    std::unique_ptr<DeviceMemory> values, scales;
    if (int8_activations) {
        const kernels::DeviceActivations quantized =
            kernels::quantize_for_device(activations.data(), activations.size(), k);
        values = copied(accelerator, quantized.values.data(), quantized.values.size());
        scales = copied(accelerator, quantized.scales.data(), quantized.scales.size() * sizeof(float));
    } else {
        values = copied(accelerator, activations.data(), activations.size() * sizeof(float));
    }
    kernels::OffloadedWeights described = kernels::offloaded_weights(format, int8_activations, n, k);
    if (share < k) described.scale_columns = share;
    const std::unique_ptr<DeviceMemory> out = accelerator.allocate(m * n * sizeof(float), false);
    accelerator.queue().fill(*out, 0, out->bytes(), 0xff);
    const kernels::QuantizedForm form = kernels::gemm_forms(accelerator, described).front();
    kernels::launch_gemm(accelerator, form, described, m,
                         {on_device.get(), 0, values.get(), scales.get(), out.get()});
    return {read_back(accelerator, *out, m * n), form.name};
}

/// Values as a half precision keeps them.
std::vector<float> rounded_to(const std::string& format, std::vector<float> values) {
    for (float& value : values)
        value = format == "f16" ? kernels::half_to_float(kernels::float_to_half(value))
                                : kernels::bfloat16_to_float(kernels::float_to_bfloat16(value));
    return values;
}

/// The largest error of results against f64 sums of the numbers that were multiplied, as a share of the
/// terms' magnitudes.
Check product_check(const std::vector<float>& results, const std::vector<float>& activations,
                    const std::vector<float>& weights, const AccuracySizes& sizes) {
    const double bound = static_cast<double>(sizes.k + 8) * 0x1p-24;
    double worst = 0;
    for (std::size_t i = 0; i < sizes.m; ++i)
        for (std::size_t j = 0; j < sizes.n; ++j) {
            const kernels::reference::Product expected =
                kernels::reference::dot(std::span(weights).subspan(j * sizes.k, sizes.k),
                                        std::span(activations).subspan(i * sizes.k, sizes.k));
            const double error = std::abs(static_cast<double>(results[i * sizes.n + j]) - expected.value) /
                                 std::max(expected.magnitude, std::numeric_limits<double>::min());
            // Written so that a NaN is the worst of all.
            if (!(error <= worst)) worst = error;
        }
    return {
        "the device's product matches f64", worst <= bound, worst,
        fmt::format("all results, largest error {:.2g} of the terms' magnitudes, allowed (k + 8) u = {:.2g}",
                    worst, bound)};
}

}  // namespace

double error_on_device(const Case& the_case, Accelerator& accelerator, const std::vector<float>& activations,
                       const std::vector<float>& weights, const AccuracySizes& sizes, Outcome& outcome) {
    const std::string& name = the_case.text("format");
    const AccuracyScheme scheme(the_case);
    const bool half = is_half(name);
    // f16 goes as the f32 that it stands for: own kernels keep weights in no f16.
    const WeightFormat format = name == "f16" ? WeightFormat::f32 : *kernels::weight_format_from_string(name);
    const std::size_t share = scheme.groups ? accuracy_group_columns : sizes.k;
    const bool integers = format == WeightFormat::int8 && scheme.activations && !scheme.groups;
    const WeightFormat activation_format = format == WeightFormat::fp8 ? format : WeightFormat::int8;
    const std::vector<float> given_weights = half ? rounded_to(name, weights) : weights;
    const std::vector<float> kept = half ? given_weights : quantized_values(format, weights, share);
    std::vector<float> met = activations;
    if (half)
        met = rounded_to(name, activations);
    else if (scheme.activations)
        met = quantized_values(activation_format, activations, share);
    const QuantizedResult product = multiply_quantized(accelerator, format, given_weights,
                                                       integers ? activations : met, sizes, share, integers);
    outcome.resolved["form"] = product.form;
    outcome.resolved["arithmetic"] = integers ? "int8" : "f32";
    outcome.checks.push_back(product_check(product.results, met, kept, sizes));
    ErrorNorms norms;
    for (std::size_t i = 0; i < sizes.m; ++i)
        for (std::size_t j = 0; j < sizes.n; ++j)
            norms.add(static_cast<double>(product.results[i * sizes.n + j]),
                      kernels::reference::dot(std::span(weights).subspan(j * sizes.k, sizes.k),
                                              std::span(activations).subspan(i * sizes.k, sizes.k))
                          .value);
    return norms.error();
}

}  // namespace assay
