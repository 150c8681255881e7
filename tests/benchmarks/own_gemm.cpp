#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "kernels/cpu/half.h"
#include "kernels/cpu/thread_team.h"
#include "kernels/device/device.h"
#include "kernels/matrix/bfloat16.h"
#include "kernels/matrix/ceiling.h"
#include "kernels/matrix/kernel_choice.h"
#include "kernels/matrix/product.h"
#include "tests/benchmarks/benchmarks.h"
#include "tests/benchmarks/gemm_product.h"
#include "tests/benchmarks/threads.h"

namespace assay::benchmarks {

namespace {

using kernels::CeilingLoop;
using kernels::Isa;

template <typename Convert>
std::vector<std::byte> converted(const std::vector<float>& values, Convert convert) {
    using Element = decltype(convert(0.0f));
    std::vector<std::byte> bytes(values.size() * sizeof(Element));
    for (std::size_t i = 0; i < values.size(); ++i) {
        const Element element = convert(values[i]);
        std::memcpy(bytes.data() + i * sizeof element, &element, sizeof element);
    }
    return bytes;
}

/// The values in their own format, which holds them exactly.
std::vector<std::byte> elements_of(Precision precision, const std::vector<float>& values) {
    switch (precision) {
        case Precision::bf16:
            return converted(values, kernels::float_to_bfloat16);
        case Precision::f16:
            return converted(values, kernels::float_to_half);
        case Precision::int8:
            return converted(values, [](float value) { return static_cast<std::int8_t>(value); });
        default:
            return converted(values, [](float value) { return value; });
    }
}

/// A product with both operands packed. In memory as assay's probes have it: in huge pages where there are
/// any.
class Prepared {
  public:
    Prepared(const kernels::MatrixKernel& kernel, const Product& given, Device& device)
        : n_(given.n),
          integers_(kernel.sums_integers()),
          team_(cpus()),
          product_(kernel, {n_, n_, n_}, team_),
          left_(device.allocate(product_.left().bytes(), true)),
          right_(device.allocate(product_.right().bytes(), true)),
          c_(device.allocate(n_ * n_ * sizeof(float), true)) {
        const std::vector<std::byte> a = elements_of(given.precision, given.a);
        const std::vector<std::byte> b = elements_of(given.precision, given.b);
        product_.pack_left({given.precision, a.data(), n_, n_, n_, 1}, left_->host_pointer());
        product_.pack_right({given.precision, b.data(), n_, n_, 1, n_}, right_->host_pointer());
        // What is left unwritten shows.
        if (integers_)
            std::fill_n(reinterpret_cast<std::int32_t*>(c_->host_pointer()), n_ * n_,
                        std::numeric_limits<std::int32_t>::min());
        else
            std::fill_n(reinterpret_cast<float*>(c_->host_pointer()), n_ * n_,
                        std::numeric_limits<float>::quiet_NaN());
    }

    void multiply() { product_.multiply(left_->host_pointer(), right_->host_pointer(), c_->host_pointer()); }

    double element(std::size_t row, std::size_t column) const {
        const std::size_t at = row * n_ + column;
        if (integers_) return reinterpret_cast<const std::int32_t*>(c_->host_pointer())[at];
        return static_cast<double>(reinterpret_cast<const float*>(c_->host_pointer())[at]);
    }

    int threads() const { return team_.size(); }

  private:
    std::size_t n_;
    bool integers_;
    kernels::ThreadTeam team_;
    kernels::MatrixProduct product_;
    std::unique_ptr<DeviceMemory> left_, right_, c_;
};

void run_product(benchmark::State& state, Precision precision, std::size_t n) {
    const std::optional<kernels::MatrixKernel> kernel = kernels::best_matrix_kernel(precision);
    if (!kernel) {
        state.SkipWithError("not possible here: there is no own kernel for this precision");
        return;
    }
    std::variant<std::unique_ptr<Device>, Absent> device = open_device("cpu:0");
    if (const Absent* absent = std::get_if<Absent>(&device)) {
        state.SkipWithError(("not possible here: " + absent->reason).c_str());
        return;
    }
    Product product = random_product(precision, n);
    product.arithmetic = kernel->arithmetic;
    Prepared prepared(*kernel, product, *std::get<std::unique_ptr<Device>>(device));
    state.SetLabel(fmt::format("{}, {}, {} threads", kernels::to_string(kernel->isa),
                               kernel->micro->instruction, prepared.threads()));
    time_product(
        state, product, [&] { prepared.multiply(); },
        [&](std::size_t row, std::size_t column) { return prepared.element(row, column); });
}

struct Ceiling {
    Isa isa = Isa::portable;
    std::vector<CeilingLoop> loops;  ///< one a thread, each with sums of its own
};

/// Loops of the best instruction set that has the instruction; none: no set here has.
Ceiling ceiling_of(Precision precision, int threads) {
    Ceiling ceiling;
    for (const Isa isa : {Isa::amx, Isa::avx512, Isa::avx2, Isa::neon, Isa::portable}) {
        ceiling.isa = isa;
        for (int i = 0; i < threads; ++i)
            // Asked for anew: copies of a loop share their sums.
            if (const std::optional<CeilingLoop> loop = CeilingLoop::best(precision, isa))
                ceiling.loops.push_back(*loop);
        if (!ceiling.loops.empty()) break;
    }
    return ceiling;
}

void run_ceiling(benchmark::State& state, Precision precision) {
    // Beside these, some milliseconds, starting the team does not count.
    constexpr int runs = 1000;
    kernels::ThreadTeam team(cpus());
    Ceiling ceiling = ceiling_of(precision, team.size());
    if (ceiling.loops.empty()) {
        state.SkipWithError("not possible here: this CPU has no instruction that multiplies this precision");
        return;
    }
    const auto run = [&](int times) {
        team.run([&](int member) {
            for (int i = 0; i < times; ++i) ceiling.loops[static_cast<std::size_t>(member)].run();
        });
    };
    run(1);
    for (const CeilingLoop& loop : ceiling.loops)
        if (!loop.correct()) {
            state.SkipWithError("wrong result: a sum is not that of its products");
            return;
        }
    for (auto _ : state) run(runs);
    state.SetLabel(fmt::format("{}, {}, {} threads", kernels::to_string(ceiling.isa),
                               ceiling.loops.front().instruction(), team.size()));
    state.counters["op/s"] = benchmark::Counter(ceiling.loops.front().operations() * runs * team.size(),
                                                benchmark::Counter::kIsIterationInvariantRate);
}

}  // namespace

void register_own_gemm() {
    for (const Precision precision : {Precision::f32, Precision::bf16, Precision::f16, Precision::int8})
        register_gemm(precision, "own", run_product);
}

void register_ceiling() {
    for (const Precision precision :
         {Precision::f64, Precision::f32, Precision::bf16, Precision::f16, Precision::int8}) {
        const std::string name = fmt::format("ceiling/{}", kernels::to_string(precision));
        benchmark::RegisterBenchmark(name.c_str(),
                                     [precision](benchmark::State& state) { run_ceiling(state, precision); })
            ->UseRealTime()
            ->Unit(benchmark::kMillisecond);
    }
}

}  // namespace assay::benchmarks
