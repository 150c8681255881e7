// A tile whose products are summed in f16, made by the unit that includes this. Sums of f16 alone err by 0.9
// % at k = 4096: after every 64 products they are taken up by f32 sums. The unit defines a struct with
//   Half, Sum                                        registers of f16 and, half as many elements, of f32
//   zero(), load(from), broadcast(from), multiply_add(sum, a, b)             in f16
//   low(half), high(half)                            the elements of a register of f16 as f32
//   zero_sum(), load_sum(from), store_sum(to, sum), add(a, b)                in f32
// No include guard and no shared inline functions: every copy is compiled for its own instruction set.

#include <cstddef>
#include <cstdint>

namespace {

template <typename Operation, int rows, int registers>
void multiply_half_tile(std::size_t k, const void* a, const void* b, const std::int32_t* /*start*/,
                        void* sums, std::size_t stride, bool accumulate) {
    using Half = typename Operation::Half;
    using Sum = typename Operation::Sum;
    constexpr std::size_t promotion = 64, half_bytes = 2;
    const char* at_a = static_cast<const char*>(a);
    const char* at_b = static_cast<const char*>(b);
    std::size_t done = 0;
    do {
        const std::size_t end = done + promotion < k ? done + promotion : k;
        Half tile[rows][registers];
#pragma GCC unroll 16
        for (int row = 0; row < rows; ++row)
#pragma GCC unroll 4
            for (int r = 0; r < registers; ++r) tile[row][r] = Operation::zero();
        for (; done < end; ++done) {
            Half column[registers];
#pragma GCC unroll 4
            for (int r = 0; r < registers; ++r)
                column[r] = Operation::load(at_b + static_cast<std::size_t>(r) * sizeof(Half));
#pragma GCC unroll 16
            for (int row = 0; row < rows; ++row) {
                const Half value = Operation::broadcast(at_a + static_cast<std::size_t>(row) * half_bytes);
#pragma GCC unroll 4
                for (int r = 0; r < registers; ++r)
                    tile[row][r] = Operation::multiply_add(tile[row][r], value, column[r]);
            }
            at_a += rows * half_bytes;
            at_b += registers * sizeof(Half);
        }
#pragma GCC unroll 16
        for (int row = 0; row < rows; ++row)
#pragma GCC unroll 4
            for (int r = 0; r < registers; ++r) {
                char* to = static_cast<char*>(sums) + static_cast<std::size_t>(row) * stride * sizeof(float) +
                           static_cast<std::size_t>(r) * 2 * sizeof(Sum);
                const Sum low = accumulate ? Operation::load_sum(to) : Operation::zero_sum();
                const Sum high = accumulate ? Operation::load_sum(to + sizeof(Sum)) : Operation::zero_sum();
                Operation::store_sum(to, Operation::add(low, Operation::low(tile[row][r])));
                Operation::store_sum(to + sizeof(Sum), Operation::add(high, Operation::high(tile[row][r])));
            }
        accumulate = true;
    } while (done < k);
}

}  // namespace
