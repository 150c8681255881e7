#include <fmt/format.h>

#include "kernels/cuda/cublas_lt.h"
#include "probes/gemm/offloaded/offloaded.h"

namespace assay {

using kernels::Precision;

namespace {

/// Results of 16 bits are rounded once more.
double rounding_of(Precision precision) {
    if (precision == Precision::int8) return 0;
    const Precision result = cuda::lt_result(precision);
    return result == Precision::bf16 ? 0x1p-8 : result == Precision::f16 ? 0x1p-11 : 0;
}

}  // namespace

OffloadedLayout cublas_lt_layout(Precision precision) {
    return {true, cuda::lt_result(precision), cuda::lt_result_bytes(precision)};
}

std::variant<OffloadedWay, Absent> cublas_lt_way(Accelerator& accelerator, OffloadedMatrices& matrices) {
    const MatrixShape& shape = matrices.shape();
    const Precision precision = matrices.precision();
    std::variant<std::unique_ptr<cuda::LtProduct>, Absent> prepared =
        cuda::LtProduct::prepare(accelerator, precision, cuda::lt_result(precision), shape.m, shape.n,
                                 shape.k, matrices.a(), matrices.b(), matrices.c());
    if (Absent* absent = std::get_if<Absent>(&prepared)) return *absent;
    const std::shared_ptr<cuda::LtProduct> product = std::move(std::get<0>(prepared));
    OffloadedWay way;
    way.enqueue = [product] { product->enqueue(); };
    way.arithmetic = precision;
    way.sums = precision == Precision::f16 ? Precision::f32 : precision;
    way.more = cuda::lt_cutting_error(precision, shape.k);
    way.rounding = rounding_of(precision);
    way.resolved = {
        {"implementation", "cublaslt"},
        {"library", product->library()},
        {"result", precision == Precision::int8 ? std::string("int32")
                                                : std::string(to_string(cuda::lt_result(precision)))}};
    way.notes.push_back(fmt::format(
        "Through cuBLASLt, the fastest of {} algorithms that its heuristics named, each tried; the right "
        "matrix is "
        "kept transposed, as models keep their weights. Sums are {}, results {}.",
        product->candidates(),
        precision == Precision::int8  ? "int32"
        : precision == Precision::f64 ? "f64"
        : precision == Precision::fp8 ? "f32, taken up from the tensor cores' own every few steps (no fast "
                                        "accumulation), scales 1"
                                      : "f32",
        way.resolved.at("result")));
    return way;
}

}  // namespace assay
