// Compiled for AVX512-FP16: includes nothing whose inline functions other units share, lest the linker keep
// this unit's copy for a CPU without it.
#include <immintrin.h>

#include "kernels/matrix/half_tile_body.h"
#include "kernels/matrix/micro_kernels.h"

namespace assay::kernels::avx512_fp16 {

namespace {

struct F16 {
    using Half = __m512h;
    using Sum = __m512;
    static Half zero() { return _mm512_setzero_ph(); }
    static Half load(const void* from) { return _mm512_loadu_ph(from); }
    static Half broadcast(const void* from) { return _mm512_set1_ph(*static_cast<const _Float16*>(from)); }
    static Half multiply_add(Half sum, Half a, Half b) { return _mm512_fmadd_ph(a, b, sum); }
    static Sum low(Half sum) { return _mm512_cvtxph_ps(_mm512_castph512_ph256(sum)); }
    static Sum high(Half sum) {
        return _mm512_cvtxph_ps(_mm256_castpd_ph(_mm512_extractf64x4_pd(_mm512_castph_pd(sum), 1)));
    }
    static Sum zero_sum() { return _mm512_setzero_ps(); }
    static Sum load_sum(const void* from) { return _mm512_loadu_ps(from); }
    static void store_sum(void* to, Sum sum) { _mm512_storeu_ps(to, sum); }
    static Sum add(Sum a, Sum b) { return _mm512_add_ps(a, b); }
};

constexpr MicroKernel kernels[] = {
    {"vfmadd231ph zmm",
     {PackedElements::f16, 12, 1},
     {PackedElements::f16, 64, 1},
     1,
     vector_blocking,
     multiply_half_tile<F16, 12, 2>},
};

}  // namespace

const MicroKernelTable micro_kernels = {kernels, sizeof kernels / sizeof kernels[0]};

}  // namespace assay::kernels::avx512_fp16
