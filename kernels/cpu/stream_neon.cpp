// Compiled for AArch64 with the dot product (Armv8.2), though any of its CPUs would do: pairs of 16-byte
// vectors, which one instruction stores around the caches.
#include <arm_neon.h>

#include "kernels/cpu/stream_kernels.h"

namespace assay::kernels::neon {

namespace {

struct Vector {
    float64x2_t low, high;
};
Vector load(const double* from) {
    return {vld1q_f64(from), vld1q_f64(from + 2)};
}
void store(double* to, Vector value) {
    vst1q_f64(to, value.low);
    vst1q_f64(to + 2, value.high);
}
/// A hint, of which cores make what they will. No intrinsic gives it.
void store_non_temporal(double* to, Vector value) {
    __asm__("stnp %q1, %q2, %0"
            : "=Q"(*reinterpret_cast<double(*)[4]>(to))
            : "w"(value.low), "w"(value.high));
}
Vector broadcast(double value) {
    return {vdupq_n_f64(value), vdupq_n_f64(value)};
}
Vector plus(Vector a, Vector b) {
    return {vaddq_f64(a.low, b.low), vaddq_f64(a.high, b.high)};
}
Vector times(Vector a, Vector b) {
    return {vmulq_f64(a.low, b.low), vmulq_f64(a.high, b.high)};
}
Vector times_plus(Vector a, Vector s, Vector b) {
    return {vfmaq_f64(a.low, s.low, b.low), vfmaq_f64(a.high, s.high, b.high)};
}
double sum_of(Vector value) {
    return vaddvq_f64(vaddq_f64(value.low, value.high));
}
/// They are ordered as other stores are.
void fence() {}

#include "kernels/cpu/stream_body.h"

}  // namespace

double stream(StreamKernel kernel, const StreamPattern& pattern, const StreamArrays& arrays, double scalar,
              std::size_t begin, std::size_t end) {
    return choose_kernel(kernel, pattern, arrays, scalar, begin, end);
}

}  // namespace assay::kernels::neon
