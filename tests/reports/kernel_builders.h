#pragma once

#include <map>
#include <string>
#include <utility>

#include "tests/reports/outcome_builders.h"

// Outcomes of matrix products and of the limits that they are held against.
namespace assay::building {

using Parameters = std::map<std::string, std::string>;

/// A rate with 40 samples that swing by half a percent around its median, which is `value`.
inline Metric rate(std::string name, double value, Unit unit) {
    Metric metric = sampled(std::move(name), value, Interval{value * 0.995, value * 1.005}, {}, unit);
    for (int at = 0; at < 40; ++at) metric.samples.push_back(value * (1 + 0.005 * ((at * 7 % 9) - 4) / 4.0));
    return metric;
}

/// The unit that arithmetic of this precision is counted in.
inline Unit rate_unit(const std::string& precision) {
    return precision.starts_with("int") ? Unit::operation_per_second : Unit::flop_per_second;
}

inline Outcome ceiling(const std::string& precision, double value, const std::string& isa = "avx512",
                       const std::string& threads = "2", const std::string& asked = "auto",
                       const std::string& device = "cpu:0") {
    Outcome outcome = outcome_of(
        "gemm.ceiling", {{"device", device}, {"precision", precision}, {"isa", "auto"}, {"threads", asked}});
    outcome.resolved = {{"isa", isa}, {"instruction", "fma " + precision}, {"threads", threads}};
    return with(std::move(outcome), rate("gemm.ceiling", value, rate_unit(precision)));
}

/// gemm.ceiling with isa=all: a figure of each set.
inline Outcome ceilings(const std::string& precision, const std::map<std::string, double>& values) {
    Outcome outcome = ceiling(precision, 1, "");
    outcome.the_case.parameters["isa"] = "all";
    outcome.metrics.clear();
    outcome.resolved = {{"threads", "2"}};
    for (const auto& [isa, value] : values) {
        outcome.metrics.push_back(rate("gemm.ceiling", value, rate_unit(precision)));
        outcome.metrics.back().labels = outcome.the_case.parameters;
        outcome.metrics.back().labels["isa"] = isa;
        outcome.resolved["instruction_" + isa] = isa + " of " + precision;
    }
    return outcome;
}

inline Outcome read_bandwidth(double value, const std::string& threads = "2",
                              const std::string& device = "cpu:0") {
    Outcome outcome =
        outcome_of("memory.bandwidth", {{"device", device}, {"kernel", "all"}, {"threads", "auto"}});
    outcome.resolved = {{"isa", "avx512"}, {"threads", threads}};
    // The other kernels must not be taken for reading.
    for (const auto& [kernel, share] : {std::pair{"triad", 0.8}, {"read", 1.0}, {"write_nt", 1.3}}) {
        Metric metric = rate("memory.bandwidth", value * share, Unit::byte_per_second);
        metric.labels = {{"kernel", kernel}};
        outcome.metrics.push_back(std::move(metric));
    }
    return outcome;
}

/// What each kind of product moves for an element of its operands and of its result.
struct ProductBytes {
    double left = 4, right = 4, result = 4;
};

/// gemm.throughput of m x n x k; the bytes an operation follow from the shape.
inline Outcome dense(const std::string& precision, double value, int m, int n, int k, ProductBytes bytes = {},
                     const std::string& isa = "avx512", const std::string& threads = "2") {
    Outcome outcome = outcome_of("gemm.throughput", {{"device", "cpu:0"},
                                                     {"precision", precision},
                                                     {"m", std::to_string(m)},
                                                     {"n", std::to_string(n)},
                                                     {"k", std::to_string(k)},
                                                     {"threads", "auto"},
                                                     {"implementation", "auto"}});
    outcome.resolved = {{"arithmetic", precision}, {"isa", isa}, {"threads", threads}};
    outcome.metrics = {
        rate("gemm.throughput", value, rate_unit(precision)),
        exact("gemm.throughput.bytes_per_operation",
              (bytes.left * m * k + bytes.right * k * n + bytes.result * m * n) / (2.0 * m * n * k), {},
              Unit::byte_per_operation)};
    return outcome;
}

/// quantized.gemm or, without n, quantized.gemv: weights of so many bytes, f32 activations.
inline Outcome quantized(const std::string& probe, const std::string& format, const std::string& arithmetic,
                         double value, Parameters shape, double bytes_per_operation,
                         const std::string& threads = "2") {
    Parameters parameters = {{"device", "cpu:0"}, {"format", format}, {"threads", "auto"}};
    parameters.merge(std::move(shape));
    Outcome outcome = outcome_of(probe, std::move(parameters));
    outcome.resolved = {{"arithmetic", arithmetic}, {"isa", "avx512"}, {"threads", threads}};
    outcome.metrics = {
        rate(probe + ".throughput", value, Unit::operation_per_second),
        rate(probe + ".bandwidth", value * bytes_per_operation, Unit::byte_per_second),
        exact(probe + ".bytes_per_operation", bytes_per_operation, {}, Unit::byte_per_operation)};
    return outcome;
}

inline Outcome gemv(const std::string& format, const std::string& arithmetic, double value,
                    double bytes_per_operation) {
    return quantized("quantized.gemv", format, arithmetic, value, {{"m", "4096"}, {"k", "4096"}},
                     bytes_per_operation);
}

inline Outcome weight_bytes(const std::string& format, double bytes) {
    return with(outcome_of("quantized.accuracy", {{"format", format}}),
                exact("quantized.accuracy.bytes_per_weight", bytes, {}, Unit::byte));
}

/// A run on two cores of a server such as the rooflines are drawn for: f32 at most 480 GFLOP/s, 35 GB/s read,
/// and twelve kernels, several of them at the same intensity.
inline std::vector<Outcome> kernel_run() {
    const Parameters shape = {{"m", "512"}, {"n", "4096"}, {"k", "4096"}};
    const double gemm_bytes = (4.0 * 512 * 4096 * 2 + 4096.0 * 4096) / (2.0 * 512 * 4096 * 4096);
    return {read_bandwidth(35e9),
            ceiling("f64", 240e9),
            ceiling("f32", 480e9),
            ceiling("bf16", 900e9),
            ceiling("int8", 1.9e12),
            dense("f32", 437e9, 2048, 2048, 2048),
            dense("f64", 221e9, 2048, 2048, 2048, {8, 8, 8}),
            dense("bf16", 610e9, 2048, 2048, 2048, {2, 2, 4}),
            dense("int8", 1.31e12, 2048, 2048, 2048, {1, 1, 4}),
            quantized("quantized.gemm", "int8", "int8", 1.12e12, shape, gemm_bytes),
            quantized("quantized.gemm", "int4_g128", "int8", 1.05e12, shape, gemm_bytes * 0.9),
            quantized("quantized.gemm", "fp8", "bf16", 402e9, shape, gemm_bytes),
            gemv("int8", "int8", 65e9, 0.5005),
            gemv("int4", "int8", 98e9, 0.2813),
            gemv("int4_g128", "int8", 101e9, 0.2579),
            gemv("bf16", "bf16", 32.6e9, 1.0),
            gemv("f32", "f32", 16.9e9, 2.0),
            weight_bytes("int8", 1.001),
            weight_bytes("int4_g128", 0.5156)};
}

/// The same with ten ceilings, some of them nearly alike, and six more kernels in one place.
inline std::vector<Outcome> crowded_run() {
    std::vector<Outcome> outcomes = kernel_run();
    for (const auto& [precision, value] :
         {std::pair{"f64", 130e9}, {"f32", 250e9}, {"bf16", 230e9}, {"int8", 470e9}})
        outcomes.push_back(ceiling(precision, value, "avx2"));
    outcomes.push_back(ceiling("bf16", 3.1e12, "amx"));
    outcomes.push_back(ceiling("int8", 6.1e12, "amx"));
    for (int at = 0; at < 6; ++at) outcomes.push_back(dense("f32", 437e9, 2048, 2048, 2048));
    return outcomes;
}

}  // namespace assay::building
