// What every CPU of the architecture has: 16-byte vectors (the compiler's own), and SSE2's non-temporal
// stores on x86-64.
#include "kernels/cpu/stream_kernels.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace assay::kernels::portable {

namespace {

typedef double Vector __attribute__((vector_size(16), may_alias));
typedef double UnalignedVector __attribute__((vector_size(16), may_alias, aligned(8)));

Vector load(const double* from) {
    return *reinterpret_cast<const UnalignedVector*>(from);
}
void store(double* to, Vector value) {
    *reinterpret_cast<Vector*>(to) = value;
}
void store_non_temporal(double* to, Vector value) {
#if defined(__SSE2__)
    _mm_stream_pd(to, value);
#else
    store(to, value);
#endif
}
Vector broadcast(double value) {
    return Vector{value, value};
}
Vector plus(Vector a, Vector b) {
    return a + b;
}
Vector times(Vector a, Vector b) {
    return a * b;
}
Vector times_plus(Vector a, Vector s, Vector b) {
    return a + s * b;
}
double sum_of(Vector value) {
    return value[0] + value[1];
}
void fence() {
#if defined(__SSE2__)
    _mm_sfence();
#endif
}

#include "kernels/cpu/stream_body.h"

}  // namespace

#if defined(__SSE2__)
const bool has_non_temporal_stores = true;
#else
const bool has_non_temporal_stores = false;
#endif

double stream(StreamKernel kernel, const StreamPattern& pattern, const StreamArrays& arrays, double scalar,
              std::size_t begin, std::size_t end) {
    return choose_kernel(kernel, pattern, arrays, scalar, begin, end);
}

}  // namespace assay::kernels::portable
