#include "tests/benchmarks/gemm_product.h"

#include <bit>
#include <cmath>
#include <cstdint>

#include <fmt/format.h>

#include "kernels/cpu/half.h"
#include "probes/core/random.h"

namespace assay::benchmarks {

namespace {

constexpr std::uint64_t seed = 42;
constexpr int checked_elements = 100;

float random_value(Precision precision, bool left, Random& random) {
    if (precision == Precision::int8)
        return left ? static_cast<float>(random.below(128)) : static_cast<float>(random.below(255)) - 127;
    const float value = static_cast<float>(random.uniform(-1, 1));
    if (precision == Precision::f16) return kernels::half_to_float(kernels::float_to_half(value));
    // bf16 is the upper half of f32. By a mask and not by a condition on the value: GCC 12.2 takes
    // `c ? bit_cast<float>(bit_cast<std::uint32_t>(x) & mask) : x` for x.
    const std::uint32_t kept = precision == Precision::bf16 ? 0xffff0000u : 0xffffffffu;
    return std::bit_cast<float>(std::bit_cast<std::uint32_t>(value) & kept);
}

/// Share of the terms' magnitudes that the result may be off by: 4 sqrt(k) unit roundoffs, which rounding
/// errors that fall either way stay within (Higham and Mary 2019). The sure bound, k roundoffs, would let
/// operands pass that were rounded to bf16 once too often.
double allowed_error(Precision precision, std::size_t terms) {
    const double steps = 4 * std::sqrt(static_cast<double>(terms));
    switch (precision) {
        case Precision::f64:
            return steps * 0x1p-53;
        case Precision::f32:
            return steps * 0x1p-24;
        case Precision::bf16:
            return steps * 0x1p-23;  // sums in f32, which some hardware does not round to nearest
        case Precision::f16:
            // Own kernels add up 64 products in f16, with its roundoffs, and such sums in f32.
            return steps * 0x1p-24 + 4 * 8 * 0x1p-11;
        case Precision::int8:
        case Precision::tf32:
        case Precision::fp8:
            return 0;
    }
    return 0;
}

}  // namespace

Product random_product(Precision precision, std::size_t n) {
    Product product{precision, n, std::vector<float>(n * n), std::vector<float>(n * n), precision};
    Random random(seed);
    for (float& value : product.a) value = random_value(precision, true, random);
    for (float& value : product.b) value = random_value(precision, false, random);
    return product;
}

std::string mistake_in(const Product& product, const std::function<double(std::size_t, std::size_t)>& c) {
    const std::size_t n = product.n;
    Random random(seed, 1);
    for (int i = 0; i < checked_elements; ++i) {
        const std::size_t row = i == 0 ? n - 1 : random.below(n), column = i == 0 ? n - 1 : random.below(n);
        double sum = 0, magnitude = 0;
        for (std::size_t at = 0; at < n; ++at) {
            const double term = static_cast<double>(product.a[row * n + at]) *
                                static_cast<double>(product.b[at * n + column]);
            sum += term;
            magnitude += std::abs(term);
        }
        const double got = c(row, column);
        // Written so that a NaN is wrong.
        if (!(std::abs(got - sum) <= allowed_error(product.arithmetic, n) * magnitude))
            return fmt::format("wrong result: element ({}, {}) is {}, and {} by the reference", row, column,
                               got, sum);
    }
    return "";
}

void time_product(benchmark::State& state, const Product& product, const std::function<void()>& multiply,
                  const std::function<double(std::size_t, std::size_t)>& c) {
    multiply();
    const std::string mistake = mistake_in(product, c);
    if (!mistake.empty()) {
        state.SkipWithError(mistake.c_str());
        return;
    }
    for (auto _ : state) multiply();
    const double n = static_cast<double>(product.n);
    state.counters["op/s"] = benchmark::Counter(2 * n * n * n, benchmark::Counter::kIsIterationInvariantRate);
}

void register_gemm(Precision precision, const std::string& who,
                   const std::function<void(benchmark::State&, Precision, std::size_t)>& run) {
    const std::string name = fmt::format("gemm/{}/{}", kernels::to_string(precision), who);
    benchmark::internal::Benchmark* const one =
        benchmark::RegisterBenchmark(name.c_str(), [precision, run](benchmark::State& state) {
            run(state, precision, static_cast<std::size_t>(state.range(0)));
        });
    one->ArgName("n")->UseRealTime()->Unit(benchmark::kMillisecond);
    for (const int n : {256, 512, 1024, 2048, 4096, 8192}) one->Arg(n);
}

}  // namespace assay::benchmarks
