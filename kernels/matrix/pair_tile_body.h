// A tile of the result in registers, made by the unit that includes this for an instruction that multiplies
// two rows by two columns, 64 bits of each: eight bytes, or four of 16 bits (AArch64's smmla, bfmmla). The
// unit defines a struct with
//   Sum                 a register of four sums: first row by first column, first row by second column,
//                       second row by first, second by second
//   Source              a register of two rows or two columns
//   zero(), load_sum(from), store_sum(to, sum), load(from), multiply_add(sum, rows, columns)
//   low(a, b), high(a, b)      the lower (upper) halves of two registers of sums, in one
// No include guard and no shared inline functions: every copy is compiled for its own instruction set.

#include <cstddef>
#include <cstdint>

namespace {

// 24 of 32 registers for sums, 3 for rows; those of columns pass through.
constexpr int pair_tile_rows = 6;
constexpr int pair_tile_columns = 16;

template <typename Operation, int group>
void multiply_pair_tile(std::size_t k, const void* a, const void* b, const std::int32_t* start, void* sums,
                        std::size_t stride, bool accumulate) {
    using Sum = typename Operation::Sum;
    using Source = typename Operation::Source;
    constexpr int row_pairs = pair_tile_rows / 2, column_pairs = pair_tile_columns / 2;
    const char* at_a = static_cast<const char*>(a);
    const char* at_b = static_cast<const char*>(b);
    Sum tile[row_pairs][column_pairs];
    // Four columns of a row are a register in memory, two of two rows one in the tile.
    const auto sums_at = [&](int row, int column) {
        return static_cast<std::int32_t*>(sums) + static_cast<std::size_t>(row) * stride + 2 * column;
    };
#pragma GCC unroll 3
    for (int row = 0; row < row_pairs; ++row)
#pragma GCC unroll 4
        for (int column = 0; column < column_pairs; column += 2) {
            Sum first = Operation::zero(), second = Operation::zero();
            if (accumulate) {
                first = Operation::load_sum(sums_at(2 * row, column));
                second = Operation::load_sum(sums_at(2 * row + 1, column));
            } else if (start != nullptr) {
                first = second = Operation::load_sum(start + 2 * column);
            }
            tile[row][column] = Operation::low(first, second);
            tile[row][column + 1] = Operation::high(first, second);
        }
    for (std::size_t step = 0; step < k; step += group) {
        Source rows[row_pairs];
#pragma GCC unroll 3
        for (int row = 0; row < row_pairs; ++row)
            rows[row] = Operation::load(at_a + static_cast<std::size_t>(row) * sizeof(Source));
#pragma GCC unroll 8
        for (int column = 0; column < column_pairs; ++column) {
            // Else GCC 12 loads all of them first, and sums have to leave their registers for that.
            if (column % 2 == 0) __asm__ volatile("" ::: "memory");
            const Source columns = Operation::load(at_b + static_cast<std::size_t>(column) * sizeof(Source));
#pragma GCC unroll 3
            for (int row = 0; row < row_pairs; ++row)
                tile[row][column] = Operation::multiply_add(tile[row][column], rows[row], columns);
        }
        at_a += row_pairs * sizeof(Source);
        at_b += column_pairs * sizeof(Source);
    }
#pragma GCC unroll 3
    for (int row = 0; row < row_pairs; ++row)
#pragma GCC unroll 4
        for (int column = 0; column < column_pairs; column += 2) {
            const Sum left = tile[row][column], right = tile[row][column + 1];
            Operation::store_sum(sums_at(2 * row, column), Operation::low(left, right));
            Operation::store_sum(sums_at(2 * row + 1, column), Operation::high(left, right));
        }
}

}  // namespace
