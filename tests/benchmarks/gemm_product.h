#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "kernels/matrix/precision.h"

namespace assay::benchmarks {

using kernels::Precision;

/// c = a × b, square and row-major: random operands whose values the precision holds exactly, so that whoever
/// converts them loses nothing. int8: a in [0, 127], b in [-127, 127], which no peer's instruction overflows
/// on.
struct Product {
    Precision precision;
    std::size_t n;
    std::vector<float> a, b;
    /// What it is multiplied in, where that is another one: whoever widens is held to the narrower bound.
    Precision arithmetic;
};
Product random_product(Precision precision, std::size_t n);

/// Compares elements of c drawn by seed with f64 sums: exact for int8, else within what rounding in the
/// precision's accumulator explains. Returns what is wrong, empty when nothing is.
std::string mistake_in(const Product& product, const std::function<double(std::size_t, std::size_t)>& c);

/// Multiplies once, has the result compared, then times. `c` is where the result then stands.
void time_product(benchmark::State& state, const Product& product, const std::function<void()>& multiply,
                  const std::function<double(std::size_t, std::size_t)>& c);

/// Registers gemm/PRECISION/WHO/n:N for the sizes that all have, timed in real time.
void register_gemm(Precision precision, const std::string& who,
                   const std::function<void(benchmark::State&, Precision, std::size_t)>& run);

}  // namespace assay::benchmarks
