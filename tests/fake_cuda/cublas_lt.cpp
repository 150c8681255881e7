// A cuBLASLt without a card, on the fake driver's memory and streams: multiplies on the host, slowly and in
// f64, with the layouts that it is given. The environment FAKE_CUBLASLT may say "refuse" (no algorithm),
// "fail" (the first algorithm named does not run), "wrong" (a wrong result), "gap" (one is left unwritten).

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "kernels/cpu/fp8.h"
#include "kernels/cpu/half.h"
#include "kernels/cuda/cublas_lt_api.h"
#include "kernels/matrix/bfloat16.h"
#include "tests/fake_cuda/fake_cuda.h"

namespace {

using namespace assay;
using namespace assay::cuda::lt;

struct Layout {
    DataType type;
    std::uint64_t rows, columns;
    std::int64_t leading;
};
struct Descriptor {
    ComputeType compute;
    DataType scale;
    bool transpose_a = false, transpose_b = false;
};

std::string_view asked() {
    const char* const value = std::getenv("FAKE_CUBLASLT");
    return value != nullptr ? value : "";
}

double element(const void* data, DataType type, std::uint64_t at) {
    switch (type) {
        case DataType::f64:
            return static_cast<const double*>(data)[at];
        case DataType::f32:
            return static_cast<double>(static_cast<const float*>(data)[at]);
        case DataType::f16:
            return static_cast<double>(kernels::half_to_float(static_cast<const std::uint16_t*>(data)[at]));
        case DataType::bf16:
            return static_cast<double>(
                kernels::bfloat16_to_float(static_cast<const std::uint16_t*>(data)[at]));
        case DataType::fp8_e4m3:
            return static_cast<double>(kernels::fp8_to_float(static_cast<const std::uint8_t*>(data)[at]));
        case DataType::int8:
            return static_cast<const std::int8_t*>(data)[at];
        case DataType::int32:
            return static_cast<const std::int32_t*>(data)[at];
    }
    return 0;
}

void store(void* data, DataType type, std::uint64_t at, double value) {
    switch (type) {
        case DataType::f64:
            static_cast<double*>(data)[at] = value;
            break;
        case DataType::f32:
            static_cast<float*>(data)[at] = static_cast<float>(value);
            break;
        case DataType::f16:
            static_cast<std::uint16_t*>(data)[at] = kernels::float_to_half(static_cast<float>(value));
            break;
        case DataType::bf16:
            static_cast<std::uint16_t*>(data)[at] = kernels::float_to_bfloat16(static_cast<float>(value));
            break;
        case DataType::int32:
            static_cast<std::int32_t*>(data)[at] = static_cast<std::int32_t>(value);
            break;
        case DataType::int8:
        case DataType::fp8_e4m3:
            break;
    }
}

/// Column-major: [rows × columns], or its transpose.
double at(const void* data, const Layout& layout, bool transposed, std::uint64_t row, std::uint64_t column) {
    const std::uint64_t lead = static_cast<std::uint64_t>(layout.leading);
    return element(data, layout.type, transposed ? column + row * lead : row + column * lead);
}

/// As the documentation has it: all sizes of fp8, and of int8 the left matrix's.
bool takes(const Layout& left, const Layout& result) {
    if (left.type == DataType::int8) return left.rows % 4 == 0 && result.rows % 4 == 0;
    if (left.type != DataType::fp8_e4m3) return true;
    return left.rows % 16 == 0 && result.rows % 16 == 0 && result.columns % 16 == 0;
}

}  // namespace

