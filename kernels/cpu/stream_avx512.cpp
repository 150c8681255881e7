// Compiled for AVX-512: includes nothing whose inline functions other units share, lest the linker keep this
// unit's copy for a CPU without AVX-512.
#include <immintrin.h>

#include "kernels/cpu/stream_kernels.h"

namespace assay::kernels::avx512 {

namespace {

using Vector = __m512d;
Vector load(const double* from) {
    return _mm512_loadu_pd(from);
}
void store(double* to, Vector value) {
    _mm512_store_pd(to, value);
}
void store_non_temporal(double* to, Vector value) {
    _mm512_stream_pd(to, value);
}
Vector broadcast(double value) {
    return _mm512_set1_pd(value);
}
Vector plus(Vector a, Vector b) {
    return _mm512_add_pd(a, b);
}
Vector times(Vector a, Vector b) {
    return _mm512_mul_pd(a, b);
}
Vector times_plus(Vector a, Vector s, Vector b) {
    return _mm512_fmadd_pd(s, b, a);
}
double sum_of(Vector value) {
    return _mm512_reduce_add_pd(value);
}
void fence() {
    _mm_sfence();
}

#include "kernels/cpu/stream_body.h"

}  // namespace

double stream(StreamKernel kernel, const StreamPattern& pattern, const StreamArrays& arrays, double scalar,
              std::size_t begin, std::size_t end) {
    return choose_kernel(kernel, pattern, arrays, scalar, begin, end);
}

}  // namespace assay::kernels::avx512
