// What every CPU of the architecture has: 16-byte vectors (the compiler's own), and SSE2's non-temporal
// stores on x86-64.
#include "kernels/cpu/address_pattern_kernels.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace assay::kernels::portable {

namespace {

typedef std::uint64_t Vector __attribute__((vector_size(16), may_alias));

void store_around_caches(std::uint64_t* to, Vector value) {
#if defined(__SSE2__)
    _mm_stream_si128(reinterpret_cast<__m128i*>(to), reinterpret_cast<__m128i>(value));
#else
    *reinterpret_cast<Vector*>(to) = value;
#endif
}
void fence() {
#if defined(__SSE2__)
    _mm_sfence();
#endif
}

#include "kernels/cpu/address_pattern_body.h"

}  // namespace

#if defined(__SSE2__)
const bool pattern_around_caches = true;
#else
const bool pattern_around_caches = false;
#endif

void write_pattern(std::uint64_t start, std::uint64_t mask, std::uint64_t* words, std::size_t count) {
    write_words(start, mask, words, count);
}

std::uint64_t pattern_difference(std::uint64_t start, std::uint64_t mask, const std::uint64_t* words,
                                 std::size_t count) {
    return differing_bits(start, mask, words, count);
}

}  // namespace assay::kernels::portable