extern "C" {

Status cublasLtCreate(Handle* handle) {
    *handle = new int;
    return Status::success;
}
Status cublasLtDestroy(Handle handle) {
    delete static_cast<int*>(handle);
    return Status::success;
}
std::size_t cublasLtGetVersion() {
    return 130002;
}
Status cublasLtMatmulDescCreate(MatmulDescriptor* made, ComputeType compute, DataType scale) {
    *made = new Descriptor{compute, scale};
    return Status::success;
}
Status cublasLtMatmulDescDestroy(MatmulDescriptor descriptor) {
    delete static_cast<Descriptor*>(descriptor);
    return Status::success;
}
Status cublasLtMatmulDescSetAttribute(MatmulDescriptor descriptor, DescriptorAttribute attribute,
                                      const void* value, std::size_t bytes) {
    std::int32_t operation = 0;
    if (bytes != sizeof operation) return static_cast<Status>(7);
    std::memcpy(&operation, value, bytes);
    Descriptor& own = *static_cast<Descriptor*>(descriptor);
    (attribute == DescriptorAttribute::transpose_a ? own.transpose_a : own.transpose_b) =
        operation == transposed;
    return Status::success;
}
Status cublasLtMatrixLayoutCreate(MatrixLayout* made, DataType type, std::uint64_t rows,
                                  std::uint64_t columns, std::int64_t leading) {
    *made = new Layout{type, rows, columns, leading};
    return Status::success;
}
Status cublasLtMatrixLayoutDestroy(MatrixLayout layout) {
    delete static_cast<Layout*>(layout);
    return Status::success;
}
Status cublasLtMatmulPreferenceCreate(Preference* made) {
    *made = new std::size_t{0};
    return Status::success;
}
Status cublasLtMatmulPreferenceDestroy(Preference preference) {
    delete static_cast<std::size_t*>(preference);
    return Status::success;
}
Status cublasLtMatmulPreferenceSetAttribute(Preference preference, PreferenceAttribute, const void* value,
                                            std::size_t bytes) {
    std::memcpy(preference, value, bytes);
    return Status::success;
}
Status cublasLtMatmulAlgoGetHeuristic(Handle, MatmulDescriptor, MatrixLayout a, MatrixLayout, MatrixLayout c,
                                      MatrixLayout, Preference, int, HeuristicResult* results, int* found) {
    const Layout &left = *static_cast<Layout*>(a), &result = *static_cast<Layout*>(c);
    *found = 0;
    if (asked() == "refuse") return Status::not_supported;
    if (!takes(left, result)) return Status::not_supported;
    *found = 3;
    for (int i = 0; i < *found; ++i) {
        results[i] = {};
        results[i].algorithm.data[0] = static_cast<std::uint64_t>(i);
    }
    results[2].state = Status::not_supported;
    return Status::success;
}
Status cublasLtMatmul(Handle, MatmulDescriptor descriptor, const void*, const void* a, MatrixLayout a_layout,
                      const void* b, MatrixLayout b_layout, const void*, const void*, MatrixLayout, void* d,
                      MatrixLayout d_layout, const Algorithm* algorithm, void*, std::size_t, void* stream) {
    if (asked() == "fail" && algorithm->data[0] == 0) return Status::not_supported;
    const Descriptor own = *static_cast<Descriptor*>(descriptor);
    const Layout left = *static_cast<Layout*>(a_layout), right = *static_cast<Layout*>(b_layout),
                 result = *static_cast<Layout*>(d_layout);
    const bool wrong = asked() == "wrong", gap = asked() == "gap";
    fake_cuda::enqueue(stream, [=] {
        const std::uint64_t k = own.transpose_a ? left.rows : left.columns;
        for (std::uint64_t column = 0; column < result.columns; ++column)
            for (std::uint64_t row = 0; row < result.rows; ++row) {
                if (gap && row == 1 && column == 1) continue;
                double sum = wrong && row == 0 ? 1000 : 0;
                for (std::uint64_t l = 0; l < k; ++l)
                    sum += at(a, left, own.transpose_a, row, l) * at(b, right, own.transpose_b, l, column);
                store(d, result.type, row + column * static_cast<std::uint64_t>(result.leading), sum);
            }
        return 0;
    });
    return Status::success;
}

}  // extern "C"
