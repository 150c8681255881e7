#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace assay::interconnect {

/// What a stream carries: pseudo-random bytes that follow from seed and position, so that both ends know what
/// belongs where and bytes that are changed, lost or repeated show. It repeats after `period` bytes, small
/// enough to stay in a core's own cache.
class Pattern {
  public:
    static constexpr std::size_t period = 262'139;  ///< a prime: no block size divides it

    /// `longest` is the most that will be asked for at once.
    Pattern(std::uint64_t seed, std::size_t longest);

    /// The `length` (at most `longest`) bytes from `position` on.
    std::span<const std::byte> at(std::uint64_t position, std::size_t length) const;

  private:
    std::vector<std::byte> bytes_;
};

/// Compares what a stream received with the pattern. Of every chunk the first and last bytes are compared,
/// and of each sixteenth all: damage as long as a message is always seen, a shorter one with one chance in
/// sixteen, repeated ones soon.
class PatternCheck {
  public:
    PatternCheck(std::uint64_t seed, std::size_t longest) : pattern_(seed, longest) {}

    void chunk(std::span<const std::byte> received);

    std::uint64_t position() const { return position_; }  ///< bytes received
    std::uint64_t compared_bytes() const { return compared_; }
    std::uint64_t wrong_chunks() const { return wrong_; }

  private:
    bool equal(std::span<const std::byte> received, std::size_t offset, std::size_t length);

    Pattern pattern_;
    std::uint64_t position_ = 0, chunks_ = 0, compared_ = 0, wrong_ = 0;
};

}  // namespace assay::interconnect
