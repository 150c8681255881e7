#include "probes/storage/target/block_pattern.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace assay::storage {
namespace {

constexpr std::size_t words = pattern_bytes / sizeof(std::uint64_t);
constexpr std::uint64_t magic = 0x9d1f'6a27'c83b'40e5U;
constexpr std::uint64_t golden = 0x9e37'79b9'7f4a'7c15U;
using Words = std::array<std::uint64_t, words>;

// The block's first four words.
constexpr std::size_t at_magic = 0;
constexpr std::size_t at_index = 1;
constexpr std::size_t at_seed = 2;
constexpr std::size_t at_checksum = 3;
constexpr std::size_t at_data = 4;

/// The finaliser of splitmix64 (Steele, Lea and Flood 2014).
std::uint64_t mix(std::uint64_t value) {
    value = (value ^ (value >> 30)) * 0xbf58'476d'1ce4'e5b9U;
    value = (value ^ (value >> 27)) * 0x94d0'49bb'1331'11ebU;
    return value ^ (value >> 31);
}

/// Each step is a bijection of the sum so far and of the word, so one changed word always changes the sum.
/// Four lanes, because one would wait for its own multiplications.
std::uint64_t checksum_of(const Words& block) {
    std::array<std::uint64_t, 4> lanes{1, 2, 3, 4};
    for (std::size_t i = 0; i < words; i += lanes.size()) {
        for (std::size_t lane = 0; lane < lanes.size(); ++lane) {
            const std::uint64_t word = i + lane == at_checksum ? 0 : block[i + lane];
            lanes[lane] = (lanes[lane] ^ word) * golden;
            lanes[lane] ^= lanes[lane] >> 32;
        }
    }
    std::uint64_t sum = 0;
    for (const std::uint64_t lane : lanes) sum = mix(sum ^ lane) * golden;
    return sum;
}

Words make(std::uint64_t seed, std::uint64_t index) {
    Words block;
    block[at_magic] = magic;
    block[at_index] = index;
    block[at_seed] = seed;
    const std::uint64_t key = mix(mix(seed + golden) ^ (index + 1) * golden);
    for (std::size_t i = at_data; i < words; ++i) block[i] = mix(key + i * golden);
    block[at_checksum] = checksum_of(block);
    return block;
}

Words load(std::span<const std::byte, pattern_bytes> block) {
    Words copy;
    std::memcpy(copy.data(), block.data(), block.size());
    return copy;
}

}  // namespace

void fill_block(std::span<std::byte, pattern_bytes> block, std::uint64_t seed, std::uint64_t index) {
    const Words made = make(seed, index);
    std::memcpy(block.data(), made.data(), block.size());
}

BlockState check_block(std::span<const std::byte, pattern_bytes> block, std::uint64_t index) {
    const Words copy = load(block);
    if (copy[at_magic] != magic) return BlockState::foreign;
    if (copy[at_checksum] != checksum_of(copy)) return BlockState::corrupted;
    return copy[at_index] == index ? BlockState::right : BlockState::misplaced;
}

bool part_is_right(std::span<const std::byte> part, std::uint64_t offset, std::uint64_t seed) {
    while (!part.empty()) {
        const std::size_t within = offset % pattern_bytes;
        const std::size_t length = std::min(part.size(), pattern_bytes - within);
        const Words expected = make(seed, offset / pattern_bytes);
        if (std::memcmp(part.data(), reinterpret_cast<const std::byte*>(expected.data()) + within, length) !=
            0) {
            return false;
        }
        part = part.subspan(length);
        offset += length;
    }
    return true;
}

std::uint64_t seed_of(std::span<const std::byte, pattern_bytes> block) {
    return load(block)[at_seed];
}

}  // namespace assay::storage
