#include <algorithm>
#include <cmath>
#include <optional>
#include <string>

#include <fmt/format.h>

#include "kernels/cuda/cublas_lt.h"
#include "kernels/device/memory_limit.h"
#include "kernels/offload/matrix_product.h"
#include "probes/core/bytes_in_words.h"
#include "probes/core/device_room.h"
#include "probes/gemm/offloaded/offloaded.h"

namespace assay {

using kernels::Precision;

namespace {

/// By the device's clock, whose steps can be a microsecond and more.
constexpr double shortest_sample = 5e-3;

bool is_cuda(const Accelerator& accelerator) {
    return accelerator.info().id.starts_with("cuda:");
}

/// By the datasheet, which tells f64 twice where the tensor cores take it, as they do for cuBLASLt.
std::optional<Limit> limit_of(const Context& context, const Accelerator& accelerator, Precision precision) {
    const AcceleratorFacts* const facts = find_accelerator(context.accelerator_facts, accelerator.info());
    if (is_cuda(accelerator) && precision == Precision::f64)
        if (const std::optional<Limit> limit = peak_limit(facts, "f64_matrix")) return limit;
    return peak_limit(facts, std::string(to_string(precision)));
}

Outcome measure(const Case& the_case, Context& context, Accelerator& accelerator, OffloadedMatrices& matrices,
                const OffloadedWay& way) {
    Queue& queue = accelerator.queue();
    const double operations = matrices.shape().operations();
    const double seconds = trial(queue, way.enqueue);
    const int batch = static_cast<int>(std::clamp(std::ceil(shortest_sample / seconds), 1.0, 1e4));
    context.progress("multiplying", 0.1);
    const SampleSet set = context.sample(sampling_of(the_case, context), [&] {
        matrices.poison(queue);
        const double elapsed = timed(queue, [&] {
            for (int i = 0; i < batch; ++i) way.enqueue();
        });
        return batch * operations / std::max(elapsed, 1e-9);
    });

    context.progress("checking", 0.9);
    const Precision precision = matrices.precision();
    Outcome outcome;
    MetricDeclaration throughput = gemm_throughput_metric;
    if (precision == Precision::int8) throughput.unit = Unit::operation_per_second;
    outcome.metrics.push_back(make_metric(throughput, set));
    outcome.metrics.back().limit = limit_of(context, accelerator, precision);
    outcome.metrics.push_back(make_exact_metric(
        gemm_traffic_metric, static_cast<double>(Matrices::bytes(precision, matrices.shape())) / operations));
    outcome.checks.push_back(matrices.check(queue, way, context.seed));
    outcome.resolved = way.resolved;
    outcome.resolved["arithmetic"] = to_string(way.arithmetic);
    outcome.resolved["products_per_sample"] = std::to_string(batch);
    outcome.notes.push_back(fmt::format(
        "{} product of uniform random matrices, row-major; 2 m n k = {:.4g} operations a product; timed by "
        "the "
        "device's events; the result is overwritten before each sample and checked after the last.",
        to_string(precision), operations));
    outcome.notes.insert(outcome.notes.end(), way.notes.begin(), way.notes.end());
    return outcome;
}

/// On the host beside operands and result: the right matrix transposed, then the result of 16 bits.
std::uint64_t copies_on_host(Precision precision, const MatrixShape& shape) {
    const std::uint64_t transposed = std::uint64_t{shape.k} * shape.n * kernels::bytes_of(precision);
    return std::max(transposed, std::uint64_t{shape.m} * shape.n * sizeof(std::uint16_t));
}

/// Why the matrices have no room; empty where they have.
std::string shortage(const Accelerator& accelerator, Precision precision, const MatrixShape& shape) {
    const std::uint64_t needed = offloaded_bytes(accelerator, precision, shape);
    const std::uint64_t copies = is_cuda(accelerator) ? copies_on_host(precision, shape) : 0;
    const std::uint64_t host = Matrices::bytes(precision, shape) + copies, usable = usable_memory_bytes();
    const auto words = [&](std::uint64_t bytes, const std::string& whose, const std::string& there) {
        return fmt::format("matrices of {} x {} and {} x {} and their product take {} of {}, of which {}",
                           shape.m, shape.k, shape.k, shape.n, bytes_in_words(bytes), whose, there);
    };
    const DeviceRoom room = room_of(accelerator);
    if (needed > room.bytes)
        return words(needed, accelerator.info().id + ", packed copies included", room.words);
    // A device on the CPU takes its share of the same memory.
    const std::uint64_t together = accelerator.is_card() ? host : host + needed;
    return usable != 0 && together > usable
               ? words(together, "the host", bytes_in_words(usable) + " may be used")
               : std::string();
}

}  // namespace

std::uint64_t offloaded_bytes(const Accelerator& accelerator, Precision precision, const MatrixShape& shape) {
    if (is_cuda(accelerator)) return Matrices::bytes(precision, shape) + cuda::lt_workspace_bytes;
    std::uint64_t packed = 0;
    for (const kernels::OffloadedForm& form : kernels::offloaded_forms(accelerator, precision))
        packed = std::max<std::uint64_t>(
            packed, kernels::OffloadedProduct::packed_bytes(form, precision, shape.m, shape.n, shape.k));
    // While one form is tried, the best so far keeps its own.
    return Matrices::bytes(precision, shape) + 2 * packed;
}

void check_offloaded(const Case& the_case) {
    for (const char* name : {"threads", "isa", "core"})
        if (!the_case.is_auto(name))
            throw InputError(fmt::format("gemm.throughput.{}: is of cpu:0 alone; accepted on {}: auto", name,
                                         the_case.text("device")));
    const std::string& implementation = the_case.text("implementation");
    const char* const there = the_case.text("device").starts_with("cuda:") ? "cublaslt" : "own";
    if (implementation != "auto" && implementation != there)
        throw InputError(
            fmt::format("gemm.throughput.implementation: {} does not multiply on {}; accepted there: "
                        "auto, {}",
                        implementation, the_case.text("device"), there));
}

Outcome offloaded_throughput(const Case& the_case, Context& context, Accelerator& accelerator) {
    const Precision precision = precision_of(the_case);
    const MatrixShape shape = shape_of(the_case);
    const std::optional<std::string> obstacle = is_cuda(accelerator)
                                                    ? cuda::lt_obstacle(accelerator.info(), precision)
                                                    : kernels::offloading_obstacle(accelerator, precision);
    if (obstacle) return skipped(the_case, *obstacle);
    if (const std::string reason = shortage(accelerator, precision, shape); !reason.empty())
        return skipped(the_case, reason);
    context.progress("filling the operands", 0);
    const bool cuda = is_cuda(accelerator);
    OffloadedMatrices matrices(accelerator, precision, shape,
                               cuda ? cublas_lt_layout(precision) : OffloadedLayout{}, context.seed);
    const std::variant<OffloadedWay, Absent> way =
        cuda ? cublas_lt_way(accelerator, matrices) : own_way(accelerator, matrices);
    if (const Absent* absent = std::get_if<Absent>(&way)) return skipped(the_case, absent->reason);
    return measure(the_case, context, accelerator, matrices, std::get<OffloadedWay>(way));
}

}  // namespace assay
