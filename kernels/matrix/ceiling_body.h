// A register-only loop, made for one instruction by the unit that includes this: it defines a struct with
//   Source, Sum            register types
//   zero(), load(from), store(to, sum), multiply_add(sum, a, b)
// and instantiates run_loop. No include guard and no shared inline functions: every copy is compiled for its
// own instruction set.

#include <cstddef>

#if defined(__aarch64__)
#define ASSAY_VECTOR_REGISTER "+w"
#else
#define ASSAY_VECTOR_REGISTER "+v"
#endif

namespace {

template <typename Operation, int accumulators>
void run_loop(std::size_t pairs, const void* sources, void* results) {
    using Source = typename Operation::Source;
    using Sum = typename Operation::Sum;
    const char* from = static_cast<const char*>(sources);
    Source a0 = Operation::load(from), a1 = Operation::load(from + sizeof(Source));
    const Source b = Operation::load(from + 2 * sizeof(Source));
    Sum sums[accumulators];
#pragma GCC unroll 32
    for (int i = 0; i < accumulators; ++i) {
        sums[i] = Operation::zero();
        // The compiler must not find out that all of them are the same: it would keep only one.
        __asm__("" : ASSAY_VECTOR_REGISTER(sums[i]));
    }
    for (std::size_t pair = 0; pair < pairs; ++pair) {
        // Nor that a product is the one before: where multiplying and adding are two instructions, it would
        // multiply once, before the loop. A barrier behind the product does not stop it; one on a source
        // does.
#pragma GCC unroll 32
        for (int i = 0; i < accumulators; ++i) {
            sums[i] = Operation::multiply_add(sums[i], a0, b);
            __asm__("" : ASSAY_VECTOR_REGISTER(a0));
        }
#pragma GCC unroll 32
        for (int i = 0; i < accumulators; ++i) {
            sums[i] = Operation::multiply_add(sums[i], a1, b);
            __asm__("" : ASSAY_VECTOR_REGISTER(a1));
        }
    }
#pragma GCC unroll 32
    for (int i = 0; i < accumulators; ++i)
        Operation::store(static_cast<char*>(results) + static_cast<std::size_t>(i) * sizeof(Sum), sums[i]);
}

}  // namespace
