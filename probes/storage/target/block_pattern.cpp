#include "probes/storage/target/block_pattern.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace assay::storage {
namespace {

constexpr std::size_t words = pattern_bytes / sizeof(std::uint64_t);
constexpr std::uint64_t magic = 0x9d1f'6a27'c83b'40e6U;
constexpr std::uint64_t golden = 0x9e37'79b9'7f4a'7c15U;
using Words = std::array<std::uint64_t, words>;

// The block's first words; all others are the seed's noise, each combined with the block's key.
constexpr std::size_t at_magic = 0;
constexpr std::size_t at_index = 1;
constexpr std::size_t at_seed = 2;
constexpr std::size_t at_generation = 3;
constexpr std::size_t at_checksum = 4;
constexpr std::size_t at_data = 5;

/// The finaliser of splitmix64 (Steele, Lea and Flood 2014).
std::uint64_t mix(std::uint64_t value) {
    value = (value ^ (value >> 30)) * 0xbf58'476d'1ce4'e5b9U;
    value = (value ^ (value >> 27)) * 0x94d0'49bb'1331'11ebU;
    return value ^ (value >> 31);
}

/// A function of all that names a block, and so the checksum of these: each step is a bijection of the one
/// named.
std::uint64_t key_of(std::uint64_t seed, std::uint64_t index, std::uint64_t generation) {
    return mix(mix(mix(seed + golden) ^ (index + 1) * golden) + generation * golden);
}

/// Noise that all blocks of a seed share. Made once a thread: combining it with a key costs a tenth of making
/// it.
/// Never inlined: GCC would ask for the address of the thread's own noise anew for every word.
[[gnu::noinline]] const Words& noise_of(std::uint64_t seed) {
    thread_local Words noise;
    thread_local std::uint64_t noise_seed = 0;
    thread_local bool made = false;
    if (!made || noise_seed != seed) {
        for (std::size_t i = 0; i < words; ++i) noise[i] = mix(mix(seed) + (i + 1) * golden);
        noise_seed = seed;
        made = true;
    }
    return noise;
}

void put(std::byte* block, std::size_t at, std::uint64_t word) {
    std::memcpy(block + at * sizeof word, &word, sizeof word);
}

/// In place: of a load that writes, every pass over a block more is a tenth of its CPU time.
void make(std::byte* block, std::uint64_t seed, std::uint64_t index, std::uint64_t generation) {
    const Words& noise = noise_of(seed);
    const std::uint64_t key = key_of(seed, index, generation);
    for (std::size_t i = at_data; i < words; ++i) put(block, i, noise[i] ^ key);
    put(block, at_magic, magic);
    put(block, at_index, index);
    put(block, at_seed, seed);
    put(block, at_generation, generation);
    put(block, at_checksum, key);
}

Words load(std::span<const std::byte, pattern_bytes> block) {
    Words copy;
    std::memcpy(copy.data(), block.data(), block.size());
    return copy;
}

/// Whether every word is what the block's own seed, index and generation make it.
bool is_whole(const Words& block) {
    const std::uint64_t key = key_of(block[at_seed], block[at_index], block[at_generation]);
    if (block[at_checksum] != key) return false;
    const Words& noise = noise_of(block[at_seed]);
    std::uint64_t difference = 0;
    for (std::size_t i = at_data; i < words; ++i) difference |= block[i] ^ noise[i] ^ key;
    return difference == 0;
}

}  // namespace

void fill_block(std::span<std::byte, pattern_bytes> block, std::uint64_t seed, std::uint64_t index,
                std::uint64_t generation) {
    make(block.data(), seed, index, generation);
}

BlockState check_block(std::span<const std::byte, pattern_bytes> block, std::uint64_t index,
                       std::optional<std::uint64_t> seed) {
    const Words copy = load(block);
    if (copy[at_magic] != magic) return BlockState::foreign;
    if (!is_whole(copy)) return BlockState::corrupted;
    if (copy[at_index] != index) return BlockState::misplaced;
    return seed && copy[at_seed] != *seed ? BlockState::stale : BlockState::right;
}

bool part_is_right(std::span<const std::byte> part, std::uint64_t offset, std::uint64_t seed) {
    while (!part.empty()) {
        const std::size_t within = offset % pattern_bytes;
        const std::size_t length = std::min(part.size(), pattern_bytes - within);
        std::uint64_t generation = 0;
        if (within == 0 && length >= at_data * sizeof(std::uint64_t)) {
            std::memcpy(&generation, part.data() + at_generation * sizeof generation, sizeof generation);
        }
        Words expected;
        std::byte* const bytes = reinterpret_cast<std::byte*>(expected.data());
        make(bytes, seed, offset / pattern_bytes, generation);
        if (std::memcmp(part.data(), bytes + within, length) != 0) return false;
        part = part.subspan(length);
        offset += length;
    }
    return true;
}

std::uint64_t seed_of(std::span<const std::byte, pattern_bytes> block) {
    return load(block)[at_seed];
}

std::uint64_t generation_of(std::span<const std::byte, pattern_bytes> block) {
    return load(block)[at_generation];
}

}  // namespace assay::storage
