#include "probes/memory/loaded_latency.h"

#include <cmath>
#include <map>
#include <set>
#include <stdexcept>
#include <thread>

#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernels/cpu/affinity.h"
#include "kernels/cpu/caches.h"
#include "kernels/cpu/thread_team.h"
#include "probes/memory/chains/read_load.h"
#include "probes/memory/memory.h"
#include "tests/probes/memory/memory_doubles.h"

namespace assay {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

/// Four readers that share 20 GB/s, each block of theirs 8000 bytes, by the fake clock.
class FakeLoad final : public MemoryLoad {
  public:
    explicit FakeLoad(Clock& clock) : clock_(clock) {}
    void set_pause(std::optional<Nanoseconds> pause) override {
        bytes_read();
        rate_ = 0;
        if (pause) rate_ = 4 * 8000 / (8000 * 4 / 20e9 + seconds_of(*pause));
        idle_ = !pause;
    }
    std::uint64_t bytes_read() const override {
        const Nanoseconds now = clock_.now();
        if (*running_) read_ += static_cast<std::uint64_t>(rate_ * seconds_of(now - since_));
        since_ = now;
        return read_;
    }
    /// What is read from now on counts only where `running` holds when it is looked at.
    void run_while(const bool& running) { running_ = &running; }
    std::uint64_t block_bytes() const override { return 8000; }
    int readers() const override { return 4; }

    double rate() const { return rate_; }
    bool is_idle() const { return idle_; }

  private:
    Clock& clock_;
    mutable std::uint64_t read_ = 0;
    mutable Nanoseconds since_{0};
    double rate_ = 0;
    bool idle_ = true;
    bool always_ = true;
    const bool* running_ = &always_;
};

class LoadSteps : public testing::Test {
  protected:
    /// What a machine's memory would do: the more is read, the longer a load takes.
    ChaseChunk chase() {
        clock_.sleep_until(clock_.now() + std::chrono::milliseconds(500));
        return {100e-9 / (1 - load_.rate() / 25e9), 64000};
    }

