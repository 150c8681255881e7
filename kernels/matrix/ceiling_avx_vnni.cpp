// Compiled for AVX-VNNI: includes nothing whose inline functions other units share, lest the linker keep this
// unit's copy for a CPU without it.
#include <immintrin.h>

#include "kernels/matrix/ceiling_body.h"
#include "kernels/matrix/ceiling_loops.h"

namespace assay::kernels::avx_vnni {

namespace {

struct U8TimesS8 {
    using Source = __m256i;
    using Sum = __m256i;
    static Sum zero() { return _mm256_setzero_si256(); }
    static Source load(const void* from) { return _mm256_loadu_si256(static_cast<const __m256i*>(from)); }
    static void store(void* to, Sum sum) { _mm256_storeu_si256(static_cast<__m256i*>(to), sum); }
    static Sum multiply_add(Sum sum, Source a, Source b) { return _mm256_dpbusd_avx_epi32(sum, a, b); }
};

constexpr CeilingLoopEntry entries[] = {
    {CeilingElements::u8_times_s8, "vpdpbusd ymm", 12, 32, 4, run_loop<U8TimesS8, 12>, 32},
};

}  // namespace

const CeilingLoopTable ceiling_loops = {entries, sizeof entries / sizeof entries[0]};

}  // namespace assay::kernels::avx_vnni
