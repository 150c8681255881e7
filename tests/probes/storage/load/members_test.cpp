#include "probes/storage/load/members.h"

#include <gtest/gtest.h>

namespace assay::storage {
namespace {

LoadSlice slice(double seconds, std::vector<double> rates) {
    LoadSlice made;
    made.seconds = seconds;
    made.target_rates = std::move(rates);
    return made;
}

TEST(SharedWork, IsWhatTheSlowestTargetDid) {
    // 100/s and 50/s for two seconds: the slowest did 100, which took the fastest one second.
    const SharedWork work = shared_work({slice(1, {100, 50}), slice(1, {100, 50})});
    EXPECT_DOUBLE_EQ(work.operations, 100);
    EXPECT_DOUBLE_EQ(work.first_done, 1);
    EXPECT_DOUBLE_EQ(work.last_done, 2);
}

TEST(SharedWork, LiesWithinASliceInProportion) {
    // A: 10 in 0.5 s, then 30 in 1.5 s. B: 30, then none. The least is 30: A at 2.0 s, B at 0.5 s.
    const SharedWork work = shared_work({slice(0.5, {20, 60}), slice(1.5, {20, 0})});
    EXPECT_DOUBLE_EQ(work.operations, 30);
    EXPECT_DOUBLE_EQ(work.first_done, 0.5);
    EXPECT_DOUBLE_EQ(work.last_done, 1.5);
}

TEST(SharedWork, OfEqualTargetsIsDoneAtTheSameTime) {
    const SharedWork work = shared_work({slice(1, {70, 70, 70}), slice(2, {35, 35, 35})});
    EXPECT_DOUBLE_EQ(work.operations, 140);
    EXPECT_DOUBLE_EQ(work.first_done, 3);
    EXPECT_DOUBLE_EQ(work.last_done, 3);
}

TEST(SharedWork, OfNothingIsNothing) {
    EXPECT_EQ(shared_work({}).operations, 0);
    EXPECT_EQ(shared_work({}).last_done, 0);
    const SharedWork idle = shared_work({slice(1, {0, 10})});
    EXPECT_EQ(idle.operations, 0);
    EXPECT_LE(idle.first_done, idle.last_done);
}

TEST(MemberRates, AreEachTargetsOwnWithItsName) {
    LoadOptions options;
    options.targets.resize(2);
    options.targets[0].name = "/data/a";
    options.targets[1].name = "/data/b";
    Recording recording;
    recording.slices = {slice(1, {100, 50}), slice(1, {110, 40}), slice(1, {90, 60})};
    recording.rates.values = {150, 150, 150};
    recording.rates.at = {1, 2, 3};
    Outcome outcome;
    const MetricDeclaration declaration = {
        "storage.random_read.member_iops", Unit::operation_per_second, Direction::higher, "", {"member"}};
    add_member_rates(declaration, options, recording, 2, outcome);
    ASSERT_EQ(outcome.metrics.size(), 2u);
    EXPECT_EQ(outcome.metrics[0].labels.at("member"), "/data/a");
    EXPECT_EQ(outcome.metrics[0].samples, (std::vector<double>{200, 220, 180}));
    EXPECT_EQ(outcome.metrics[1].labels.at("member"), "/data/b");
    EXPECT_EQ(outcome.metrics[1].samples, (std::vector<double>{100, 80, 120}));
}

}  // namespace
}  // namespace assay::storage
