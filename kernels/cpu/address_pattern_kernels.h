#pragma once

// The address pattern's loops of one instruction set each; kernels/cpu/address_pattern.h chooses. `start` is
// the x of the first word, `mask` all ones for the inverted pattern.

#include <cstddef>
#include <cstdint>

namespace assay::kernels {

constexpr std::uint64_t pattern_step = 0x9e3779b97f4a7c15u;

namespace portable {
extern const bool pattern_around_caches;
void write_pattern(std::uint64_t start, std::uint64_t mask, std::uint64_t* words, std::size_t count);
std::uint64_t pattern_difference(std::uint64_t start, std::uint64_t mask, const std::uint64_t* words,
                                 std::size_t count);
}  // namespace portable

namespace avx2 {
void write_pattern(std::uint64_t start, std::uint64_t mask, std::uint64_t* words, std::size_t count);
std::uint64_t pattern_difference(std::uint64_t start, std::uint64_t mask, const std::uint64_t* words,
                                 std::size_t count);
}  // namespace avx2

namespace avx512 {
void write_pattern(std::uint64_t start, std::uint64_t mask, std::uint64_t* words, std::size_t count);
std::uint64_t pattern_difference(std::uint64_t start, std::uint64_t mask, const std::uint64_t* words,
                                 std::size_t count);
}  // namespace avx512

}  // namespace assay::kernels