    doubles::SteppingClock clock_{std::chrono::microseconds(1)};
    FakeLoad load_{clock_};
    Context context_{
        .clock = clock_, .sample = doubles::few_samples, .progress = [](std::string_view, double) {}};
};

TEST_F(LoadSteps, GoFromIdleToFullInEqualParts) {
    const std::vector<LoadStep> steps = measure_load_steps(
        load_, [&] { return chase(); }, 8, SamplingPolicy{}, context_);
    ASSERT_EQ(steps.size(), 9u);
    EXPECT_EQ(steps[0].asked_share, 0);
    EXPECT_EQ(steps[8].asked_share, 1);
    for (std::size_t at = 0; at < steps.size(); ++at) {
        ASSERT_EQ(steps[at].bandwidth.values.size(), steps[at].latency.values.size());
        const double expected = 20e9 * static_cast<double>(at) / 8 + 64000 / 0.5;
        EXPECT_NEAR(steps[at].bandwidth.values[0], expected, 0.03 * expected) << at;
        if (at == 0) continue;
        EXPECT_GT(steps[at].bandwidth.values[0], steps[at - 1].bandwidth.values[0]);
        EXPECT_GT(steps[at].latency.values[0], steps[at - 1].latency.values[0]);
    }
    EXPECT_TRUE(load_.is_idle());
}

TEST_F(LoadSteps, LeaveTheLoadIdleWhenMeasuringFails) {
    EXPECT_THROW(measure_load_steps(
                     load_, [&]() -> ChaseChunk { throw std::runtime_error("broken"); }, 2, SamplingPolicy{},
                     context_),
                 std::runtime_error);
    EXPECT_TRUE(load_.is_idle());
}

TEST_F(LoadSteps, AChunkWhoseReadersHadNoCpuIsChasedAgain) {
    int chunks = 0;
    bool readers_run = true;
    load_.run_while(readers_run);
    const std::vector<LoadStep> steps = measure_load_steps(
        load_,
        [&] {
            readers_run = ++chunks % 3 != 0;
            const ChaseChunk chunk = chase();
            load_.bytes_read();
            readers_run = true;
            return chunk;
        },
        1, SamplingPolicy{}, context_);
    EXPECT_EQ(steps[0].repeated, 0u);
    EXPECT_GT(steps[1].repeated, 0u);
    EXPECT_EQ(steps[1].bandwidth.values.size(), steps[1].latency.values.size());
    for (const double bandwidth : steps[1].bandwidth.values) EXPECT_GT(bandwidth, 15e9);
}

TEST_F(LoadSteps, ReadersThatNeverHaveACpuDoNotHoldTheProbeUp) {
    bool readers_run = true;
    load_.run_while(readers_run);
    const std::vector<LoadStep> steps = measure_load_steps(
        load_,
        [&] {
            readers_run = false;
            return chase();
        },
        1, SamplingPolicy{}, context_);
    EXPECT_EQ(steps[1].latency.values.size(), 5u);
    EXPECT_LT(steps[1].bandwidth.values.back(), 1e9);
}

TEST_F(LoadSteps, BandwidthsOfTheWarmUpAreThrownAwayWithItsLatencies) {
    context_.sample = [](const SamplingPolicy&, const std::function<double()>& take) {
        for (int warm_up = 0; warm_up < 3; ++warm_up) take();
        SampleSet set;
        set.warm_up_samples = 3;
        set.values = {take(), take()};
        set.at = {0, 1};
        return set;
    };
    std::uint64_t chunks = 0;
    const std::vector<LoadStep> steps = measure_load_steps(
        load_,
        [&] {
            clock_.sleep_until(clock_.now() + std::chrono::seconds(1));
            return ChaseChunk{1e-7, ++chunks * 1000000};
        },
        1, SamplingPolicy{}, context_);
    ASSERT_EQ(steps[0].bandwidth.values.size(), 2u);
    EXPECT_NEAR(steps[0].bandwidth.values[0], 4e6, 0.1e6);
    EXPECT_NEAR(steps[0].bandwidth.values[1], 5e6, 0.1e6);
}

TEST(ReadLoad, ReadsOnlyWhenToldAndItsSumsAreRight) {
    std::vector<double> memory(3 * 5000);
    ReadLoad load(reinterpret_cast<std::byte*>(memory.data()), memory.size() * sizeof(double), 1);
    load.fill(0, 7);
    EXPECT_NE(memory.front(), memory.back());
    std::thread reader([&] { load.serve(0); });
    EXPECT_EQ(load.bytes_read(), 0u);
    load.set_pause(Nanoseconds(0));
    while (load.passes() < 3) std::this_thread::yield();
    EXPECT_EQ(load.wrong_passes(), 0u);
    load.set_pause(std::nullopt);
    load.stop();
    reader.join();
    EXPECT_GE(load.bytes_read(), 3 * memory.size() * sizeof(double));

    // A value that has changed is found.
    ReadLoad other(reinterpret_cast<std::byte*>(memory.data()), memory.size() * sizeof(double), 1);
    other.fill(0, 7);
    memory[12345] += 1;
    std::thread second([&] { other.serve(0); });
    other.set_pause(Nanoseconds(0));
    while (other.passes() < 2) std::this_thread::yield();
    other.stop();
    second.join();
    EXPECT_EQ(other.wrong_passes(), other.passes());
}

class LoadedLatency : public testing::Test {
  protected:
    Case make(std::map<std::string, std::string> given) {
        given.insert({"bytes", "256K"});
        given.insert({"steps", "2"});
        return make_case(probe_, given);
    }
    SteadyClock clock_;
    Context context_{.clock = clock_, .sample = doubles::few_samples};
    Probe probe_ = memory_loaded_latency_probe();
};

TEST_F(LoadedLatency, ReportsLatencyAndBandwidthOfEveryStep) {
    if (kernels::allowed_cores() < 2) GTEST_SKIP() << "one core";
    const Outcome outcome = execute(probe_, make({}), context_);
    ASSERT_EQ(outcome.status, Status::measured) << outcome.reason;
    std::map<std::string, int> seen;
    for (const Metric& metric : outcome.metrics) {
        EXPECT_GT(metric.value, 0) << metric.name;
        EXPECT_TRUE(metric.labels.contains("page_bytes"));
        ++seen[metric.name + " " + (metric.labels.contains("step") ? metric.labels.at("step") : "")];
    }
    // In the caches: a curve, but no figure that is called memory's.
    EXPECT_EQ(seen.size(), 6u);
    for (const char* const name : {"latency 0", "latency 2", "bandwidth 0", "bandwidth 2"})
        EXPECT_EQ(seen[std::string("memory.loaded_latency.") + name], 1) << name;
    EXPECT_EQ(outcome.checks.size(), 3u);
    const std::string large = std::to_string(2 * kernels::last_level_cache_bytes());
    const Outcome out_of_cache = execute(probe_, make({{"bytes", large}}), context_);
    ASSERT_EQ(out_of_cache.status, Status::measured) << out_of_cache.reason;
    std::set<std::string> names;
    for (const Metric& metric : out_of_cache.metrics) names.insert(metric.name);
    EXPECT_TRUE(names.contains("memory.loaded_latency.idle"));
    EXPECT_TRUE(names.contains("memory.loaded_latency.at_full"));
}

TEST_F(LoadedLatency, WithOneCpuIsSkippedWithItsReason) {
    const kernels::CpuSet before = kernels::CpuSet::of_calling_thread();
    ASSERT_TRUE(kernels::CpuSet::single(kernels::cpus_by_core().front()).apply(0));
    const Outcome outcome = execute(probe_, make({}), context_);
    before.apply(0);
    EXPECT_EQ(outcome.status, Status::skipped);
    EXPECT_THAT(outcome.reason, HasSubstr("one CPU core"));
}

TEST_F(LoadedLatency, IsSkippedWithTheNumbersWhereTheMemoryAllowedIsTooLittle) {
    if (kernels::allowed_cores() < 2) GTEST_SKIP() << "one core";
    const std::uint64_t told = kernels::last_level_cache_bytes();
    const std::uint64_t caches = told == 0 ? std::uint64_t{64} << 20 : told;
    const auto [status, reason] =
        doubles::run_with_bytes_left(caches, probe_, make_case(probe_, {}), context_);
    EXPECT_EQ(status, Status::skipped) << reason;
    EXPECT_THAT(reason, testing::ContainsRegex("0.25 of the [0-9]+ bytes .*of memory that may be used"));
    EXPECT_THAT(reason, HasSubstr("too small to show the latency of memory"));
}

TEST_F(LoadedLatency, WithoutHugePagesSaysSoOfTheChainAndOfTheReaders) {
    if (kernels::allowed_cores() < 2) GTEST_SKIP() << "one core";
    doubles::WithoutHugePages device;
    context_.device = &device;
    const Outcome outcome = execute(probe_, make({{"page", "2M"}}), context_);
    ASSERT_EQ(outcome.status, Status::measured) << outcome.reason;
    const std::string fallen = "Pages of 2 MiB were asked for, but 0 %";
    EXPECT_THAT(outcome.notes, Contains(StartsWith(fallen)));
    EXPECT_THAT(outcome.notes, Contains(StartsWith("What the readers read: " + fallen)));
    EXPECT_EQ(outcome.resolved.at("readers_page_bytes"), std::to_string(sysconf(_SC_PAGESIZE)));
}

TEST_F(LoadedLatency, OnThePagesAskedForHasNothingToSayOfThem) {
    if (kernels::allowed_cores() < 2) GTEST_SKIP() << "one core";
    const Outcome outcome = execute(probe_, make({{"page", "4K"}}), context_);
    ASSERT_EQ(outcome.status, Status::measured) << outcome.reason;
    EXPECT_THAT(outcome.notes, Not(Contains(HasSubstr("were asked for"))));
    EXPECT_EQ(outcome.resolved.at("readers_page_bytes"), std::to_string(sysconf(_SC_PAGESIZE)));
}

TEST_F(LoadedLatency, SkipsASizeThatDoesNotFitWithTheArithmetic) {
    if (kernels::allowed_cores() < 2) GTEST_SKIP() << "one core";
    const Outcome outcome = execute(probe_, make({{"bytes", "1000T"}}), context_);
    EXPECT_EQ(outcome.status, Status::skipped);
    EXPECT_THAT(outcome.reason, HasSubstr("1099511627776000 bytes"));
}

}  // namespace
}  // namespace assay
