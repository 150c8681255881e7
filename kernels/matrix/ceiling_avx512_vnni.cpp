// Compiled for AVX-512 VNNI: includes nothing whose inline functions other units share, lest the linker keep
// this unit's copy for a CPU without it.
#include <immintrin.h>

#include "kernels/matrix/ceiling_body.h"
#include "kernels/matrix/ceiling_loops.h"

namespace assay::kernels::avx512_vnni {

namespace {

struct U8TimesS8 {
    using Source = __m512i;
    using Sum = __m512i;
    static Sum zero() { return _mm512_setzero_si512(); }
    static Source load(const void* from) { return _mm512_loadu_si512(from); }
    static void store(void* to, Sum sum) { _mm512_storeu_si512(to, sum); }
    static Sum multiply_add(Sum sum, Source a, Source b) { return _mm512_dpbusd_epi32(sum, a, b); }
};

constexpr CeilingLoopEntry entries[] = {
    {CeilingElements::u8_times_s8, "vpdpbusd zmm", 20, 64, 4, run_loop<U8TimesS8, 20>, 64},
};

}  // namespace

const CeilingLoopTable ceiling_loops = {entries, sizeof entries / sizeof entries[0]};

}  // namespace assay::kernels::avx512_vnni
