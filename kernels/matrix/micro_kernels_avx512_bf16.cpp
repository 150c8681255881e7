// Compiled for AVX-512 BF16: includes nothing whose inline functions other units share, lest the linker keep
// this unit's copy for a CPU without it.
#include <immintrin.h>

#include "kernels/matrix/micro_kernels.h"
#include "kernels/matrix/tile_body.h"

namespace assay::kernels::avx512_bf16 {

namespace {

/// 32 bits of a row against each 32 bits of columns, in f32.
struct Bf16 {
    using Sum = __m512;
    using Source = __m512i;
    static Sum zero() { return _mm512_setzero_ps(); }
    static Sum load_sum(const void* from) { return _mm512_loadu_ps(from); }
    static void store_sum(void* to, Sum sum) { _mm512_storeu_ps(to, sum); }
    static Source load(const void* from) { return _mm512_loadu_si512(from); }
    static Source broadcast(const void* word) { return _mm512_set1_epi32(*static_cast<const int*>(word)); }
    static Sum multiply_add(Sum sum, Source a, Source b) {
        return _mm512_dpbf16_ps(sum, reinterpret_cast<__m512bh>(a), reinterpret_cast<__m512bh>(b));
    }
};

constexpr MicroKernel kernels[] = {
    {"vdpbf16ps zmm",
     {PackedElements::bf16, 14, 2},
     {PackedElements::bf16, 32, 2},
     2,
     vector_blocking,
     multiply_tile<Bf16, 14, 2, 2>},
};

}  // namespace

const MicroKernelTable micro_kernels = {kernels, sizeof kernels / sizeof kernels[0]};

}  // namespace assay::kernels::avx512_bf16
