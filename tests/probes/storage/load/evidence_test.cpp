#include "probes/storage/load/evidence.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace assay::storage {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct Judged {
    std::vector<Check> checks;
    std::vector<std::string> notes;
};

Judged judge(const CountedTransfers& counted, std::uint64_t read_bytes, std::uint64_t written_bytes = 0) {
    Judged judged;
    judged.checks = transfer_checks(counted, read_bytes, written_bytes, judged.notes);
    return judged;
}

CountedTransfers on_disk(std::uint64_t read_bytes, std::uint64_t written_bytes) {
    CountedTransfers counted{.devices = "vda"};
    counted.by_devices.emplace();
    counted.by_devices->read_bytes = read_bytes;
    counted.by_devices->written_bytes = written_bytes;
    counted.by_process = read_bytes + written_bytes;
    return counted;
}

TEST(TransferChecks, PassWhereDeviceAndBlockLayerMovedWhatIsClaimed) {
    const Judged judged = judge(on_disk(1000, 500), 1000, 500);
    ASSERT_EQ(judged.checks.size(), 3u);
    for (const Check& check : judged.checks) EXPECT_TRUE(check.passed) << check.detail;
    EXPECT_THAT(judged.notes, IsEmpty());
    EXPECT_EQ(judge(on_disk(1000, 0), 1000).checks.size(), 2u) << "nothing is claimed to be written";
}

TEST(TransferChecks, FailWhereAFifthCameFromACache) {
    for (const Check& check : judge(on_disk(800, 0), 1000).checks) {
        EXPECT_FALSE(check.passed);
        EXPECT_NEAR(check.error.value_or(0), 0.2, 1e-9);
        EXPECT_THAT(check.detail, AllOf(HasSubstr("800 bytes for our 1000"), HasSubstr("cache")));
    }
    EXPECT_FALSE(judge(on_disk(1000, 400), 1000, 500).checks[1].passed);
}

TEST(TransferChecks, OfAFileSystemWithoutADeviceGoByTheProcessAlone) {
    CountedTransfers counted;
    counted.by_process = 0;
    const Judged cached = judge(counted, 1000);
    ASSERT_EQ(cached.checks.size(), 1u);
    EXPECT_FALSE(cached.checks[0].passed) << "an overlay, which counts";
    EXPECT_THAT(cached.notes, ElementsAre(HasSubstr("no device counter")));
    counted.by_process.reset();
    EXPECT_THAT(judge(counted, 1000).checks, IsEmpty());
}

TEST(TransferChecks, OfANetworkFileSystemThatCountsNothingAreANoteAndNoFailure) {
    CountedTransfers counted;
    counted.may_be_uncounted = true;
    for (const std::uint64_t moved : {0ULL, 900ULL}) {
        counted.by_process = moved;
        const Judged judged = judge(counted, 1000);
        EXPECT_THAT(judged.checks, IsEmpty());
        EXPECT_THAT(judged.notes, ElementsAre(HasSubstr("no device counter"),
                                              AllOf(HasSubstr("of our 1000"), HasSubstr("cannot be told"))));
    }
    counted.by_process = 1000;  // as NFS does
    const Judged counts = judge(counted, 1000);
    ASSERT_EQ(counts.checks.size(), 1u);
    EXPECT_TRUE(counts.checks[0].passed);
    EXPECT_EQ(counts.notes.size(), 1u);
}

TEST(TransferCountersTest, AreLenientOnlyOfATargetWithoutADeviceThatLiesOverANetwork) {
    Target overlay;
    Target ceph;
    ceph.file_system.over_network = true;
    const auto judged = [](const std::vector<Target>& targets) {
        std::vector<std::string> notes;
        return TransferCounters(targets).checks(1ULL << 50, 0, notes);  // far more than was moved meanwhile
    };
    EXPECT_THAT(judged({ceph}), IsEmpty());
    EXPECT_THAT(judged({overlay, ceph}), IsEmpty());
    ASSERT_EQ(judged({overlay}).size(), 1u);
    EXPECT_FALSE(judged({overlay})[0].passed);
    ceph.leaves.emplace_back();
    EXPECT_EQ(judged({ceph}).size(), 1u) << "a file system over a network on a device of this machine";
}

}  // namespace
}  // namespace assay::storage
