// Compiled for AVX-512: includes nothing whose inline functions other units share, lest the linker keep this
// unit's copy for a CPU without it.
#include <immintrin.h>

#include "kernels/matrix/micro_kernels.h"
#include "kernels/matrix/tile_body.h"

namespace assay::kernels::avx512 {

namespace {

struct F32 {
    using Sum = __m512;
    using Source = __m512;
    static Sum zero() { return _mm512_setzero_ps(); }
    static Sum load_sum(const void* from) { return _mm512_loadu_ps(static_cast<const float*>(from)); }
    static void store_sum(void* to, Sum sum) { _mm512_storeu_ps(static_cast<float*>(to), sum); }
    static Source load(const void* from) { return load_sum(from); }
    static Source broadcast(const void* word) { return _mm512_set1_ps(*static_cast<const float*>(word)); }
    static Sum multiply_add(Sum sum, Source a, Source b) { return _mm512_fmadd_ps(a, b, sum); }
};

/// 32 bits of a row against each 32 bits of columns, in 32-bit integers.
struct S16 {
    using Sum = __m512i;
    using Source = __m512i;
    static Sum zero() { return _mm512_setzero_si512(); }
    static Sum load_sum(const void* from) { return _mm512_loadu_si512(from); }
    static void store_sum(void* to, Sum sum) { _mm512_storeu_si512(to, sum); }
    static Source load(const void* from) { return _mm512_loadu_si512(from); }
    static Source broadcast(const void* word) { return _mm512_set1_epi32(*static_cast<const int*>(word)); }
    static Sum multiply_add(Sum sum, Source a, Source b) {
        return _mm512_add_epi32(sum, _mm512_madd_epi16(a, b));
    }
};

constexpr MicroKernel kernels[] = {
    {"vfmadd231ps zmm",
     {PackedElements::f32, 14, 1},
     {PackedElements::f32, 32, 1},
     1,
     vector_blocking,
     multiply_tile<F32, 14, 2, 1>},
    {"vpmaddwd + vpaddd zmm",
     {PackedElements::s16, 14, 2},
     {PackedElements::s16, 32, 2},
     2,
     vector_blocking,
     multiply_tile<S16, 14, 2, 2>},
};

}  // namespace

const MicroKernelTable micro_kernels = {kernels, sizeof kernels / sizeof kernels[0]};

}  // namespace assay::kernels::avx512
