// Compiled for AVX2: includes nothing whose inline functions other units share, lest the linker keep this
// unit's copy for a CPU without AVX2.
#include <immintrin.h>

#include "kernels/matrix/ceiling_body.h"
#include "kernels/matrix/ceiling_loops.h"

namespace assay::kernels::avx2 {

namespace {

struct F32 {
    using Source = __m256;
    using Sum = __m256;
    static Sum zero() { return _mm256_setzero_ps(); }
    static Source load(const void* from) { return _mm256_loadu_ps(static_cast<const float*>(from)); }
    static void store(void* to, Sum sum) { _mm256_storeu_ps(static_cast<float*>(to), sum); }
    static Sum multiply_add(Sum sum, Source a, Source b) { return _mm256_fmadd_ps(a, b, sum); }
};

struct F64 {
    using Source = __m256d;
    using Sum = __m256d;
    static Sum zero() { return _mm256_setzero_pd(); }
    static Source load(const void* from) { return _mm256_loadu_pd(static_cast<const double*>(from)); }
    static void store(void* to, Sum sum) { _mm256_storeu_pd(static_cast<double*>(to), sum); }
    static Sum multiply_add(Sum sum, Source a, Source b) { return _mm256_fmadd_pd(a, b, sum); }
};

struct S16 {
    using Source = __m256i;
    using Sum = __m256i;
    static Sum zero() { return _mm256_setzero_si256(); }
    static Source load(const void* from) { return _mm256_loadu_si256(static_cast<const __m256i*>(from)); }
    static void store(void* to, Sum sum) { _mm256_storeu_si256(static_cast<__m256i*>(to), sum); }
    static Sum multiply_add(Sum sum, Source a, Source b) {
        sum = _mm256_add_epi32(sum, _mm256_madd_epi16(a, b));
        // The compiler must not add products to each other first: it would not have the registers for them.
        __asm__("" : ASSAY_VECTOR_REGISTER(sum));
        return sum;
    }
};

constexpr CeilingLoopEntry entries[] = {
    {CeilingElements::f32, "vfmadd231ps ymm", 12, 32, 1, run_loop<F32, 12>, 8},
    {CeilingElements::f64, "vfmadd231pd ymm", 12, 32, 1, run_loop<F64, 12>, 4},
    {CeilingElements::s16, "vpmaddwd + vpaddd ymm", 12, 32, 2, run_loop<S16, 12>, 16},
};

}  // namespace

const CeilingLoopTable ceiling_loops = {entries, sizeof entries / sizeof entries[0]};

}  // namespace assay::kernels::avx2
