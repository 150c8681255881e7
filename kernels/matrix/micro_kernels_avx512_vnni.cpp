// Compiled for AVX-512 VNNI: includes nothing whose inline functions other units share, lest the linker keep
// this unit's copy for a CPU without it.
#include <immintrin.h>

#include "kernels/matrix/micro_kernels.h"
#include "kernels/matrix/tile_body.h"

namespace assay::kernels::avx512_vnni {

namespace {

/// 32 bits of a row against each 32 bits of columns, in 32-bit integers.
struct U8TimesS8 {
    using Sum = __m512i;
    using Source = __m512i;
    static Sum zero() { return _mm512_setzero_si512(); }
    static Sum load_sum(const void* from) { return _mm512_loadu_si512(from); }
    static void store_sum(void* to, Sum sum) { _mm512_storeu_si512(to, sum); }
    static Source load(const void* from) { return _mm512_loadu_si512(from); }
    static Source broadcast(const void* word) { return _mm512_set1_epi32(*static_cast<const int*>(word)); }
    static Sum multiply_add(Sum sum, Source a, Source b) { return _mm512_dpbusd_epi32(sum, a, b); }
};

constexpr MicroKernel kernels[] = {
    {"vpdpbusd zmm",
     {PackedElements::u8, 14, 4},
     {PackedElements::s8, 32, 4},
     4,
     vector_blocking,
     multiply_tile<U8TimesS8, 14, 2, 4>},
};

}  // namespace

const MicroKernelTable micro_kernels = {kernels, sizeof kernels / sizeof kernels[0]};

}  // namespace assay::kernels::avx512_vnni
