#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/cpu/features.h"

namespace assay::kernels {

/// Contents for a memory test: every 64-bit word tells its own index. Words of one pattern are all different
/// (the mix is a bijection), so that a word which came from elsewhere is wrong, and tells from where.
/// word(index) = x ^ (x >> 32) with x = seed + index × 0x9e3779b97f4a7c15, all bits turned with `inverted`.
struct AddressPattern {
    std::uint64_t seed = 1;
    bool inverted = false;
};

std::uint64_t pattern_word(const AddressPattern& pattern, std::uint64_t index);
/// The index at which `word` would stand: the reverse of pattern_word.
std::uint64_t pattern_index(const AddressPattern& pattern, std::uint64_t word);

/// True where write_pattern stores around the caches (x86-64), so that what is read next comes from memory.
bool pattern_stores_around_caches();

/// The instruction set whose form below runs where `isa` is asked for: portable where `isa` has none of its
/// own.
Isa pattern_form(Isa isa);

/// Fills `count` words, of which the first has the index `first`. `words` must be aligned to 64 bytes and
/// `count` a multiple of 8. `isa` must be supported.
void write_pattern(Isa isa, const AddressPattern& pattern, std::uint64_t first, std::uint64_t* words,
                   std::size_t count);
/// All bits in which any of the words differs from the pattern: 0 when all are right. The same demands.
std::uint64_t pattern_difference(Isa isa, const AddressPattern& pattern, std::uint64_t first,
                                 const std::uint64_t* words, std::size_t count);

}  // namespace assay::kernels
