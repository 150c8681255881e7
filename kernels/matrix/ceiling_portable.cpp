#include "kernels/matrix/ceiling_body.h"
#include "kernels/matrix/ceiling_loops.h"

namespace assay::kernels::portable {

namespace {

// Vectors as the compiler's own, which it splits into what the architecture's lowest CPU has.
constexpr int vector_bytes = 16;
using Floats = float __attribute__((vector_size(vector_bytes)));
using Doubles = double __attribute__((vector_size(vector_bytes)));

template <typename Vector>
struct Multiply {
    using Source = Vector;
    using Sum = Vector;
    static Sum zero() { return Sum{}; }
    static Source load(const void* from) {
        Source source;
        __builtin_memcpy(&source, from, sizeof source);
        return source;
    }
    static void store(void* to, Sum sum) { __builtin_memcpy(to, &sum, sizeof sum); }
    static Sum multiply_add(Sum sum, Source a, Source b) { return sum + a * b; }
};

#if defined(__x86_64__)
constexpr const char* f32_instruction = "mulps + addps";
constexpr const char* f64_instruction = "mulpd + addpd";
#else
constexpr const char* f32_instruction = "multiply and add, 4 of f32";
constexpr const char* f64_instruction = "multiply and add, 2 of f64";
#endif

constexpr CeilingLoopEntry entries[] = {
    {CeilingElements::f32, f32_instruction, 12, vector_bytes, 1, run_loop<Multiply<Floats>, 12>, 4},
    {CeilingElements::f64, f64_instruction, 12, vector_bytes, 1, run_loop<Multiply<Doubles>, 12>, 2},
};

}  // namespace

const CeilingLoopTable ceiling_loops = {entries, sizeof entries / sizeof entries[0]};

}  // namespace assay::kernels::portable
