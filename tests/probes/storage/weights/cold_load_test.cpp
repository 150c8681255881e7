#include "probes/storage/weights/cold_load.h"

#include <fstream>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/core/os/page_cache.h"
#include "probes/storage/target/prepare.h"
#include "probes/storage/weights/load_evidence.h"
#include "tests/probes/storage/disk_folder.h"

namespace assay::storage {
namespace {

using testing::HasSubstr;

constexpr std::uint64_t mebibyte = 1 << 20;
constexpr LoadPath all_paths[] = {LoadPath::direct, LoadPath::buffered, LoadPath::mmap};

class ColdLoadTest : public DiskFolderTest {
  protected:
    Shard written(const std::string& name, std::uint64_t bytes, std::uint64_t seed) const {
        const std::filesystem::path path = folder_ / name;
        std::ofstream(path).flush();
        write_pattern(path, 0, bytes, seed, [](double) {});
        return {path, 0, bytes, seed};
    }
    /// Shards of sizes that no block divides.
    ColdLoadOptions two_shards() const {
        ColdLoadOptions options;
        options.shards = {written("a", 5 * mebibyte + 4096 + 77, 7), written("b", 2 * mebibyte, 8)};
        options.readers = 3;
        return options;
    }
    static void spoil_file(const Shard& shard, std::uint64_t offset, std::uint64_t bytes) {
        const os::FileDescriptor file = os::open_file(shard.path, O_WRONLY);
        const std::string rot(bytes, 'r');
        ASSERT_EQ(::pwrite(file.get(), rot.data(), bytes, static_cast<off_t>(offset)),
                  static_cast<ssize_t>(bytes));
        ASSERT_EQ(::fsync(file.get()), 0);
    }

