#include "probes/storage/target/block_pattern.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <set>
#include <vector>

#include <gtest/gtest.h>

namespace assay::storage {
namespace {

using Block = std::array<std::byte, pattern_bytes>;

Block made(std::uint64_t seed, std::uint64_t index) {
    Block block{};
    fill_block(block, seed, index);
    return block;
}

TEST(BlockPattern, TellsFromItselfWhetherItIsRight) {
    for (const std::uint64_t index : {0ULL, 1ULL, 12345ULL, 1ULL << 40}) {
        const Block block = made(7, index);
        EXPECT_EQ(check_block(block, index), BlockState::right);
        EXPECT_EQ(seed_of(block), 7u);
        EXPECT_EQ(check_block(block, index + 1), BlockState::misplaced);
    }
    EXPECT_EQ(check_block(Block{}, 0), BlockState::foreign);
}

TEST(BlockPattern, TellsGenerationsApart) {
    std::set<std::uint64_t> words;
    for (const std::uint64_t generation : {0ULL, 1ULL, 2ULL, 1ULL << 40, (1ULL << 63) - 1}) {
        Block block{};
        fill_block(block, 7, 12, generation);
        EXPECT_EQ(check_block(block, 12), BlockState::right);
        EXPECT_EQ(check_block(block, 13), BlockState::misplaced);
        EXPECT_EQ(generation_of(block), generation);
        EXPECT_EQ(seed_of(block), 7u);
        // With the head any generation can be told, without it only the first.
        const std::span<const std::byte> all(block);
        EXPECT_TRUE(part_is_right(all, 12 * pattern_bytes, 7));
        EXPECT_EQ(part_is_right(all.subspan(512), 12 * pattern_bytes + 512, 7), generation == 0);
        EXPECT_EQ(part_is_right(all.first(32), 12 * pattern_bytes, 7), generation == 0);
        // Half of another generation is a torn write.
        Block torn = block;
        const Block other = made(7, 12);
        std::copy(other.begin() + 2048, other.end(), torn.begin() + 2048);
        EXPECT_EQ(check_block(torn, 12), generation == 0 ? BlockState::right : BlockState::corrupted);
        for (std::size_t at = 40; at < pattern_bytes; at += 8) {
            std::uint64_t word = 0;
            std::memcpy(&word, block.data() + at, sizeof word);
            words.insert(word);
        }
    }
    EXPECT_EQ(words.size(), 5 * (pattern_bytes - 40) / 8) << "a rewritten block can be deduplicated";
}

TEST(BlockPattern, NoticesEveryFlippedBit) {
    for (std::size_t byte = 0; byte < pattern_bytes; byte += 3) {
        for (const int bit : {0, 5, 7}) {
            Block block = made(1, 99);
            block[byte] ^= std::byte(1u << bit);
            EXPECT_NE(check_block(block, 99), BlockState::right) << byte;
            EXPECT_FALSE(part_is_right(block, 99 * pattern_bytes, 1)) << byte;
        }
    }
}

TEST(BlockPattern, NoticesAWrongChecksumAndASwappedHalf) {
    Block block = made(1, 5);
    block[24] ^= std::byte{1};
    EXPECT_EQ(check_block(block, 5), BlockState::corrupted);
    Block torn = made(1, 5);
    const Block other = made(1, 6);
    std::copy(other.begin() + 2048, other.end(), torn.begin() + 2048);
    EXPECT_EQ(check_block(torn, 5), BlockState::corrupted);
    Block swapped = made(1, 5);
    std::swap_ranges(swapped.begin() + 512, swapped.begin() + 1024, swapped.begin() + 1024);
    EXPECT_EQ(check_block(swapped, 5), BlockState::corrupted);
}

TEST(BlockPattern, IsVerifiedInPartsOfAnyPlaceAndLength) {
    std::vector<std::byte> file(4 * pattern_bytes);
    for (std::size_t index = 0; index < 4; ++index) {
        fill_block(std::span(file).subspan(index * pattern_bytes).first<pattern_bytes>(), 3, index);
    }
    const std::span<const std::byte> all(file);
    EXPECT_TRUE(part_is_right(all, 0, 3));
    EXPECT_FALSE(part_is_right(all, 0, 4)) << "another seed";
    EXPECT_TRUE(part_is_right(all.subspan(512, 512), 512, 3));
    EXPECT_TRUE(part_is_right(all.subspan(4000, 5000), 4000, 3));
    EXPECT_FALSE(part_is_right(all.subspan(512, 512), 1024, 3)) << "another place";
    file[8999] ^= std::byte{1};
    EXPECT_FALSE(part_is_right(all.subspan(4000, 5000), 4000, 3));
    EXPECT_TRUE(part_is_right(all.subspan(4000, 4999), 4000, 3));
}

TEST(BlockPattern, CannotBeCompressedAndDiffersFromBlockToBlock) {
    std::array<double, 256> counts{};
    constexpr std::size_t blocks = 64;
    std::set<std::uint64_t> words;
    for (std::size_t index = 0; index < blocks; ++index) {
        const Block block = made(1, index);
        for (const std::byte byte : block) ++counts[static_cast<std::size_t>(byte)];
        for (std::size_t at = 32; at < pattern_bytes; at += 8) {
            std::uint64_t word = 0;
            std::memcpy(&word, block.data() + at, sizeof word);
            words.insert(word);
        }
    }
    double entropy = 0;
    for (const double count : counts) {
        const double share = count / (blocks * pattern_bytes);
        if (share > 0) entropy -= share * std::log2(share);
    }
    EXPECT_GT(entropy, 7.99);
    EXPECT_EQ(words.size(), blocks * (pattern_bytes - 32) / 8) << "a word that repeats could be deduplicated";
}

}  // namespace
}  // namespace assay::storage
