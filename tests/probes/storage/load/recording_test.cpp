// The recorder with the real load and a sampler of the test's own, whose times are known.

#include "probes/storage/load/recording.h"

#include <gtest/gtest.h>

#include "tests/probes/storage/load/load_fixture.h"

namespace assay::storage {
namespace {

TEST(Slices, AreATenthOfASecondAndBetween30And300) {
    EXPECT_DOUBLE_EQ(slice_of(10).count(), 0.1);
    EXPECT_DOUBLE_EQ(slice_of(3).count(), 0.1);
    EXPECT_DOUBLE_EQ(slice_of(1.5).count(), 0.05);
    EXPECT_DOUBLE_EQ(slice_of(0.3).count(), 0.01);
    EXPECT_DOUBLE_EQ(slice_of(0.1).count(), 0.01) << "never finer than that";
    EXPECT_DOUBLE_EQ(slice_of(60).count(), 0.2);
    EXPECT_DOUBLE_EQ(slice_of(86400).count(), 288);
}

class RecordingTest : public LoadFixture {
  protected:
    void SetUp() override {
        LoadFixture::SetUp();
        plan_.seconds = 0.5;
        context_.progress = [this](std::string_view, double share) {
            EXPECT_GE(share, 0);
            EXPECT_LE(share, 1);
            ++told_;
        };
        // Takes `warm_up` values and throws them away; what it keeps are the next of levels_, whatever the
        // load did.
        context_.sample = [this](const SamplingPolicy& policy, const std::function<double()>& take) {
            policies_.push_back(policy);
            SampleSet set;
            if (policy.maximum_warm_up.count() > 0) {
                for (; set.warm_up_samples < 3; ++set.warm_up_samples) take();
            }
            for (int i = 0; i < 10; ++i) {
                rates_.push_back(take());
                set.values.push_back(levels_.empty() ? rates_.back() : levels_[next_level_++]);
                set.at.push_back(0.05 * (i + 1));
            }
            return set;
        };
    }
    void add_window(double first, double last) {
        for (int i = 0; i < 10; ++i) levels_.push_back(first + (last - first) * i / 9);
    }

    SteadyClock clock_;
    Context context_{.clock = clock_};
    RecordingPlan plan_;
    std::vector<SamplingPolicy> policies_;
    std::vector<double> rates_;
    std::vector<double> levels_;
    std::size_t next_level_ = 0;
    int told_ = 0;
};

TEST_F(RecordingTest, LeavesTheWarmUpOutOfAllThatItKeeps) {
    const double cpu_before = process_cpu_seconds();
    const Recording recording = record(options_, plan_, context_);
    const double cpu_used = process_cpu_seconds() - cpu_before;
    ASSERT_EQ(recording.rates.values.size(), 10u);
    ASSERT_EQ(recording.slices.size(), 10u);
    ASSERT_EQ(recording.cpu_per_operation.size(), 10u);
    EXPECT_EQ(recording.rates.warm_up_samples, 3u);
    EXPECT_EQ(told_, 13);
    std::uint64_t measured = 0;
    double cpu_of_slices = 0;
    for (std::size_t i = 0; i < 10; ++i) {
        EXPECT_EQ(recording.slices[i].rate, recording.rates.values[i]) << "index for index the same slice";
        EXPECT_GT(recording.cpu_per_operation[i], 0);
        cpu_of_slices += recording.cpu_per_operation[i] * static_cast<double>(recording.slices[i].operations);
        measured += recording.slices[i].operations;
    }
    EXPECT_LE(cpu_of_slices, cpu_used) << "each slice's own, not what was used before it";
    EXPECT_GT(recording.verification.operations, measured);
    EXPECT_FALSE(recording.steady_state) << "readers do not wait for one";
    EXPECT_TRUE(recording.before.empty());
    ASSERT_EQ(policies_.size(), 1u);
    EXPECT_TRUE(policies_[0].fixed_time);
    EXPECT_DOUBLE_EQ(policies_[0].maximum_time.count(), 0.5);
}

TEST_F(RecordingTest, GoesOnWindowByWindowUntilOneIsSteady) {
    plan_.most_seconds = 5;
    options_.read_share = 0;
    add_window(300, 200);
    add_window(200, 150);
    add_window(101, 100);
    add_window(1, 1000);  // must not be asked for
    const Recording recording = record(options_, plan_, context_);
    ASSERT_EQ(policies_.size(), 3u);
    EXPECT_EQ(policies_[1].maximum_warm_up.count(), 0) << "a load that runs is warm";
    ASSERT_TRUE(recording.steady_state);
    EXPECT_TRUE(recording.steady_state->reached);
    EXPECT_TRUE(recording.rates.steady);
    EXPECT_EQ(recording.rates.warm_up_samples, 3u);
    EXPECT_DOUBLE_EQ(recording.rates.values.front(), 101);
    ASSERT_EQ(recording.slices.size(), 10u);
    for (std::size_t i = 0; i < 10; ++i) EXPECT_EQ(recording.slices[i].rate, rates_[20 + i]);
    // The way there: two windows of half a second, at negative times, in order.
    ASSERT_EQ(recording.before.size(), 20u);
    for (std::size_t i = 0; i < 20; ++i) {
        EXPECT_NEAR(recording.before[i].at, -1 + 0.05 * static_cast<double>(i + 1), 1e-9);
        EXPECT_DOUBLE_EQ(recording.before[i].value, levels_[i]);
    }
}

TEST_F(RecordingTest, SaysThatNoWindowWasSteadyInTime) {
    plan_.most_seconds = 1.2;  // two windows of half a second fit
    options_.read_share = 0;
    for (int window = 0; window < 4; ++window) add_window(300, 100);
    const Recording recording = record(options_, plan_, context_);
    EXPECT_EQ(policies_.size(), 2u);
    ASSERT_TRUE(recording.steady_state);
    EXPECT_FALSE(recording.steady_state->reached);
    EXPECT_FALSE(recording.rates.steady);
    // Five rounds of two samples each on a straight line from 300 to 100: their means fall from 289 to 111.
    EXPECT_NEAR(recording.steady_state->range, (300 - 100) * (8.0 / 9) / 200, 1e-9);
    EXPECT_NEAR(recording.steady_state->rise, recording.steady_state->range, 1e-9);
}

}  // namespace
}  // namespace assay::storage