    SteadyClock clock_;
};

TEST_F(ColdLoadTest, BringsEveryByteIntoMemoryByEveryPath) {
    ColdLoadOptions options = two_shards();
    const LoadMemory memory(options, 1 << 30);
    ASSERT_TRUE(memory.holds_all());
    for (const LoadPath path : all_paths) {
        SCOPED_TRACE(to_string(path));
        options.path = path;
        memory.spoil();
        EXPECT_EQ(find_wrong(options, memory), 0u) << "spoiled memory passes for a load";
        const ColdLoadResult result = load(options, memory, clock_);
        EXPECT_EQ(result.bytes, 7 * mebibyte + 4096 + 77);
        EXPECT_GT(result.seconds, 0);
        EXPECT_EQ(result.wrong_pieces, 0u);
        EXPECT_GE(result.checked_pieces, 8u) << "one of each block";
        EXPECT_EQ(find_wrong(options, memory), std::nullopt);
    }
}

TEST_F(ColdLoadTest, BuffersThatAreFilledAgainSeeEveryBlockToo) {
    ColdLoadOptions options = two_shards();
    options.block_bytes = 64 << 10;
    const LoadMemory memory(options, 1);
    ASSERT_FALSE(memory.holds_all());
    for (const LoadPath path : all_paths) {
        options.path = path;
        const ColdLoadResult result = load(options, memory, clock_);
        EXPECT_EQ(result.wrong_pieces, 0u) << to_string(path);
        EXPECT_GE(result.checked_pieces, 7 * 16u) << to_string(path);
    }
}

TEST_F(ColdLoadTest, OneWrongByteIsFoundByEveryPath) {
    ColdLoadOptions options = two_shards();
    spoil_file(options.shards[1], mebibyte + 8192 + 11, 1);
    const LoadMemory memory(options, 1 << 30);
    for (const LoadPath path : all_paths) {
        options.path = path;
        memory.spoil();
        make_cold(options.shards);
        load(options, memory, clock_);
        EXPECT_EQ(find_wrong(options, memory), options.shards[0].bytes + mebibyte + 8192) << to_string(path);
    }
}

TEST_F(ColdLoadTest, AWrongBlockIsFoundWhileLoading) {
    ColdLoadOptions options = two_shards();
    spoil_file(options.shards[0], mebibyte, mebibyte);
    const LoadMemory memory(options, 1);
    for (const LoadPath path : all_paths) {
        options.path = path;
        make_cold(options.shards);
        const ColdLoadResult result = load(options, memory, clock_);
        EXPECT_EQ(result.wrong_pieces, 1u) << to_string(path);
        ASSERT_TRUE(result.first_wrong);
        EXPECT_EQ(*result.first_wrong / mebibyte, 1u);
    }
}

TEST_F(ColdLoadTest, ContentThatIsNotOursIsComparedWithTheFileReadAgain) {
    ColdLoadOptions options = two_shards();
    for (Shard& shard : options.shards) shard.pattern_seed.reset();
    const LoadMemory memory(options, 1 << 30);
    const ColdLoadResult result = load(options, memory, clock_);
    EXPECT_EQ(result.pieces.size(), 8u) << "one of each block";
    EXPECT_EQ(result.checked_pieces, 0u);
    EXPECT_FALSE(find_different(options, result.pieces));
    spoil_file(options.shards[1], 0, 2 * mebibyte);
    const std::optional<Piece> different = find_different(options, result.pieces);
    ASSERT_TRUE(different);
    EXPECT_EQ(different->shard, 1u);
}

TEST_F(ColdLoadTest, RangesOfOneFileAreLoadedAsShards) {
    const Shard whole = written("whole", 8 * mebibyte, 3);
    ColdLoadOptions options;
    options.shards = {{whole.path, 0, 3 * mebibyte, 3}, {whole.path, 3 * mebibyte, 4 * mebibyte, 3}};
    options.readers = 2;
    const LoadMemory memory(options, 1 << 30);
    for (const LoadPath path : all_paths) {
        options.path = path;
        memory.spoil();
        load(options, memory, clock_);
        EXPECT_EQ(find_wrong(options, memory), std::nullopt) << to_string(path);
    }
}

TEST_F(ColdLoadTest, AFileThatEndsEarlyIsAnError) {
    ColdLoadOptions options = two_shards();
    options.shards[1].bytes += 2 * mebibyte;
    const LoadMemory memory(options, 1 << 30);
    try {
        load(options, memory, clock_);
        ADD_FAILURE() << "was loaded";
    } catch (const std::runtime_error& error) {
        EXPECT_THAT(error.what(), HasSubstr("ended at byte 2097152"));
    }
}

TEST_F(ColdLoadTest, ACacheThatIsColdAndOneThatIsKeptWarmAreToldApart) {
    const Shard shard = written("a", 4 * mebibyte, 7);
    const os::FileDescriptor file = os::open_file(shard.path, O_RDONLY);
    std::vector<char> memory(shard.bytes);
    ASSERT_EQ(::pread(file.get(), memory.data(), memory.size(), 0), static_cast<ssize_t>(memory.size()));
    EXPECT_EQ(os::resident_share(file), 1) << "what was just read is there";
    EXPECT_EQ(make_cold({shard}), 0);

    // A quarter of it is held by somebody: locked pages cannot be dropped.
    void* const held = ::mmap(nullptr, mebibyte, PROT_READ, MAP_SHARED, file.get(), 0);
    ASSERT_NE(held, MAP_FAILED);
    // Not mlock(), which the address sanitizer makes do nothing.
    const bool locked = ::syscall(SYS_mlock, held, mebibyte) == 0;
    const std::optional<double> stayed = make_cold({shard});
    ::munmap(held, mebibyte);
    if (!locked) GTEST_SKIP() << "this user may not lock memory";
    EXPECT_DOUBLE_EQ(stayed.value_or(-1), 0.25);

    LoadEvidence evidence;
    evidence.add_coldness(LoadPath::direct, 0, 0);
    EXPECT_TRUE(evidence.checks().front().passed);
    evidence.add_coldness(LoadPath::mmap, 1, stayed);
    evidence.add_coldness(LoadPath::direct, 2, 0);
    EXPECT_FALSE(evidence.checks().front().passed);
    EXPECT_EQ(evidence.checks().front().name, "the cache was cold");
    EXPECT_THAT(evidence.checks().front().detail, HasSubstr("25.00 % of a file"));
    EXPECT_THAT(evidence.checks().front().detail, HasSubstr("before load 2 by mmap"));
}

TEST(LoadEvidenceTest, OfACacheThatThisUserIsNotToldOfRestsOnTheCounters) {
    LoadEvidence evidence;
    evidence.add_coldness(LoadPath::direct, 0, std::nullopt);
    ASSERT_EQ(evidence.checks().front().name, "the cache was cold");
    EXPECT_FALSE(evidence.checks().front().passed);
    EXPECT_THAT(evidence.checks().front().detail,
                testing::AllOf(HasSubstr("only their owner"), testing::Not(HasSubstr("another process"))));
    EXPECT_TRUE(evidence.notes().empty());

    evidence.add_counters(LoadPath::direct, {{"reads reached the device", true, 0.0, "all"}});
    EXPECT_EQ(evidence.checks().front().name, "reads reached the device (direct)");
    ASSERT_EQ(evidence.notes().size(), 1u);
    EXPECT_THAT(evidence.notes().front(), HasSubstr("counters"));

    evidence.add_coldness(LoadPath::direct, 1, 0.5);  // another file's owner is this user
    EXPECT_EQ(evidence.checks().front().name, "the cache was cold");
    EXPECT_THAT(evidence.checks().front().detail, HasSubstr("50.00 % of a file"));
}

TEST(LoadEvidenceTest, KeepsTheWorstCounterOfEachPath) {
    LoadEvidence evidence;
    Check check{"reads reached the device", true, 0.0, "all"};
    evidence.add_counters(LoadPath::buffered, {check});
    evidence.add_counters(LoadPath::buffered, {{check.name, false, 0.5, "half"}});
    evidence.add_counters(LoadPath::buffered, {check});
    evidence.add_counters(LoadPath::mmap, {check});
    Outcome outcome;
    outcome.checks = evidence.checks();
    EXPECT_FALSE(find_check(outcome, "reads reached the device (buffered)")->passed);
    EXPECT_TRUE(find_check(outcome, "reads reached the device (mmap)")->passed);
    EXPECT_FALSE(outcome.checks.back().passed) << "nothing was compared";
}

}  // namespace
}  // namespace assay::storage
