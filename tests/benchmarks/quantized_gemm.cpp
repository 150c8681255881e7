#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "kernels/cpu/thread_team.h"
#include "kernels/device/device.h"
#include "kernels/matrix/quantized_product.h"
#include "probes/core/random.h"
#include "probes/quantized/matrix_product.h"
#include "tests/benchmarks/benchmarks.h"
#include "tests/benchmarks/threads.h"

namespace assay::benchmarks {

namespace {

using kernels::Precision;
using kernels::WeightFormat;

constexpr std::uint64_t seed = 42;

/// As quantized.gemm has it: weights packed beforehand, activations brought to the kernel's numbers and
/// packed within each product.
void run(benchmark::State& state, WeightFormat format, Precision activations) {
    const kernels::MatrixKernel kernel = kernels::quantized_kernel(format, activations).value();
    std::variant<std::unique_ptr<Device>, Absent> device = open_device("cpu:0");
    if (const Absent* absent = std::get_if<Absent>(&device)) {
        state.SkipWithError(("not possible here: " + absent->reason).c_str());
        return;
    }
    const GemmShape shape{format,
                          {static_cast<std::size_t>(state.range(0)), static_cast<std::size_t>(state.range(1)),
                           static_cast<std::size_t>(state.range(2))}};
    const auto [m, n, k] = shape.size;
    kernels::ThreadTeam team(cpus());
    kernels::QuantizedProduct product(kernel, format, shape.size, team);
    const std::unique_ptr<DeviceMemory> weights =
        std::get<std::unique_ptr<Device>>(device)->allocate(product.weight_bytes(), true);
    product.pack_weights(
        [&](std::size_t index, float* to) { gemm_weight_row(seed, index, shape.size.k, to); },
        weights->host_pointer());
    std::vector<float> in(m * k), out(m * n, std::numeric_limits<float>::quiet_NaN());
    Random random(seed, 1);
    for (float& value : in) value = static_cast<float>(random.uniform(-1, 1));

    product.multiply(in.data(), weights->host_pointer(), out.data());
    const Check check = check_gemm(
        shape,
        [&](std::size_t row, float* to) {
            kernels::activations_as_multiplied(kernel, in.data() + row * shape.size.k, shape.size.k, to);
        },
        [&](std::size_t column, float* to) {
            std::vector<float> given(shape.size.k);
            gemm_weight_row(seed, column, shape.size.k, given.data());
            kernels::weights_as_multiplied(kernel, format, given.data(), shape.size.k, to);
        },
        out, seed);
    if (!check.passed) {
        state.SkipWithError(("wrong result: " + check.detail).c_str());
        return;
    }
    for (auto _ : state) product.multiply(in.data(), weights->host_pointer(), out.data());
    state.SetLabel(fmt::format("{}, {}, {} threads", kernels::to_string(kernel.isa),
                               kernel.micro->instruction, team.size()));
    state.counters["op/s"] =
        benchmark::Counter(shape.operations(), benchmark::Counter::kIsIterationInvariantRate);
}

}  // namespace

void register_quantized_gemm() {
    struct Way {
        WeightFormat format;
        Precision activations;
    };
    constexpr Way ways[] = {
        {WeightFormat::int8, Precision::int8},      {WeightFormat::int4, Precision::bf16},
        {WeightFormat::int4, Precision::int8},      {WeightFormat::int4_g128, Precision::bf16},
        {WeightFormat::int4_g128, Precision::int8}, {WeightFormat::fp8, Precision::bf16}};
    for (const auto [format, activations] : ways) {
        // Nibbles meet int8 activations only where an instruction multiplies bytes.
        if (!kernels::quantized_kernel(format, activations)) continue;
        const std::string name = fmt::format("quantized_gemm/{}/{}/own", kernels::to_string(format),
                                             kernels::to_string(activations));
        benchmark::RegisterBenchmark(name.c_str(),
                                     [format = format, activations = activations](benchmark::State& state) {
                                         run(state, format, activations);
                                     })
            ->ArgNames({"m", "n", "k"})
            ->Args({48, 256, 256})
            ->Args({2048, 2048, 2048})
            ->Args({512, 14336, 4096})
            ->Args({512, 4096, 14336})
            ->UseRealTime()
            ->Unit(benchmark::kMicrosecond);
    }
}

}  // namespace assay::benchmarks
