// Compiled for AVX-VNNI: includes nothing whose inline functions other units share, lest the linker keep this
// unit's copy for a CPU without it.
#include <immintrin.h>

#include "kernels/matrix/micro_kernels.h"
#include "kernels/matrix/tile_body.h"

namespace assay::kernels::avx_vnni {

namespace {

/// 32 bits of a row against each 32 bits of columns, in 32-bit integers.
struct U8TimesS8 {
    using Sum = __m256i;
    using Source = __m256i;
    static Sum zero() { return _mm256_setzero_si256(); }
    static Sum load_sum(const void* from) { return _mm256_loadu_si256(static_cast<const __m256i*>(from)); }
    static void store_sum(void* to, Sum sum) { _mm256_storeu_si256(static_cast<__m256i*>(to), sum); }
    static Source load(const void* from) { return _mm256_loadu_si256(static_cast<const __m256i*>(from)); }
    static Source broadcast(const void* word) { return _mm256_set1_epi32(*static_cast<const int*>(word)); }
    static Sum multiply_add(Sum sum, Source a, Source b) { return _mm256_dpbusd_avx_epi32(sum, a, b); }
};

constexpr MicroKernel kernels[] = {
    {"vpdpbusd ymm",
     {PackedElements::u8, 6, 4},
     {PackedElements::s8, 16, 4},
     4,
     vector_blocking,
     multiply_tile<U8TimesS8, 6, 2, 4>},
};

}  // namespace

const MicroKernelTable micro_kernels = {kernels, sizeof kernels / sizeof kernels[0]};

}  // namespace assay::kernels::avx_vnni
