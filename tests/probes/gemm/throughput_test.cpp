#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernels/cpu/thread_team.h"
#include "probes/core/probe.h"
#include "probes/gemm/gemm.h"

namespace assay {
namespace {

using testing::HasSubstr;

/// Takes so many samples, whatever the clock says.
std::function<SampleSet(const SamplingPolicy&, const std::function<double()>&)> samples(int count) {
    return [count](const SamplingPolicy&, const std::function<double()>& take) {
        SampleSet set;
        for (int i = 0; i < count; ++i) {
            set.values.push_back(take());
            set.at.push_back(i);
        }
        return set;
    };
}

class GemmThroughput : public testing::Test {
  protected:
    Case make(std::map<std::string, std::string> given) { return make_case(probe_, given); }
    Outcome run(const Case& the_case) { return execute(probe_, the_case, context_); }

    SteadyClock clock_;
    Context context_{.clock = clock_, .sample = samples(5)};
    Probe probe_ = gemm_throughput_probe();
};

TEST_F(GemmThroughput, MeasuresAndChecksOddShapesInBothPrecisions) {
    for (const char* precision : {"f32", "f64"}) {
        const Outcome outcome = run(make({{"precision", precision}, {"m", "37"}, {"n", "53"}, {"k", "29"}}));
        ASSERT_EQ(outcome.status, Status::measured) << outcome.reason;
        ASSERT_EQ(outcome.metrics.size(), 1u);
        EXPECT_EQ(outcome.metrics[0].name, "gemm.throughput");
        EXPECT_EQ(outcome.metrics[0].unit, Unit::flop_per_second);
        EXPECT_GT(outcome.metrics[0].value, 0);
        EXPECT_EQ(outcome.metrics[0].labels.at("precision"), precision);
        ASSERT_EQ(outcome.checks.size(), 1u);
        EXPECT_TRUE(outcome.checks[0].passed);
        EXPECT_LE(outcome.checks[0].error.value(), 30 * 6e-8);
        EXPECT_FALSE(outcome.resolved.at("core").empty());
    }
}

TEST_F(GemmThroughput, OneRowAndOneColumnAreMatricesToo) {
    EXPECT_EQ(run(make({{"m", "1"}, {"n", "1"}, {"k", "1"}})).status, Status::measured);
}

TEST_F(GemmThroughput, CountsTwoOperationsAProduct) {
    class SteppingClock final : public Clock {
      public:
        Nanoseconds now() override { return now_ += std::chrono::milliseconds(10); }
        void sleep_until(Nanoseconds) override {}

      private:
        Nanoseconds now_{0};
    } clock;
    Context context{.clock = clock, .sample = samples(5)};
    const Outcome outcome = execute(probe_, make({{"m", "10"}, {"n", "20"}, {"k", "30"}}), context);
    ASSERT_EQ(outcome.status, Status::measured) << outcome.reason;
    // One product every 10 ms of this clock.
    EXPECT_DOUBLE_EQ(outcome.metrics[0].value, 2.0 * 10 * 20 * 30 / 0.01);
}

TEST_F(GemmThroughput, RefusesWhatItCannotDo) {
    EXPECT_THROW(make({{"precision", "bf16"}}), InputError);
    EXPECT_THROW(make({{"n", "0"}}), InputError);
    EXPECT_THROW(make({{"implementation", "mkl"}}), InputError);
    const std::string too_many = std::to_string(kernels::allowed_cpus() + 1);
    try {
        probe_.check(make({{"threads", too_many}}), context_);
        FAIL() << "accepted " << too_many << " threads";
    } catch (const InputError& error) {
        EXPECT_THAT(error.what(), HasSubstr("gemm.throughput.threads"));
        EXPECT_THAT(error.what(), HasSubstr("accepted: 1 to"));
    }
    EXPECT_THROW(probe_.check(make({{"m", "131072"}, {"n", "131072"}, {"k", "131072"}}), context_),
                 InputError);
}

TEST_F(GemmThroughput, SkipsDevicesAndCoresThatAreNotThere) {
    const Outcome device = run(make({{"device", "cuda:0"}}));
    EXPECT_EQ(device.status, Status::skipped);
    EXPECT_THAT(device.reason, HasSubstr("cuda"));
    const Outcome core = run(make({{"core", "NoSuchProcessor"}, {"m", "8"}, {"n", "8"}, {"k", "8"}}));
    EXPECT_EQ(core.status, Status::skipped);
    EXPECT_FALSE(core.reason.empty());
}

TEST_F(GemmThroughput, EstimatesItsMemory) {
    EXPECT_EQ(probe_.estimate(make({{"m", "10"}, {"n", "20"}, {"k", "30"}}), context_).memory_bytes,
              4u * (300 + 600 + 200));
    EXPECT_EQ(probe_.estimate(make({{"m", "10"}, {"n", "20"}, {"k", "30"}, {"precision", "f64"}}), context_)
                  .memory_bytes,
              8u * (300 + 600 + 200));
}

}  // namespace
}  // namespace assay
