// Compiled for AVX2 and FMA: includes nothing whose inline functions other units share, lest the linker keep
// this unit's copy for a CPU without them.
#include <immintrin.h>

#include "kernels/cpu/stream_kernels.h"

namespace assay::kernels::avx2 {

namespace {

using Vector = __m256d;
Vector load(const double* from) {
    return _mm256_loadu_pd(from);
}
void store(double* to, Vector value) {
    _mm256_store_pd(to, value);
}
void store_non_temporal(double* to, Vector value) {
    _mm256_stream_pd(to, value);
}
Vector broadcast(double value) {
    return _mm256_set1_pd(value);
}
Vector plus(Vector a, Vector b) {
    return _mm256_add_pd(a, b);
}
Vector times(Vector a, Vector b) {
    return _mm256_mul_pd(a, b);
}
Vector times_plus(Vector a, Vector s, Vector b) {
    return _mm256_fmadd_pd(s, b, a);
}
double sum_of(Vector value) {
    return value[0] + value[1] + value[2] + value[3];
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

}  // namespace assay::kernels::avx2
