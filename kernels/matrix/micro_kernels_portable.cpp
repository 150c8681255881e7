#include "kernels/matrix/micro_kernels.h"

namespace assay::kernels::portable {

namespace {

constexpr int rows = 4;
constexpr int columns = 16;

float product(const float* a, const float* b) {
    return *a * *b;
}

std::int32_t product(const std::int16_t* a, const std::int16_t* b) {
    return a[0] * b[0] + a[1] * b[1];
}

/// Loops of constant length over neighbouring columns, which any compiler vectorizes. Integer sums are kept
/// unsigned: they may wrap.
template <typename Element, typename Sum, int group>
void multiply(std::size_t k, const void* a, const void* b, const std::int32_t* start, void* sums,
              std::size_t stride, bool accumulate) {
    const Element* at_a = static_cast<const Element*>(a);
    const Element* at_b = static_cast<const Element*>(b);
    Sum tile[rows][columns];
    for (int row = 0; row < rows; ++row)
        for (int column = 0; column < columns; ++column)
            tile[row][column] =
                accumulate
                    ? static_cast<const Sum*>(
                          sums)[static_cast<std::size_t>(row) * stride + static_cast<std::size_t>(column)]
                    : (start != nullptr ? static_cast<Sum>(start[column]) : Sum{0});
    for (std::size_t step = 0; step < k; step += group) {
        for (int row = 0; row < rows; ++row)
            for (int column = 0; column < columns; ++column)
                tile[row][column] += static_cast<Sum>(product(at_a + row * group, at_b + column * group));
        at_a += rows * group;
        at_b += columns * group;
    }
    for (int row = 0; row < rows; ++row)
        for (int column = 0; column < columns; ++column)
            static_cast<Sum*>(
                sums)[static_cast<std::size_t>(row) * stride + static_cast<std::size_t>(column)] =
                tile[row][column];
}

constexpr MicroKernel kernels[] = {
    {"multiply and add, portable",
     {PackedElements::f32, rows, 1},
     {PackedElements::f32, columns, 1},
     1,
     vector_blocking,
     multiply<float, float, 1>},
    {"multiply and add 16-bit integers, portable",
     {PackedElements::s16, rows, 2},
     {PackedElements::s16, columns, 2},
     2,
     vector_blocking,
     multiply<std::int16_t, std::uint32_t, 2>},
};

}  // namespace

const MicroKernelTable micro_kernels = {kernels, sizeof kernels / sizeof kernels[0]};

}  // namespace assay::kernels::portable
