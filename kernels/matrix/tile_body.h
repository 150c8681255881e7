// A tile of the result in registers, made for one instruction by the unit that includes this. All of these
// instructions take 32 bits of each row and column at a time: one f32, two of 16 bits, or four of 8. The unit
// defines a struct with
//   Sum                 a register of sums
//   Source              a register of operands
//   zero(), load_sum(from), store_sum(to, sum), load(from), broadcast(word), multiply_add(sum, a, b)
// No include guard and no shared inline functions: every copy is compiled for its own instruction set.

#include <cstddef>
#include <cstdint>

namespace {

template <typename Operation, int rows, int registers, int group>
void multiply_tile(std::size_t k, const void* a, const void* b, const std::int32_t* start, void* sums,
                   std::size_t stride, bool accumulate) {
    using Sum = typename Operation::Sum;
    using Source = typename Operation::Source;
    constexpr std::size_t word = 4;
    constexpr std::size_t row_bytes = registers * sizeof(Source);
    const char* at_a = static_cast<const char*>(a);
    const char* at_b = static_cast<const char*>(b);
    Sum tile[rows][registers];
    const auto sums_at = [&](int row, int r) {
        return static_cast<char*>(sums) + static_cast<std::size_t>(row) * stride * word +
               static_cast<std::size_t>(r) * sizeof(Sum);
    };
#pragma GCC unroll 16
    for (int row = 0; row < rows; ++row)
#pragma GCC unroll 4
        for (int r = 0; r < registers; ++r)
            tile[row][r] = accumulate         ? Operation::load_sum(sums_at(row, r))
                           : start != nullptr ? Operation::load_sum(reinterpret_cast<const char*>(start) +
                                                                    static_cast<std::size_t>(r) * sizeof(Sum))
                                              : Operation::zero();
    for (std::size_t step = 0; step < k; step += group) {
        Source column[registers];
#pragma GCC unroll 4
        for (int r = 0; r < registers; ++r)
            column[r] = Operation::load(at_b + static_cast<std::size_t>(r) * sizeof(Source));
#pragma GCC unroll 16
        for (int row = 0; row < rows; ++row) {
            const Source value = Operation::broadcast(at_a + static_cast<std::size_t>(row) * word);
#pragma GCC unroll 4
            for (int r = 0; r < registers; ++r)
                tile[row][r] = Operation::multiply_add(tile[row][r], value, column[r]);
        }
        at_a += rows * word;
        at_b += row_bytes;
    }
#pragma GCC unroll 16
    for (int row = 0; row < rows; ++row)
#pragma GCC unroll 4
        for (int r = 0; r < registers; ++r) Operation::store_sum(sums_at(row, r), tile[row][r]);
}

}  // namespace
