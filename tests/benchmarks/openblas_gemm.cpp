#include <algorithm>
#include <limits>
#include <string>
#include <variant>
#include <vector>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "kernels/cpu/gemm.h"
#include "tests/benchmarks/benchmarks.h"
#include "tests/benchmarks/gemm_product.h"
#include "tests/benchmarks/threads.h"

namespace assay::benchmarks {

namespace {

template <typename Real>
void multiply_with(const kernels::OpenBlas& blas, benchmark::State& state, Precision precision,
                   std::size_t n) {
    const Product product = random_product(precision, n);
    const std::vector<Real> a(product.a.begin(), product.a.end()), b(product.b.begin(), product.b.end());
    std::vector<Real> c(n * n, std::numeric_limits<Real>::quiet_NaN());
    const int size = static_cast<int>(n);
    // Its own threads are each on one of the other CPUs.
    const BoundToFirstCpu bound;
    time_product(
        state, product, [&] { blas.multiply(size, size, size, a.data(), b.data(), c.data()); },
        [&](std::size_t row, std::size_t column) { return static_cast<double>(c[row * n + column]); });
}

void run(benchmark::State& state, Precision precision, std::size_t n) {
    const std::variant<const kernels::OpenBlas*, Absent> loaded = kernels::OpenBlas::load();
    if (const Absent* absent = std::get_if<Absent>(&loaded)) {
        state.SkipWithError(("not possible here: " + absent->reason).c_str());
        return;
    }
    const kernels::OpenBlas& blas = *std::get<const kernels::OpenBlas*>(loaded);
    const int threads = blas.set_threads(static_cast<int>(cpus().size()));
    const std::string version = blas.version();  // "OpenBLAS 0.3.21 NO_LAPACKE ..."
    state.SetLabel(fmt::format("{}, core {}, {} threads",
                               version.substr(0, version.find(' ', version.find(' ') + 1)), blas.core_name(),
                               threads));
    if (precision == Precision::f64)
        multiply_with<double>(blas, state, precision, n);
    else
        multiply_with<float>(blas, state, precision, n);
}

}  // namespace

void register_openblas_gemm() {
    for (const Precision precision : {Precision::f64, Precision::f32})
        register_gemm(precision, "openblas", run);
}

}  // namespace assay::benchmarks
