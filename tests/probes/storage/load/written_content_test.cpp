// Faults planted in what a load wrote, before it is read back.

#include <cstring>
#include <set>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/storage/load/written_blocks.h"
#include "tests/probes/storage/load/load_fixture.h"

namespace assay::storage {
namespace {

class WrittenContentTest : public LoadFixture {
  protected:
    static constexpr std::uint64_t blocks = 64;

    void SetUp() override {
        LoadFixture::SetUp();
        options_.read_share = 0;
        options_.targets[0].span_bytes = blocks * pattern_bytes;
    }
    /// Writes until every block must have been written, and ends without reading back.
    std::unique_ptr<Load> written() {
        std::unique_ptr<Load> load = std::make_unique<Load>(options_);
        EXPECT_GE(count_at_least(*load, 40 * blocks), 40 * blocks);
        load->end();
        return load;
    }
    static std::uint64_t generation_on(const std::vector<std::byte>& block) {
        return generation_of(std::span(block).first<pattern_bytes>());
    }
    static std::vector<std::byte> old_content(std::uint64_t index, std::uint64_t generation = 0) {
        std::vector<std::byte> block(pattern_bytes);
        fill_block(std::span(block).first<pattern_bytes>(), 1, index, generation);
        return block;
    }
};

TEST_F(WrittenContentTest, IsRightWhereNothingHappenedToIt) {
    for (const EngineKind engine : {EngineKind::libaio, EngineKind::io_uring}) {
        options_.engine = engine;
        const std::unique_ptr<Load> load = written();
        const Verification verification = load->stop();
        EXPECT_EQ(verification.wrong, 0u);
        EXPECT_GE(verification.verified, blocks / 2) << "nearly all of so few blocks are read back";
        EXPECT_EQ(verification.read_bytes, 0u);
        EXPECT_EQ(verification.written_bytes, verification.operations * pattern_bytes);
        std::set<std::uint64_t> generations;
        for (std::uint64_t block = 0; block < blocks; ++block) {
            const std::vector<std::byte> content = on_disk(block);
            EXPECT_EQ(check_block(std::span(content).first<pattern_bytes>(), block), BlockState::right);
            generations.insert(generation_on(content));
        }
        EXPECT_FALSE(generations.contains(0)) << "a block was never written";
        EXPECT_EQ(generations.size(), blocks) << "no two writes have the same generation";
    }
    // Nothing behind the span was touched.
    EXPECT_EQ(on_disk(blocks), old_content(blocks));
}

TEST_F(WrittenContentTest, ThatIsOlderThanTheLastWriteIsFound) {
    const std::unique_ptr<Load> load = written();
    put_on_disk(11, old_content(11));
    put_on_disk(50, old_content(50, generation_on(on_disk(50)) - 2));
    const Verification verification = load->stop();
    EXPECT_EQ(verification.wrong, 2u) << "a lost write looks right in itself";
    EXPECT_EQ(verification.first_wrong_offset, 11 * pattern_bytes);
    EXPECT_EQ(verification.first_wrong_target, "the file");
}

TEST_F(WrittenContentTest, ThatWentToAnotherPlaceIsFound) {
    const std::unique_ptr<Load> load = written();
    put_on_disk(20, on_disk(21));
    const Verification verification = load->stop();
    EXPECT_EQ(verification.wrong, 1u);
    EXPECT_EQ(verification.first_wrong_offset, 20 * pattern_bytes);
}

TEST_F(WrittenContentTest, OfAnotherSeedIsFound) {
    const std::unique_ptr<Load> load = written();
    std::vector<std::byte> block(pattern_bytes);
    fill_block(std::span(block).first<pattern_bytes>(), 2, 30, generation_on(on_disk(30)));
    put_on_disk(30, block);
    EXPECT_EQ(load->stop().wrong, 1u) << "whole, in its place and of the right generation";
}

TEST_F(WrittenContentTest, WithASingleWrongByteIsFound) {
    const std::unique_ptr<Load> load = written();
    std::vector<std::byte> block = on_disk(33);
    block[3000] ^= std::byte{4};
    put_on_disk(33, block);
    EXPECT_EQ(load->stop().wrong, 1u);
}

TEST_F(WrittenContentTest, OfSeveralPatternsIsComparedWhole) {
    options_.block_bytes = 4 * pattern_bytes;
    const std::unique_ptr<Load> load = written();
    put_on_disk(18, old_content(18));  // the third of the fifth block
    const Verification verification = load->stop();
    EXPECT_EQ(verification.wrong, 1u);
    EXPECT_EQ(verification.first_wrong_offset, 16 * pattern_bytes);
}

TEST_F(WrittenContentTest, StaysRightWhereAsManyWritesAreInFlightAsThereAreBlocks) {
    options_.targets[0].span_bytes = 8 * pattern_bytes;  // two jobs of four in flight
    Load load(options_);
    count_at_least(load, 20000);
    const Verification verification = load.stop();
    EXPECT_EQ(verification.wrong, 0u);
}

TEST_F(WrittenContentTest, IsReadBackRightWhileOtherBlocksAreWritten) {
    options_.read_share = 0.5;
    Load load(options_);
    count_at_least(load, 20000);
    const Verification verification = load.stop();
    EXPECT_EQ(verification.wrong, 0u);
    EXPECT_GT(verification.verified, 10u);
    EXPECT_GT(verification.read_bytes, 0u);
}

TEST_F(WrittenContentTest, ThatRottedIsFoundByReadingInAMix) {
    // One block, all but never written.
    options_.jobs = 1;
    options_.queue_depth = 1;
    options_.read_share = 0.999999;
    options_.targets[0].span_bytes = pattern_bytes;
    put_on_disk(0, std::vector<std::byte>(pattern_bytes, std::byte{7}));
    Load load(options_);
    count_at_least(load, 2000);
    load.end();
    EXPECT_GT(load.stop().wrong, 0u);
}

TEST(WrittenBlocks, DoNotLetTwoWritesOfABlockBeInFlight) {
    WrittenBlocks written({100, 110});
    EXPECT_TRUE(written.begin(103, 7));
    EXPECT_FALSE(written.begin(103, 8));
    EXPECT_TRUE(written.begin(104, 9));
    EXPECT_TRUE(written.all().empty()) << "what is in flight is not known to be there";
    written.end(103);
    ASSERT_EQ(written.all().size(), 1u);
    EXPECT_EQ(written.all()[0].block, 103u);
    EXPECT_EQ(written.all()[0].generation, 7u);
    EXPECT_TRUE(written.begin(103, 10));
    written.end(103);
    written.end(104);
    ASSERT_EQ(written.all().size(), 2u);
    EXPECT_EQ(written.all()[0].generation, 10u);
    EXPECT_EQ(written.all()[1].block, 104u);
}

TEST(WrittenBlocks, KeepAnEvenlySpreadFewOfMany) {
    const BlockRange range{5, 5 + 3'000'000};
    WrittenBlocks written(range);
    for (std::uint64_t block = range.first; block < range.end; ++block) {
        ASSERT_TRUE(written.begin(block, block + 1));
        written.end(block);
    }
    const std::vector<WrittenBlocks::Written> all = written.all();
    EXPECT_LE(all.size(), WrittenBlocks::most_kept + 1);
    EXPECT_GE(all.size(), WrittenBlocks::most_kept / 2);
    const std::uint64_t step = all[1].block - all[0].block;
    for (std::size_t i = 0; i < all.size(); ++i) {
        EXPECT_EQ(all[i].block, range.first + i * step);
        EXPECT_EQ(all[i].generation, all[i].block + 1);
    }
    EXPECT_GE(all.back().block + step, range.end) << "to the end of the range";
}

}  // namespace
}  // namespace assay::storage
