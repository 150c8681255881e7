// Compiled for AVX-512 BF16: includes nothing whose inline functions other units share, lest the linker keep
// this unit's copy for a CPU without it.
#include <immintrin.h>

#include "kernels/matrix/ceiling_body.h"
#include "kernels/matrix/ceiling_loops.h"

namespace assay::kernels::avx512_bf16 {

namespace {

struct Bf16 {
    using Source = __m512i;
    using Sum = __m512;
    static Sum zero() { return _mm512_setzero_ps(); }
    static Source load(const void* from) { return _mm512_loadu_si512(from); }
    static void store(void* to, Sum sum) { _mm512_storeu_ps(to, sum); }
    static Sum multiply_add(Sum sum, Source a, Source b) {
        return _mm512_dpbf16_ps(sum, reinterpret_cast<__m512bh>(a), reinterpret_cast<__m512bh>(b));
    }
};

constexpr CeilingLoopEntry entries[] = {
    {CeilingElements::bf16, "vdpbf16ps zmm", 20, 64, 2, run_loop<Bf16, 20>, 32},
};

}  // namespace

const CeilingLoopTable ceiling_loops = {entries, sizeof entries / sizeof entries[0]};

}  // namespace assay::kernels::avx512_bf16
