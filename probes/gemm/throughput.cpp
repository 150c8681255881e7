#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include <fmt/format.h>

#include "kernels/device/memory_limit.h"
#include "probes/core/bytes_in_words.h"
#include "probes/core/cpu_choice.h"
#include "probes/gemm/gemm.h"
#include "probes/gemm/offloaded/offloaded.h"
#include "probes/gemm/product.h"

namespace assay {

using kernels::Precision;

const MetricDeclaration gemm_throughput_metric{"gemm.throughput", Unit::flop_per_second, Direction::higher,
                                               "dense matrix product, 2 m n k operations a product"};
const MetricDeclaration gemm_traffic_metric{"gemm.throughput.bytes_per_operation", Unit::byte_per_operation,
                                            Direction::none,
                                            "operands and result, each moved once, over 2 m n k operations"};

namespace {

constexpr Seconds shortest_sample{1e-3};
constexpr int trial_products = 3;

std::shared_ptr<void> bound_caller(const PreparedProduct& product) {
    return product.bind_caller ? product.bind_caller() : nullptr;
}

/// The shortest of a few products, in seconds: the first one also makes buffers and touches pages.
double trial(const PreparedProduct& product, Context& context) {
    const std::shared_ptr<void> bound = bound_caller(product);
    double one = std::numeric_limits<double>::infinity();
    for (int i = 0; i < trial_products; ++i) {
        const Nanoseconds before = context.clock.now();
        product.multiply();
        one = std::min(one, std::max(seconds_of(context.clock.now() - before), 1e-9));
    }
    return one;
}

struct Chosen {
    PreparedProduct product;
    double seconds = 0;  ///< that one product took in the trial
};

/// As the case asks; with auto and f32 the faster of OpenBLAS and own kernels, in a trial.
std::variant<Chosen, Absent> choose(const Case& the_case, Context& context, const Matrices& matrices) {
    const std::string& asked = the_case.text("implementation");
    const std::optional<kernels::MatrixKernel> kernel = own_kernel_of(the_case);
    const int threads = threads_of(the_case);
    const bool openblas_possible = precision_of(the_case) <= Precision::f32 && the_case.is_auto("isa");
    std::optional<Chosen> openblas;
    std::string absence;
    if (asked != "own" && openblas_possible) {
        const std::variant<const kernels::OpenBlas*, Absent> loaded =
            kernels::OpenBlas::load(the_case.text("core"));
        if (const Absent* absent = std::get_if<Absent>(&loaded)) {
            absence = absent->reason;
        } else {
            openblas.emplace();
            openblas->product =
                prepare_openblas(*std::get<const kernels::OpenBlas*>(loaded), matrices, threads);
            openblas->seconds = trial(openblas->product, context);
        }
    }
    // A core is OpenBLAS's: who names one wants no other kernels.
    const bool openblas_alone = asked == "openblas" || !kernel || the_case.text("core") != "auto";
    if (openblas_alone) {
        if (openblas) return std::move(*openblas);
        return Absent{absence};
    }
    Chosen own{prepare_own(*kernel, matrices, *context.device, threads), 0};
    own.seconds = trial(own.product, context);
    if (!openblas) {
        if (!absence.empty()) own.product.notes.push_back("OpenBLAS was not tried: " + absence);
        return own;
    }
    const double operations = matrices.shape().operations();
    const std::string note = fmt::format(
        "In a trial of {} products OpenBLAS gave {:.4g} and own kernels {:.4g} GFLOP/s; the better was "
        "taken.",
        trial_products, operations / openblas->seconds / 1e9, operations / own.seconds / 1e9);
    Chosen& better = own.seconds < openblas->seconds ? own : *openblas;
    better.product.notes.push_back(note);
    return std::move(better);
}

Outcome measure(const Case& the_case, Context& context, Matrices& matrices, const Chosen& chosen) {
    const PreparedProduct& product = chosen.product;
    const double operations = matrices.shape().operations();
    const int batch = std::max(1, static_cast<int>(std::ceil(shortest_sample.count() / chosen.seconds)));
    context.progress("multiplying", 0.1);
    std::shared_ptr<void> bound = bound_caller(product);
    const SampleSet set = context.sample(sampling_of(the_case, context), [&] {
        // Each sample begins with nothing of the last one's result.
        matrices.poison();
        const Nanoseconds begin = context.clock.now();
        for (int i = 0; i < batch; ++i) product.multiply();
        return batch * operations / std::max(seconds_of(context.clock.now() - begin), 1e-9);
    });

    bound.reset();
    context.progress("checking", 0.9);
    const Precision precision = matrices.precision();
    Outcome outcome;
    MetricDeclaration throughput = gemm_throughput_metric;
    if (precision == Precision::int8) throughput.unit = Unit::operation_per_second;
    outcome.metrics.push_back(make_metric(throughput, set));
    outcome.metrics.push_back(make_exact_metric(
        gemm_traffic_metric, static_cast<double>(Matrices::bytes(precision, matrices.shape())) / operations));
    outcome.checks.push_back(matrices.check(product.arithmetic, context.seed));
    outcome.resolved = product.resolved;
    outcome.resolved["arithmetic"] = kernels::to_string(product.arithmetic);
    outcome.resolved["products_per_sample"] = std::to_string(batch);
    outcome.resolved["page_bytes"] = std::to_string(matrices.memory().page_bytes());
    outcome.notes.push_back(fmt::format(
        "{} product of uniform random matrices, row-major; 2 m n k = {:.4g} operations a product; the result "
        "is overwritten before each sample and checked after the last.",
        kernels::to_string(precision), operations));
    outcome.notes.insert(outcome.notes.end(), product.notes.begin(), product.notes.end());
    return outcome;
}

/// Matrices, and what own kernels pack besides.
std::uint64_t needed_bytes(const Case& the_case) {
    const MatrixShape shape = shape_of(the_case);
    std::uint64_t bytes = Matrices::bytes(precision_of(the_case), shape);
    if (the_case.text("implementation") != "openblas")
        if (const std::optional<kernels::MatrixKernel> kernel = own_kernel_of(the_case))
            bytes += packed_bytes(*kernel, shape);
    return bytes;
}

Outcome run(const Case& the_case, Context& context) {
    if (Accelerator* const accelerator = context.device->accelerator())
        return offloaded_throughput(the_case, context, *accelerator);
    const MatrixShape shape = shape_of(the_case);
    const std::uint64_t needed = needed_bytes(the_case), usable = usable_memory_bytes();
    if (usable != 0 && needed > usable)
        return skipped(
            the_case,
            fmt::format("matrices of {} x {} and {} x {} and their product, packed copies "
                        "included, take {}, and {} may be used",
                        shape.m, shape.k, shape.k, shape.n, bytes_in_words(needed), bytes_in_words(usable)));
    Matrices matrices(*context.device, precision_of(the_case), shape);
    {
        kernels::ThreadTeam team(threads_of(the_case));
        context.progress("filling the operands", 0);
        matrices.fill(context.seed, team);
    }
    matrices.poison();
    const std::variant<Chosen, Absent> chosen = choose(the_case, context, matrices);
    if (const Absent* absent = std::get_if<Absent>(&chosen)) return skipped(the_case, absent->reason);
    return measure(the_case, context, matrices, std::get<Chosen>(chosen));
}

void check(const Case& the_case, const Context&) {
    if (!on_cpu(the_case)) return check_offloaded(the_case);
    threads_of(the_case);
    const Precision precision = precision_of(the_case);
    if (precision >= Precision::tf32)
        throw InputError(
            fmt::format("gemm.throughput.precision: {} is of cards' matrix units; accepted on {}: f64, f32, "
                        "bf16, f16, int8",
                        kernels::to_string(precision), the_case.text("device")));
    if (the_case.text("implementation") == "cublaslt")
        throw InputError(
            "gemm.throughput.implementation: cublaslt is of CUDA's devices; accepted on cpu:0: auto, "
            "openblas, own");
    const std::string& implementation = the_case.text("implementation");
    if (implementation == "openblas" && precision > Precision::f32)
        throw InputError(
            fmt::format("gemm.throughput.implementation: OpenBLAS multiplies no {}; accepted: auto, own",
                        kernels::to_string(precision)));
    if (implementation == "openblas" && !the_case.is_auto("isa"))
        throw InputError(
            "gemm.throughput.isa: is of own kernels; with OpenBLAS accepted: auto (its kernels are "
            "chosen by core)");
    if (precision == Precision::f64 && (implementation == "own" || !the_case.is_auto("isa")))
        throw InputError(
            "gemm.throughput.precision: f64 is multiplied by OpenBLAS alone; accepted for own kernels: "
            "f32, bf16, f16, int8");
    if (the_case.text("core") != "auto" && (precision > Precision::f32 || implementation == "own"))
        throw InputError("gemm.throughput.core: is of OpenBLAS's kernels; accepted here: auto");
    own_kernel_of(the_case);
}

Estimate estimate(const Case& the_case, const Context& context) {
    Estimate estimate;
    // Warm-up, sampling, and filling, packing and the reference rows at cautious rates.
    const MatrixShape shape = shape_of(the_case);
    // On a device the host keeps the operands and the result, for the check.
    estimate.memory_bytes =
        on_cpu(the_case) ? needed_bytes(the_case) : Matrices::bytes(precision_of(the_case), shape);
    const double compiling = on_cpu(the_case) ? 0 : 5;
    estimate.seconds = context.sampling.maximum_warm_up.count() +
                       sampling_of(the_case, context).maximum_time.count() + 0.5 + compiling +
                       static_cast<double>(estimate.memory_bytes) * 5e-9 +
                       4.0 * static_cast<double>(shape.n) * static_cast<double>(shape.k) * 4e-9;
    return estimate;
}

}  // namespace

Probe gemm_throughput_probe() {
    Probe probe;
    probe.name = "gemm.throughput";
    probe.summary = "Dense matrix product of a whole device, through libraries or own kernels.";
    constexpr double largest = 1 << 17;
    probe.parameters = {
        {"device", ParameterKind::device, "cpu:0", "the device that computes"},
        {"precision",
         ParameterKind::choice,
         "f32",
         "number format of operands; results are f64 of f64, int32 of int8, else f32 (of cuBLASLt bf16 or "
         "f16 where "
         "operands have 16 bits or 8); tf32 and fp8 on cards alone",
         0,
         0,
         {"f64", "f32", "tf32", "bf16", "f16", "fp8", "int8"}},
        {"m", ParameterKind::integer, "2048", "rows of the left matrix and of the result", 1, largest},
        {"n", ParameterKind::integer, "2048", "columns of the right matrix and of the result", 1, largest},
        {"k", ParameterKind::integer, "2048", "columns of the left and rows of the right matrix", 1, largest},
        threads_parameter(),
        {"implementation",
         ParameterKind::choice,
         "auto",
         "who multiplies; auto: on the CPU OpenBLAS for f64, the faster of both for f32, own kernels for all "
         "others; by "
         "CUDA cuBLASLt, by OpenCL own kernels",
         0,
         0,
         {"auto", "openblas", "own", "cublaslt"}},
        matrix_isa_parameter(),
        {"seconds", ParameterKind::seconds, "auto",
         "how long to multiply, so that the last third shows what lasts; auto: until the figure is precise",
         0.1},
        {"core", ParameterKind::text, "auto",
         "processor whose OpenBLAS kernels are used, such as SkylakeX; auto: the library's choice, corrected "
         "where "
         "it misses AVX-512"},
    };
    probe.metrics = {gemm_throughput_metric, gemm_traffic_metric};
    probe.run = run;
    probe.estimate = estimate;
    probe.check = check;
    probe.tiny = {{"m", "64"}, {"n", "48"}, {"k", "32"}};
    return probe;
}

}  // namespace assay
