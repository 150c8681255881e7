// verify=all: what add_verify_pass finds in a file, and what a case makes of it.

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/storage/load/load_case.h"
#include "tests/probes/storage/load/load_fixture.h"
#include "tests/probes/storage/storage_fixture.h"

namespace assay::storage {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class VerifyPassTest : public LoadFixture {
  protected:
    /// Of the file, as written from `seed`.
    Check verified(std::uint64_t seed = 1) {
        LoadCase ready;
        ready.targets.resize(1);
        ready.spans = {file_bytes};
        ready.prepared.resize(1);
        ready.prepared[0].path = os::path_of(file_);
        ready.prepared[0].pattern_seed = seed;
        Outcome outcome;
        add_verify_pass(ready, context_, outcome);
        EXPECT_EQ(outcome.checks.size(), 1u);
        return outcome.checks.empty() ? Check{} : outcome.checks.front();
    }
    void put_block_of(std::uint64_t seed, std::uint64_t at) {
        std::vector<std::byte> block(pattern_bytes);
        fill_block(std::span(block).first<pattern_bytes>(), seed, at);
        put_on_disk(at, block);
    }
    SteadyClock clock_;
    Context context_{.clock = clock_, .progress = [](std::string_view, double) {}};
};

TEST_F(VerifyPassTest, FindsNothingInAFileThatIsWhole) {
    EXPECT_TRUE(verified().passed);
    EXPECT_THAT(verified().detail, HasSubstr("4194304 bytes read back, each block's offset, seed"));
}

TEST_F(VerifyPassTest, FindsTheOneByteThatIsWrong) {
    for (const std::uint64_t at : {std::uint64_t{0}, std::uint64_t{700}, file_bytes / pattern_bytes - 1}) {
        const std::vector<std::byte> whole = on_disk(at);
        std::vector<std::byte> flipped = whole;
        flipped[1234] ^= std::byte{1};
        put_on_disk(at, flipped);
        const Check check = verified();
        EXPECT_FALSE(check.passed);
        EXPECT_THAT(check.detail,
                    AllOf(HasSubstr("1 of 1024 blocks"), HasSubstr("block " + std::to_string(at) + " (byte "),
                          HasSubstr("is corrupted")));
        put_on_disk(at, whole);
    }
    EXPECT_TRUE(verified().passed);
}

TEST_F(VerifyPassTest, FindsABlockOfAnotherSeed) {
    put_block_of(2, 300);
    const Check check = verified();
    EXPECT_FALSE(check.passed);
    EXPECT_THAT(check.detail, AllOf(HasSubstr("1 of 1024 blocks"),
                                    HasSubstr("block 300 (byte 1228800) is of another seed")));
    EXPECT_THAT(verified(2).detail, HasSubstr("1023 of 1024 blocks"));
}

TEST_F(VerifyPassTest, OfASampleKnowsTheSeedToo) {
    EXPECT_EQ(sample_pattern(os::path_of(file_), file_bytes, 64, 1, 1), "");
    EXPECT_THAT(sample_pattern(os::path_of(file_), file_bytes, 64, 1, 2), HasSubstr("another seed"));
    EXPECT_EQ(sample_pattern(os::path_of(file_), file_bytes, 64, 1), "") << "any seed will do";
}

/// A whole case, on a shared file whose content is known to the test.
class VerifyAllTest : public test::StorageFixture {
  protected:
    void SetUp() override {
        StorageFixture::SetUp();
        shared_ = os::make_nameless_file(folder_);
        context_.scratch = os::path_of(shared_);
    }
    os::FileDescriptor shared_;
};

TEST_F(VerifyAllTest, FailsForAByteThatRottedAfterTheMeasurement) {
    bool rotted = false;
    context_.progress = [&](std::string_view stage, double) {
        if (stage != "verifying" || rotted) return;  // told after each mebibyte
        rotted = true;
        EXPECT_EQ(::pwrite(shared_.get(), "x", 1, (8 << 20) + 2000), 1);
        EXPECT_EQ(::fsync(shared_.get()), 0);
    };
    const Outcome found = run({{"verify", "all"}});
    EXPECT_EQ(found.status, Status::failed);
    EXPECT_THAT(found.reason, HasSubstr("1 of 4096 blocks are wrong; block 2048"));
    const Outcome sampled = run({});
    EXPECT_EQ(find_check(sampled, "every block of the span"), nullptr) << "only where it is asked for";
}

TEST_F(VerifyAllTest, PassesOnAFileThatAnEarlierRunMadeFromAnotherSeed) {
    write_pattern(context_.scratch, 0, 16 << 20, 77, [](double) {});
    for (const Probe& probe : {storage_random_read_probe(), storage_random_write_probe()}) {
        probe_ = probe;
        const Outcome outcome = run({{"verify", "all"}});
        ASSERT_EQ(outcome.status, Status::measured) << outcome.reason;
        EXPECT_THAT(outcome.resolved.at("preparation"), HasSubstr("found"));
        ASSERT_NE(find_check(outcome, "every block of the span"), nullptr);
        EXPECT_TRUE(find_check(outcome, "every block of the span")->passed);
    }
    const Outcome longer = run({{"verify", "all"}, {"size", "18M"}});
    EXPECT_EQ(longer.status, Status::measured) << longer.reason;
    EXPECT_THAT(longer.resolved.at("preparation"), HasSubstr("completed by"));
}

TEST_F(VerifyAllTest, WritesAFileAnewInWhichTwoSeedsAreMixed) {
    write_pattern(context_.scratch, 0, 16 << 20, 77, [](double) {});
    write_pattern(context_.scratch, 0, 4 << 20, 78, [](double) {});  // a run that was ended in the middle
    const Outcome outcome = run({{"verify", "all"}});
    EXPECT_EQ(outcome.status, Status::measured) << outcome.reason;
    EXPECT_THAT(outcome.resolved.at("preparation"), HasSubstr("written in full"));
}

}  // namespace
}  // namespace assay::storage
