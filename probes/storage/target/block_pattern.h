#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace assay::storage {

/// Files are written in blocks of this size, each a function of (seed, index, generation) that no disk can
/// compress or find twice, and that tells from itself alone whether it is what was written, where it was
/// written. The generation is 0 in a file as prepared; each write of a load has its own.
inline constexpr std::size_t pattern_bytes = 4096;

/// Fills block number `index` of a file; 0.1 µs.
void fill_block(std::span<std::byte, pattern_bytes> block, std::uint64_t seed, std::uint64_t index,
                std::uint64_t generation = 0);

enum class BlockState {
    right,
    foreign,    ///< not written by fill_block
    misplaced,  ///< whole, but another index's
    corrupted,  ///< its checksum does not fit
    stale,      ///< whole and in its place, but of another seed than the one asked for
};
/// `seed`: that it must have been filled from; without one any will do.
BlockState check_block(std::span<const std::byte, pattern_bytes> block, std::uint64_t index,
                       std::optional<std::uint64_t> seed = std::nullopt);

/// Whether `part`, read at byte `offset`, is what fill_block(seed) wrote there. Any offset and length; of a
/// block whose head is in the part any generation, of others generation 0.
bool part_is_right(std::span<const std::byte> part, std::uint64_t offset, std::uint64_t seed);

/// The seed that a block was filled from (of a block that check_block calls right).
std::uint64_t seed_of(std::span<const std::byte, pattern_bytes> block);
std::uint64_t generation_of(std::span<const std::byte, pattern_bytes> block);

}  // namespace assay::storage
