#include "probes/interconnect/pattern.h"

#include <algorithm>
#include <cstring>

namespace assay::interconnect {

Pattern::Pattern(std::uint64_t seed, std::size_t longest) : bytes_(period + longest) {
    // SplitMix64 (Steele, Lea, Flood 2014): passes for random, and any seed will do.
    std::uint64_t state = seed;
    for (std::size_t i = 0; i < period; i += sizeof state) {
        state += 0x9e3779b97f4a7c15;
        std::uint64_t word = state;
        word = (word ^ (word >> 30)) * 0xbf58476d1ce4e5b9;
        word = (word ^ (word >> 27)) * 0x94d049bb133111eb;
        word ^= word >> 31;
        std::memcpy(bytes_.data() + i, &word, std::min(sizeof word, period - i));
    }
    for (std::size_t i = period; i < bytes_.size(); ++i) bytes_[i] = bytes_[i - period];
}

std::span<const std::byte> Pattern::at(std::uint64_t position, std::size_t length) const {
    return std::span(bytes_).subspan(position % period, length);
}

bool PatternCheck::equal(std::span<const std::byte> received, std::size_t offset, std::size_t length) {
    compared_ += length;
    const std::span<const std::byte> expected = pattern_.at(position_ + offset, length);
    return std::memcmp(received.data() + offset, expected.data(), length) == 0;
}

void PatternCheck::chunk(std::span<const std::byte> received) {
    constexpr std::size_t edge = 64;
    constexpr std::uint64_t each = 16;
    bool right = true;
    if (chunks_ % each == 0 || received.size() <= 2 * edge) {
        right = equal(received, 0, received.size());
    } else {
        right = equal(received, 0, edge);
        right = equal(received, received.size() - edge, edge) && right;
    }
    if (!right) ++wrong_;
    ++chunks_;
    position_ += received.size();
}

}  // namespace assay::interconnect
