#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "kernels/cpu/caches.h"
#include "kernels/cpu/quantized.h"
#include "kernels/cpu/thread_team.h"
#include "kernels/device/device.h"
#include "kernels/device/memory_limit.h"
#include "kernels/reference/reference.h"
#include "probes/core/random.h"
#include "probes/quantized/cycled_weights.h"
#include "tests/benchmarks/benchmarks.h"
#include "tests/benchmarks/threads.h"

namespace assay::benchmarks {

namespace {

constexpr std::size_t checked_rows = 16;

/// What weights are multiplied by: the activations, or what they stand for once they are int8.
std::vector<float> multiplied_by(kernels::Isa isa, kernels::WeightFormat format, bool int8_activations,
                                 const std::vector<float>& in) {
    if (!int8_activations) return in;
    std::vector<std::byte> activations(kernels::activation_bytes(format, in.size()));
    std::vector<float> values(in.size());
    kernels::quantize_activations(isa, format, in.data(), in.size(), activations.data());
    kernels::dequantize_activations(format, activations.data(), in.size(), values.data());
    return values;
}

std::string mistake_in(kernels::WeightFormat format, const std::byte* packed, const std::vector<float>& in,
                       const std::vector<float>& out) {
    const std::size_t row_bytes = kernels::packed_row_bytes(format, in.size());
    // Terms added one after another in a lane, and what joins the lanes.
    const double allowed = (static_cast<double>(in.size()) / 16 + 32) * 0x1p-24;
    std::vector<float> weights(in.size());
    for (std::size_t i = 0; i < checked_rows; ++i) {
        const std::size_t row = i * (out.size() - 1) / (checked_rows - 1);
        kernels::dequantize_rows(format, packed + row * row_bytes, 1, in.size(), weights.data());
        const kernels::reference::Product expected = kernels::reference::dot(weights, in);
        if (!(std::abs(static_cast<double>(out[row]) - expected.value) <= allowed * expected.magnitude))
            return fmt::format("wrong result: row {} is {}, and {} by the reference", row, out[row],
                               expected.value);
    }
    return "";
}

/// Weights that are out of every cache, as decoding finds them; integers meet int8 activations, as assay has
/// them meet by itself.
void run(benchmark::State& state, kernels::WeightFormat format) {
    const std::size_t rows = static_cast<std::size_t>(state.range(0));
    const std::size_t columns = static_cast<std::size_t>(state.range(1));
    const std::uint64_t bytes = rows * kernels::packed_row_bytes(format, columns);
    const MatrixCount count = count_matrices(bytes, kernels::last_level_cache_bytes(), usable_memory_bytes());
    std::variant<std::unique_ptr<Device>, Absent> device = open_device("cpu:0");
    if (const Absent* absent = std::get_if<Absent>(&device)) {
        state.SkipWithError(("not possible here: " + absent->reason).c_str());
        return;
    }
    kernels::ThreadTeam team(cpus());
    CycledWeights weights(*std::get<std::unique_ptr<Device>>(device), team, format, rows, columns,
                          count.matrices, 42);
    Random random(42, 1);
    std::vector<float> in(columns), out(rows, std::numeric_limits<float>::quiet_NaN());
    for (float& value : in) value = static_cast<float>(random.uniform(-1, 1));

    const kernels::Isa isa = kernels::best_vector_isa();
    const bool int8_activations = kernels::meets_int8_activations(format);
    weights.multiply(isa, int8_activations, 0, in.data(), out.data());
    const std::string mistake =
        mistake_in(format, weights.matrix(0), multiplied_by(isa, format, int8_activations, in), out);
    if (!mistake.empty()) {
        state.SkipWithError(mistake.c_str());
        return;
    }
    std::size_t index = 0;
    for (auto _ : state) {
        index = (index + 1) % weights.matrices();
        weights.multiply(isa, int8_activations, index, in.data(), out.data());
    }
    state.SetLabel(fmt::format("{}, {} activations, {} matrices", kernels::to_string(isa),
                               int8_activations ? "int8" : "f32", weights.matrices()));
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes));
    state.counters["op/s"] =
        benchmark::Counter(2.0 * static_cast<double>(rows) * static_cast<double>(columns),
                           benchmark::Counter::kIsIterationInvariantRate);
}

}  // namespace

void register_quantized_gemv() {
    using kernels::WeightFormat;
    for (const WeightFormat format : {WeightFormat::int8, WeightFormat::int4, WeightFormat::int4_g128,
                                      WeightFormat::fp8, WeightFormat::bf16, WeightFormat::f32}) {
        const std::string name = fmt::format("gemv/{}/own", kernels::to_string(format));
        benchmark::RegisterBenchmark(name.c_str(), [format](benchmark::State& state) { run(state, format); })
            ->ArgNames({"m", "k"})
            ->Args({512, 256})
            ->Args({14336, 4096})
            ->Args({4096, 14336})
            ->Args({18432, 7168})
            ->UseRealTime()
            ->Unit(benchmark::kMicrosecond);
    }
}

}  // namespace assay::benchmarks
