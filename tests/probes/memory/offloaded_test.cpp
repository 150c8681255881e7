#include <memory>
#include <stdexcept>
#include <string>
#include <variant>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/core/probe.h"
#include "probes/memory/memory.h"
#include "tests/fake_cuda/fake_cuda.h"
#include "tests/kernels/faulty_accelerator.h"
#include "tests/kernels/pocl.h"

namespace assay {
namespace {

using testing::Contains;
using testing::HasSubstr;

class OffloadedBandwidth : public testing::Test {
  protected:
    Outcome run(std::map<std::string, std::string> given, Device* device = nullptr) {
        given.insert({{"device", "opencl:0"}, {"bytes", "128K"}});
        const Case the_case = make_case(probe_, given);
        probe_.check(the_case, context_);
        Context context = context_;
        context.device = device;
        return execute(probe_, the_case, context);
    }

    SteadyClock clock_;
    Context context_{.clock = clock_,
                     .sampling = {.maximum_time = Seconds(0.02), .maximum_warm_up = Seconds(0)}};
    Probe probe_ = memory_bandwidth_probe();
};

TEST_F(OffloadedBandwidth, OfEveryKernelIsTwoFiguresAndACheck) {
    const Outcome outcome = run({});
    ASSERT_EQ(outcome.status, Status::measured) << outcome.reason;
    EXPECT_EQ(outcome.metrics.size(), 12u);
    EXPECT_EQ(outcome.checks.size(), 6u);
    for (const Metric& metric : outcome.metrics) {
        EXPECT_GT(metric.value, 0) << metric.name;
        EXPECT_EQ(metric.labels.at("device"), "opencl:0");
        EXPECT_TRUE(metric.labels.contains("kernel"));
        EXPECT_FALSE(metric.limit);
    }
}

TEST_F(OffloadedBandwidth, TakesArraysThatEveryPatternDivides) {
    const Outcome outcome = run({{"kernel", "copy"}, {"bytes", "100000"}});
    ASSERT_EQ(outcome.status, Status::measured) << outcome.reason;
    EXPECT_EQ(outcome.resolved.at("bytes"), "131072");
    EXPECT_EQ(outcome.resolved.at("arrays"), "2");
}

TEST_F(OffloadedBandwidth, OfAKnownCardIsHeldAgainstItsDatasheet) {
    AcceleratorFacts facts;
    facts.product = "Made Card";
    facts.vendor = "made";
    facts.match = {"Made"};
    facts.memory_bandwidth = 4e12;
    context_.accelerator_facts = {&facts, 1};
    FaultyAccelerator card(open_pocl(), {});
    card.described().name = "Made Card";
    card.described().kind = "gpu";
    const Outcome outcome = run({{"kernel", "read"}}, &card);
    ASSERT_EQ(outcome.status, Status::measured) << outcome.reason;
    ASSERT_TRUE(outcome.metrics.at(0).limit);
    EXPECT_EQ(outcome.metrics[0].limit->value, 4e12);
}

TEST_F(OffloadedBandwidth, WrongOrMissingResultsLossAndLackOfMemoryAreFailures) {
    FaultyAccelerator idle(open_pocl(), {.launch_not_made = 2});
    EXPECT_THAT(run({{"kernel", "copy"}}, &idle).reason, HasSubstr("copy result is exact"));
    FaultyAccelerator wrong(open_pocl(), {.wrong_byte_at = 70'000, .wrong_bits = 0x80});
    EXPECT_THAT(run({{"kernel", "triad"}}, &wrong).reason, HasSubstr("triad result is exact"));
    FaultyAccelerator lost(open_pocl(), {.lost_at_launch = 5});
    EXPECT_THAT(run({}, &lost).reason, HasSubstr("the device is lost"));
    FaultyAccelerator small(open_pocl(), {.out_of_memory_at_allocate = 2});
    EXPECT_THAT(run({}, &small).reason, HasSubstr("no memory"));
}

TEST_F(OffloadedBandwidth, ArraysBeyondTheMemoryAreSkippedWithTheArithmetic) {
    FaultyAccelerator small(open_pocl(), {});
    small.described().memory_bytes = 300'000;
    small.described().kind = "gpu";
    const Outcome outcome = run({}, &small);
    EXPECT_EQ(outcome.status, Status::skipped);
    EXPECT_THAT(
        outcome.reason,
        HasSubstr("3 arrays of 131072 bytes each take 17170432 bytes (16.4 MiB), sums included, of "));
}

TEST_F(OffloadedBandwidth, OneArrayIsNotSpokenOfAsSeveral) {
    FaultyAccelerator small(open_pocl(), {});
    small.described().memory_bytes = 300'000;
    small.described().kind = "gpu";
    EXPECT_EQ(
        run({{"kernel", "write"}, {"bytes", "1M"}}, &small).reason,
        "1 array of 1048576 bytes (1 MiB) takes 17825792 bytes (17 MiB), sums included, of opencl:0, of "
        "which 300000 bytes may be used");
}

TEST_F(OffloadedBandwidth, ArraysBesideOthersAreOfWhatTheyLeaveOrSkippedWithTheArithmetic) {
    const std::uint64_t mib = 1 << 20;
    const auto with_free = [&](std::uint64_t free, const char* bytes) {
        const fake_cuda::Fresh driver(
            std::vector<fake_cuda::Card>{{.memory_bytes = 64 * mib, .used_by_others = 64 * mib - free}});
        return run({{"device", "cuda:0"}, {"kernel", "copy"}, {"bytes", bytes}});
    };
    const Outcome asked = with_free(24 * mib, "16M");
    EXPECT_EQ(asked.status, Status::skipped);
    EXPECT_EQ(asked.reason,
              "2 arrays of 16777216 bytes (16 MiB) each take 50331648 bytes (48 MiB), sums included, of "
              "cuda:0, of which "
              "67108864 bytes (64 MiB) may be used and 25165824 bytes (24 MiB) are free now");
    const Outcome chosen = with_free(24 * mib, "auto");
    ASSERT_EQ(chosen.status, Status::measured) << chosen.reason;
    EXPECT_EQ(chosen.resolved.at("bytes"), "3145728") << "an eighth of what is free";
    EXPECT_THAT(chosen.notes, Contains(HasSubstr("may be theirs, and not the memory's")));
    EXPECT_EQ(with_free(0, "auto").status, Status::skipped) << "a card that is full";
}

TEST_F(OffloadedBandwidth, RefusesWhatIsOfTheCpuAlone) {
    EXPECT_THROW(run({{"threads", "1"}}), InputError);
    EXPECT_THROW(run({{"isa", "portable"}}), InputError);
    EXPECT_THROW(run({{"kernel", "copy_nt"}}), InputError);
}

}  // namespace
}  // namespace assay
