// Compiled for AVX512-FP16: includes nothing whose inline functions other units share, lest the linker keep
// this unit's copy for a CPU without it.
#include <immintrin.h>

#include "kernels/matrix/ceiling_body.h"
#include "kernels/matrix/ceiling_loops.h"

namespace assay::kernels::avx512_fp16 {

namespace {

struct F16 {
    using Source = __m512h;
    using Sum = __m512h;
    static Sum zero() { return _mm512_setzero_ph(); }
    static Source load(const void* from) { return _mm512_loadu_ph(from); }
    static void store(void* to, Sum sum) { _mm512_storeu_ph(to, sum); }
    static Sum multiply_add(Sum sum, Source a, Source b) { return _mm512_fmadd_ph(a, b, sum); }
};

constexpr CeilingLoopEntry entries[] = {
    {CeilingElements::f16, "vfmadd231ph zmm", 20, 64, 1, run_loop<F16, 20>, 32},
};

}  // namespace

const CeilingLoopTable ceiling_loops = {entries, sizeof entries / sizeof entries[0]};

}  // namespace assay::kernels::avx512_fp16
