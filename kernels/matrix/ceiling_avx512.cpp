// Compiled for AVX-512: includes nothing whose inline functions other units share, lest the linker keep this
// unit's copy for a CPU without AVX-512.
#include <immintrin.h>

#include "kernels/matrix/ceiling_body.h"
#include "kernels/matrix/ceiling_loops.h"

namespace assay::kernels::avx512 {

namespace {

struct F32 {
    using Source = __m512;
    using Sum = __m512;
    static Sum zero() { return _mm512_setzero_ps(); }
    static Source load(const void* from) { return _mm512_loadu_ps(from); }
    static void store(void* to, Sum sum) { _mm512_storeu_ps(to, sum); }
    static Sum multiply_add(Sum sum, Source a, Source b) { return _mm512_fmadd_ps(a, b, sum); }
};

struct F64 {
    using Source = __m512d;
    using Sum = __m512d;
    static Sum zero() { return _mm512_setzero_pd(); }
    static Source load(const void* from) { return _mm512_loadu_pd(from); }
    static void store(void* to, Sum sum) { _mm512_storeu_pd(to, sum); }
    static Sum multiply_add(Sum sum, Source a, Source b) { return _mm512_fmadd_pd(a, b, sum); }
};

struct S16 {
    using Source = __m512i;
    using Sum = __m512i;
    static Sum zero() { return _mm512_setzero_si512(); }
    static Source load(const void* from) { return _mm512_loadu_si512(from); }
    static void store(void* to, Sum sum) { _mm512_storeu_si512(to, sum); }
    static Sum multiply_add(Sum sum, Source a, Source b) {
        sum = _mm512_add_epi32(sum, _mm512_madd_epi16(a, b));
        // The compiler must not add products to each other first: it would not have the registers for them.
        __asm__("" : ASSAY_VECTOR_REGISTER(sum));
        return sum;
    }
};

constexpr CeilingLoopEntry entries[] = {
    {CeilingElements::f32, "vfmadd231ps zmm", 20, 64, 1, run_loop<F32, 20>, 16},
    {CeilingElements::f64, "vfmadd231pd zmm", 20, 64, 1, run_loop<F64, 20>, 8},
    {CeilingElements::s16, "vpmaddwd + vpaddd zmm", 20, 64, 2, run_loop<S16, 20>, 32},
};

}  // namespace

const CeilingLoopTable ceiling_loops = {entries, sizeof entries / sizeof entries[0]};

}  // namespace assay::kernels::avx512
