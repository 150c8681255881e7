#include "kernels/cpu/address_pattern.h"

#include <stdexcept>
#include <string>

#include "kernels/cpu/address_pattern_kernels.h"

namespace assay::kernels {

namespace {

/// pattern_step × this = 1 (modulo 2^64), by Newton's iteration, which doubles the right bits each time.
constexpr std::uint64_t inverse_step() {
    std::uint64_t inverse = pattern_step;
    for (int round = 0; round < 5; ++round) inverse *= 2 - pattern_step * inverse;
    return inverse;
}
static_assert(pattern_step * inverse_step() == 1);

std::uint64_t mask_of(const AddressPattern& pattern) {
    return pattern.inverted ? ~std::uint64_t{0} : 0;
}

void demand(Isa isa, const void* words, std::size_t count) {
    if (supports(isa) && reinterpret_cast<std::uintptr_t>(words) % 64 == 0 && count % 8 == 0) return;
    throw std::invalid_argument("address pattern: " + std::to_string(count) + " words with " +
                                std::string(to_string(isa)) +
                                "; whole cache lines and a supported instruction set would be accepted");
}

}  // namespace

std::uint64_t pattern_word(const AddressPattern& pattern, std::uint64_t index) {
    const std::uint64_t x = pattern.seed + index * pattern_step;
    return x ^ (x >> 32) ^ mask_of(pattern);
}

std::uint64_t pattern_index(const AddressPattern& pattern, std::uint64_t word) {
    const std::uint64_t mixed = word ^ mask_of(pattern);
    const std::uint64_t x = mixed ^ (mixed >> 32);
    return (x - pattern.seed) * inverse_step();
}

bool pattern_stores_around_caches() {
    return portable::pattern_around_caches;
}

Isa pattern_form([[maybe_unused]] Isa isa) {
#if defined(__x86_64__)
    if (isa == Isa::avx512 || isa == Isa::avx2) return isa;
#endif
    return Isa::portable;
}

void write_pattern(Isa isa, const AddressPattern& pattern, std::uint64_t first, std::uint64_t* words,
                   std::size_t count) {
    demand(isa, words, count);
    const std::uint64_t start = pattern.seed + first * pattern_step;
#if defined(__x86_64__)
    if (pattern_form(isa) == Isa::avx512) return avx512::write_pattern(start, mask_of(pattern), words, count);
    if (pattern_form(isa) == Isa::avx2) return avx2::write_pattern(start, mask_of(pattern), words, count);
#endif
    portable::write_pattern(start, mask_of(pattern), words, count);
}

std::uint64_t pattern_difference(Isa isa, const AddressPattern& pattern, std::uint64_t first,
                                 const std::uint64_t* words, std::size_t count) {
    demand(isa, words, count);
    const std::uint64_t start = pattern.seed + first * pattern_step;
#if defined(__x86_64__)
    if (pattern_form(isa) == Isa::avx512)
        return avx512::pattern_difference(start, mask_of(pattern), words, count);
    if (pattern_form(isa) == Isa::avx2)
        return avx2::pattern_difference(start, mask_of(pattern), words, count);
#endif
    return portable::pattern_difference(start, mask_of(pattern), words, count);
}

}  // namespace assay::kernels
