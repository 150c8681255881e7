#include <map>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernels/matrix/ceiling.h"
#include "probes/core/probe.h"
#include "probes/gemm/gemm.h"

namespace assay {
namespace {

using testing::HasSubstr;

class GemmCeiling : public testing::Test {
  protected:
    Case make(std::map<std::string, std::string> given) { return make_case(probe_, given); }
    Outcome run(const Case& the_case) { return execute(probe_, the_case, context_); }

    SteadyClock clock_;
    Context context_{.clock = clock_,
                     .sample = [](const SamplingPolicy&, const std::function<double()>& take) {
                         SampleSet set;
                         set.values = {take(), take()};
                         set.at = {0, 1};
                         return set;
                     }};
    Probe probe_ = gemm_ceiling_probe();
};

TEST_F(GemmCeiling, MeasuresWhatThisCpuHasAndSkipsTheRest) {
    for (const char* precision : {"f64", "f32", "bf16", "f16", "int8"})
        for (const char* isa : {"portable", "neon", "avx2", "avx512", "amx"}) {
            if (!kernels::supports(kernels::isa_from_string(isa).value())) {
                EXPECT_THROW(probe_.check(make({{"isa", isa}}), context_), InputError);
                continue;
            }
            const Outcome outcome = run(make({{"precision", precision}, {"isa", isa}, {"threads", "1"}}));
            if (kernels::CeilingLoop::best(kernels::precision_from_string(precision).value(),
                                           kernels::isa_from_string(isa).value())) {
                ASSERT_EQ(outcome.status, Status::measured) << outcome.reason;
                EXPECT_EQ(outcome.resolved.at("isa"), isa);
                EXPECT_EQ(outcome.resolved.at("arithmetic"), precision);
                EXPECT_TRUE(outcome.checks.at(0).passed);
                EXPECT_GT(outcome.metrics.at(0).value, 0);
            } else {
                EXPECT_EQ(outcome.status, Status::skipped);
                EXPECT_THAT(outcome.reason, HasSubstr(precision));
            }
        }
}

TEST_F(GemmCeiling, OfAllSetsThoseThatHaveTheInstructionHaveAFigureEach) {
    for (const char* precision : {"f64", "f32", "bf16", "f16", "int8"}) {
        const kernels::Precision parsed = kernels::precision_from_string(precision).value();
        std::map<std::string, std::string> expected;  // instructions by sets
        for (const kernels::Isa isa : {kernels::Isa::neon, kernels::Isa::avx2, kernels::Isa::avx512,
                                       kernels::Isa::amx, kernels::Isa::portable})
            if (const auto loop = kernels::CeilingLoop::best(parsed, isa);
                loop && (isa != kernels::Isa::portable || expected.empty()))
                expected[std::string(kernels::to_string(isa))] = loop->instruction();
        const Case the_case = make({{"precision", precision}, {"isa", "all"}, {"threads", "1"}});
        EXPECT_NO_THROW(probe_.check(the_case, context_));
        const Outcome outcome = run(the_case);
        if (expected.empty()) {
            EXPECT_EQ(outcome.status, Status::skipped);
            EXPECT_THAT(outcome.reason, HasSubstr("this CPU has no instruction"));
            continue;
        }
        ASSERT_EQ(outcome.status, Status::measured) << outcome.reason;
        std::map<std::string, std::string> measured;
        for (const Metric& metric : outcome.metrics) {
            const std::string& isa = metric.labels.at("isa");
            measured[isa] = outcome.resolved.at("instruction_" + isa);
            EXPECT_GT(metric.value, 0);
        }
        EXPECT_EQ(measured, expected) << precision;
        EXPECT_EQ(outcome.metrics.size(), expected.size());
        EXPECT_EQ(outcome.checks.size(), expected.size());
        EXPECT_FALSE(outcome.resolved.contains("isa"));
        EXPECT_GE(probe_.estimate(the_case, context_).seconds,
                  static_cast<double>(expected.size()) * context_.sampling.maximum_time.count());
    }
}

TEST_F(GemmCeiling, CountsWhatTheLoopCounts) {
    class SteppingClock final : public Clock {
      public:
        Nanoseconds now() override { return now_ += std::chrono::milliseconds(10); }
        void sleep_until(Nanoseconds) override {}

      private:
        Nanoseconds now_{0};
    } clock;
    Context context{.clock = clock, .sample = context_.sample};
    const Outcome outcome = execute(probe_, make({{"isa", "portable"}, {"threads", "1"}}), context);
    ASSERT_EQ(outcome.status, Status::measured) << outcome.reason;
    // The trial's thousand loops took 10 ms, so 500 are a sample, which takes another 10 ms of this clock.
    const double operations =
        kernels::CeilingLoop::best(kernels::Precision::f32, kernels::Isa::portable)->operations();
    EXPECT_NEAR(outcome.metrics.at(0).value, 500 * operations / 0.01, 0.01 * 500 * operations / 0.01);
}

}  // namespace
}  // namespace assay
