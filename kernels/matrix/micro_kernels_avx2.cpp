// Compiled for AVX2: includes nothing whose inline functions other units share, lest the linker keep this
// unit's copy for a CPU without it.
#include <immintrin.h>

#include "kernels/matrix/micro_kernels.h"
#include "kernels/matrix/tile_body.h"

namespace assay::kernels::avx2 {

namespace {

struct F32 {
    using Sum = __m256;
    using Source = __m256;
    static Sum zero() { return _mm256_setzero_ps(); }
    static Sum load_sum(const void* from) { return _mm256_loadu_ps(static_cast<const float*>(from)); }
    static void store_sum(void* to, Sum sum) { _mm256_storeu_ps(static_cast<float*>(to), sum); }
    static Source load(const void* from) { return load_sum(from); }
    static Source broadcast(const void* word) { return _mm256_set1_ps(*static_cast<const float*>(word)); }
    static Sum multiply_add(Sum sum, Source a, Source b) { return _mm256_fmadd_ps(a, b, sum); }
};

/// 32 bits of a row against each 32 bits of columns, in 32-bit integers.
struct S16 {
    using Sum = __m256i;
    using Source = __m256i;
    static Sum zero() { return _mm256_setzero_si256(); }
    static Sum load_sum(const void* from) { return _mm256_loadu_si256(static_cast<const __m256i*>(from)); }
    static void store_sum(void* to, Sum sum) { _mm256_storeu_si256(static_cast<__m256i*>(to), sum); }
    static Source load(const void* from) { return _mm256_loadu_si256(static_cast<const __m256i*>(from)); }
    static Source broadcast(const void* word) { return _mm256_set1_epi32(*static_cast<const int*>(word)); }
    static Sum multiply_add(Sum sum, Source a, Source b) {
        return _mm256_add_epi32(sum, _mm256_madd_epi16(a, b));
    }
};

constexpr MicroKernel kernels[] = {
    {"vfmadd231ps ymm",
     {PackedElements::f32, 6, 1},
     {PackedElements::f32, 16, 1},
     1,
     vector_blocking,
     multiply_tile<F32, 6, 2, 1>},
    {"vpmaddwd + vpaddd ymm",
     {PackedElements::s16, 6, 2},
     {PackedElements::s16, 16, 2},
     2,
     vector_blocking,
     multiply_tile<S16, 6, 2, 2>},
};

}  // namespace

const MicroKernelTable micro_kernels = {kernels, sizeof kernels / sizeof kernels[0]};

}  // namespace assay::kernels::avx2
