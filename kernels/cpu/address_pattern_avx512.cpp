// Compiled for AVX-512: includes nothing whose inline functions other units share, lest the linker keep this
// unit's copy for a CPU without AVX-512.
#include <immintrin.h>

#include "kernels/cpu/address_pattern_kernels.h"

namespace assay::kernels::avx512 {

namespace {

typedef std::uint64_t Vector __attribute__((vector_size(64), may_alias));

void store_around_caches(std::uint64_t* to, Vector value) {
    _mm512_stream_si512(reinterpret_cast<__m512i*>(to), reinterpret_cast<__m512i>(value));
}
void fence() {
    _mm_sfence();
}

#include "kernels/cpu/address_pattern_body.h"

}  // namespace

void write_pattern(std::uint64_t start, std::uint64_t mask, std::uint64_t* words, std::size_t count) {
    write_words(start, mask, words, count);
}

std::uint64_t pattern_difference(std::uint64_t start, std::uint64_t mask, const std::uint64_t* words,
                                 std::size_t count) {
    return differing_bits(start, mask, words, count);
}

}  // namespace assay::kernels::avx512
