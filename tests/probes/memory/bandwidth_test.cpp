#include <cmath>
#include <map>
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernels/cpu/affinity.h"
#include "kernels/cpu/thread_team.h"
#include "probes/core/probe.h"
#include "probes/memory/memory.h"
#include "probes/memory/streams/bandwidth_parts.h"
#include "probes/memory/streams/stream_arrays.h"

namespace assay {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::uint64_t mib = std::uint64_t{1} << 20;

std::unique_ptr<Device> cpu() {
    return std::get<std::unique_ptr<Device>>(open_device("cpu:0"));
}

TEST(ArraySize, IsFourTimesAllCaches) {
    const ArraySize size = size_arrays(0, 3, 32 * mib, 64 * 1024 * mib);
    EXPECT_EQ(size.bytes, 128 * mib);
    EXPECT_TRUE(size.out_of_cache);
    EXPECT_THAT(size.reason, Not(HasSubstr("caches.")));
}

TEST(ArraySize, OfAllArraysIsAtMostHalfTheMemoryAndSaysSo) {
    const ArraySize size = size_arrays(0, 3, 480 * mib, 6 * 1024 * mib);
    EXPECT_EQ(size.bytes, 1024 * mib);
    EXPECT_FALSE(size.out_of_cache);
    EXPECT_THAT(size.reason, HasSubstr("half of the"));
    EXPECT_THAT(size.reason, HasSubstr("may have come from caches"));
    EXPECT_EQ(size_arrays(0, 1, 480 * mib, 6 * 1024 * mib).bytes, 1920 * mib) << "one array fits";
}

TEST(ArraySize, IsWhatWasAskedForAndSaysWhenThatIsTooSmall) {
    EXPECT_EQ(size_arrays(1000, 3, 32 * mib, 1024 * mib).bytes, 1000u);
    EXPECT_FALSE(size_arrays(1000, 3, 32 * mib, 1024 * mib).out_of_cache);
    EXPECT_EQ(size_arrays(1001, 3, 32 * mib, 1024 * mib).bytes, 1000u) << "whole elements";
    EXPECT_TRUE(size_arrays(128 * mib, 3, 32 * mib, 1024 * mib).out_of_cache);
}

TEST(ArraySize, AssumesCachesWhereTheSystemTellsNone) {
    const ArraySize size = size_arrays(0, 3, 0, 64 * 1024 * mib);
    EXPECT_EQ(size.bytes, 256 * mib);
    EXPECT_THAT(size.reason, HasSubstr("assumed"));
}

TEST(ArraySize, IsOfNoUseWhereTheCachesHoldTheArrays) {
    EXPECT_TRUE(size_arrays(0, 3, 32 * mib, 1024 * mib).useful);
    EXPECT_TRUE(size_arrays(0, 3, 32 * mib, 240 * mib).useful) << "40 MiB each";
    EXPECT_FALSE(size_arrays(0, 3, 32 * mib, 180 * mib).useful) << "30 MiB each";
    EXPECT_FALSE(size_arrays(0, 3, 32 * mib, 4096).useful) << "nothing at all";
    EXPECT_TRUE(size_arrays(4096, 3, 32 * mib, 180 * mib).useful) << "asked for by name";
}

TEST(StreamKernels, AreElevenWithTheNamesOfTheParameter) {
    std::set<std::string> names;
    for (const NamedKernel& kernel : all_stream_kernels()) names.insert(kernel.name());
    EXPECT_EQ(names, (std::set<std::string>{"read", "write", "write_nt", "copy", "copy_nt", "scale",
                                            "scale_nt", "add", "add_nt", "triad", "triad_nt"}));
    for (const Parameter& parameter : memory_bandwidth_probe().parameters) {
        if (parameter.name != "kernel") continue;
        for (const std::string_view choice : parameter.choices)
            EXPECT_TRUE(choice == "all" || names.contains(std::string(choice))) << choice;
    }
}

TEST(StreamArrays, AKernelThatWroteNothingIsAllWrongAndOneThatDidIsRight) {
    kernels::ThreadTeam team(kernels::allowed_cpus());
    const std::unique_ptr<Device> device = cpu();
    // Not a multiple of a page, a line or the members.
    constexpr std::size_t elements = 40003;
    StreamArraySet arrays(*device, team, 3, elements * 8, false, 7);
    ASSERT_EQ(arrays.elements(), elements);
    for (const NamedKernel& kernel : all_stream_kernels()) {
        const kernels::StreamPattern pattern{kernels::Isa::portable, kernel.non_temporal};
        if (!kernels::stream_possible(pattern)) continue;
        arrays.poison(kernel);
        EXPECT_NE(arrays.wrong_elements(kernel), 0u) << kernel.name();
        if (kernels::stream_stores(kernel.kernel)) {
            EXPECT_EQ(arrays.wrong_elements(kernel), elements) << kernel.name();
        }
        // Whoever takes it, one chunk is not all.
        const std::size_t done = arrays.run(kernel, pattern, 1);
        EXPECT_GT(done, 0u) << kernel.name();
        EXPECT_LT(done, elements) << kernel.name();
        EXPECT_NE(arrays.wrong_elements(kernel), 0u) << kernel.name() << " after one chunk";
        arrays.finish_pass(kernel, pattern);
        EXPECT_EQ(arrays.wrong_elements(kernel), 0u) << kernel.name();
    }
}

TEST(StreamArrays, ARunDoesAsManyChunksAsAskedForAndGoesOnWhereItStopped) {
    kernels::ThreadTeam team(1);
    const std::unique_ptr<Device> device = cpu();
    // Three whole chunks of 128 KiB and a half.
    constexpr std::size_t chunk = 16384, elements = 3 * chunk + chunk / 2;
    StreamArraySet arrays(*device, team, 2, elements * 8, false, 7);
    ASSERT_EQ(arrays.chunks(), 4u);
    const NamedKernel copy{kernels::StreamKernel::copy, false};
    const kernels::StreamPattern pattern{kernels::Isa::portable, false};
    arrays.poison(copy);
    EXPECT_EQ(arrays.run(copy, pattern, 2), 2 * chunk);
    EXPECT_EQ(arrays.wrong_elements(copy), elements - 2 * chunk);
    EXPECT_EQ(arrays.run(copy, pattern, 1), chunk);
    EXPECT_EQ(arrays.wrong_elements(copy), chunk / 2);
    EXPECT_EQ(arrays.run(copy, pattern, 2), chunk / 2 + chunk) << "the end, and again from the beginning";
    EXPECT_EQ(arrays.wrong_elements(copy), 0u);
    EXPECT_EQ(arrays.run(copy, pattern, 0), 0u);
}

TEST(StreamArrays, MembersWithoutAPageOfTheirOwnDoNothing) {
    kernels::ThreadTeam team(kernels::allowed_cpus());
    const std::unique_ptr<Device> device = cpu();
    StreamArraySet arrays(*device, team, 1, 100 * 8, false, 7);
    const NamedKernel read{kernels::StreamKernel::read, false};
    EXPECT_EQ(arrays.chunks(), 1u);
    arrays.poison(read);
    EXPECT_EQ(arrays.run(read, {kernels::Isa::portable, false}, 3), 300u);
    arrays.finish_pass(read, {kernels::Isa::portable, false});
    EXPECT_EQ(arrays.wrong_elements(read), 0u);
}

TEST(StreamArrays, OneWrongElementIsFound) {
    kernels::ThreadTeam team(1);
    const std::unique_ptr<Device> device = cpu();
    StreamArraySet arrays(*device, team, 3, 4096 * 8, false, 7);
    const NamedKernel triad{kernels::StreamKernel::triad, false};
    arrays.poison(triad);
    arrays.run(triad, {kernels::Isa::portable, false}, arrays.chunks());
    ASSERT_EQ(arrays.wrong_elements(triad), 0u);
    // Arrays lie 17 pages further apart than they are long, lest they meet in the same banks.
    double* const last =
        reinterpret_cast<double*>(arrays.memory().host_pointer()) + 2 * (4096 + 17 * 512) + 4095;
    ASSERT_EQ(*last, *(last - 2 * (4096 + 17 * 512)) + 3 * *(last - (4096 + 17 * 512)));
    *last = std::nextafter(*last, 0.0);
    EXPECT_EQ(arrays.wrong_elements(triad), 1u);

    const NamedKernel read{kernels::StreamKernel::read, false};
    arrays.poison(read);
    arrays.run(read, {kernels::Isa::portable, false}, arrays.chunks());
    ASSERT_EQ(arrays.wrong_elements(read), 0u);
    *reinterpret_cast<double*>(arrays.memory().host_pointer()) += 1;
    arrays.run(read, {kernels::Isa::portable, false}, arrays.chunks());
    EXPECT_EQ(arrays.wrong_elements(read), 1u);
}

TEST(StreamArrays, HoldRandomNumbersAndNotZeros) {
    kernels::ThreadTeam team(1);
    const std::unique_ptr<Device> device = cpu();
    StreamArraySet arrays(*device, team, 1, 4096 * 8, false, 7);
    const double* values = reinterpret_cast<const double*>(arrays.memory().host_pointer());
    EXPECT_GT(std::set<double>(values, values + 4096).size(), 4000u);
}

class MemoryBandwidth : public testing::Test {
  protected:
    Case make(std::map<std::string, std::string> given) { return make_case(probe_, given); }

    static SampleSet few_samples(const SamplingPolicy&, const std::function<double()>& take) {
        SampleSet set;
        for (int i = 0; i < 5; ++i) {
            set.values.push_back(take());
            set.at.push_back(i);
        }
        return set;
    }

    SteadyClock clock_;
    Context context_{.clock = clock_, .sample = few_samples};
    Probe probe_ = memory_bandwidth_probe();
};

TEST_F(MemoryBandwidth, ReportsEveryKernelUnderItsOwnLabelOnce) {
    const Outcome outcome = execute(probe_, make({{"bytes", "100K"}, {"scaling", "no"}}), context_);
    ASSERT_EQ(outcome.status, Status::measured) << outcome.reason;
    std::map<std::string, std::map<std::string, double>> values;
    for (const Metric& metric : outcome.metrics) {
        EXPECT_EQ(metric.unit, Unit::byte_per_second);
        EXPECT_GT(metric.value, 0);
        EXPECT_EQ(metric.labels.at("bytes"), "102400");
        EXPECT_EQ(metric.labels.at("threads"), "auto") << "one metric that requirements select";
        EXPECT_TRUE(values[metric.name].emplace(metric.labels.at("kernel"), metric.value).second);
    }
    ASSERT_EQ(values.size(), 3u);
    for (const NamedKernel& kernel : all_stream_kernels()) {
        if (!kernels::stream_possible({kernels::Isa::portable, kernel.non_temporal})) continue;
        const std::string name = kernel.name();
        ASSERT_TRUE(values["memory.bandwidth"].contains(name)) << name;
        ASSERT_TRUE(values["memory.bandwidth.plain"].contains(name)) << name;
        EXPECT_GE(values["memory.bandwidth"][name], values["memory.bandwidth.plain"][name]) << name;
        const double traffic = 1.0 *
                               kernels::stream_bus_bytes_per_element(kernel.kernel, kernel.non_temporal) /
                               kernels::stream_bytes_per_element(kernel.kernel);
        // Where the bus carries nothing more, the figure would be the same once more.
        ASSERT_EQ(values["memory.bandwidth.bus"].contains(name), traffic > 1) << name;
        if (traffic > 1) {
            EXPECT_DOUBLE_EQ(values["memory.bandwidth.bus"][name] / values["memory.bandwidth"][name], traffic)
                << name;
        }
    }
    EXPECT_EQ(outcome.checks.size(), values["memory.bandwidth"].size());
    for (const Check& check : outcome.checks) EXPECT_TRUE(check.passed) << check.name;
}

TEST_F(MemoryBandwidth, OneKernelAloneNeedsOnlyItsArrays) {
    const Outcome outcome = execute(
        probe_, make({{"kernel", "read"}, {"bytes", "64K"}, {"threads", "1"}, {"scaling", "no"}}), context_);
    ASSERT_EQ(outcome.status, Status::measured) << outcome.reason;
    EXPECT_EQ(outcome.metrics.size(), 2u);
    EXPECT_EQ(outcome.resolved.at("arrays"), "1");
    EXPECT_EQ(outcome.resolved.at("threads"), "1");
    const auto memory_of = [&](const char* kernel) {
        return probe_
            .estimate(make({{"kernel", kernel}, {"bytes", "64K"}, {"huge_pages", "never"}}), context_)
            .memory_bytes;
    };
    EXPECT_EQ(memory_of("copy"), 2u * 65536);
    EXPECT_EQ(memory_of("triad"), 3u * 65536);
}

TEST_F(MemoryBandwidth, ScalesFromOneThreadToAllAndEndsWithTheFigureOfAll) {
    const Outcome outcome = execute(probe_, make({{"kernel", "triad"}, {"bytes", "100K"}}), context_);
    ASSERT_EQ(outcome.status, Status::measured) << outcome.reason;
    std::map<std::string, double> points;
    double of_all = 0;
    for (const Metric& metric : outcome.metrics) {
        if (metric.name == "memory.bandwidth") of_all = metric.value;
        if (metric.name != "memory.bandwidth.scaling") continue;
        EXPECT_EQ(metric.labels.at("kernel"), "triad");
        EXPECT_TRUE(points.emplace(metric.labels.at("threads"), metric.value).second);
    }
    std::set<std::string> expected;
    for (const int step : scaling_steps(kernels::allowed_cpus())) expected.insert(std::to_string(step));
    ASSERT_EQ(points.size(), expected.size());
    for (const std::string& step : expected) EXPECT_TRUE(points.contains(step)) << step;
    EXPECT_EQ(points.at(std::to_string(kernels::allowed_cpus())), of_all);
}

TEST(ScalingSteps, DoubleAndEndWithAll) {
    EXPECT_EQ(scaling_steps(1), std::vector<int>{1});
    EXPECT_EQ(scaling_steps(2), (std::vector<int>{1, 2}));
    EXPECT_EQ(scaling_steps(8), (std::vector<int>{1, 2, 4, 8}));
    EXPECT_EQ(scaling_steps(12), (std::vector<int>{1, 2, 4, 8, 12}));
}

TEST_F(MemoryBandwidth, OnASetOfOneCpuIsMeasuredWithOneThread) {
    const kernels::CpuSet before = kernels::CpuSet::of_calling_thread();
    ASSERT_TRUE(kernels::CpuSet::single(before.members().back()).apply(0));
    const Outcome outcome = execute(probe_, make({{"kernel", "copy"}, {"bytes", "64K"}}), context_);
    EXPECT_THROW(probe_.check(make({{"threads", "2"}}), context_), InputError);
    ASSERT_TRUE(before.apply(0));
    ASSERT_EQ(outcome.status, Status::measured) << outcome.reason;
    EXPECT_EQ(outcome.resolved.at("threads"), "1");
}

TEST_F(MemoryBandwidth, UsesTheInstructionSetThatWasAskedFor) {
    const Outcome outcome =
        execute(probe_, make({{"kernel", "add"}, {"bytes", "64K"}, {"isa", "portable"}}), context_);
    ASSERT_EQ(outcome.status, Status::measured) << outcome.reason;
    EXPECT_EQ(outcome.resolved.at("isa"), "portable");
    EXPECT_THROW(make({{"isa", "mmx"}}), InputError);
    for (const auto& [isa, name] : {std::pair(kernels::Isa::neon, "neon"),
                                    {kernels::Isa::avx2, "avx2"},
                                    {kernels::Isa::avx512, "avx512"}}) {
        if (kernels::supports(isa)) {
            EXPECT_NO_THROW(probe_.check(make({{"isa", name}}), context_));
        } else {
            EXPECT_THROW(probe_.check(make({{"isa", name}}), context_), InputError);
        }
    }
}

TEST_F(MemoryBandwidth, CountsTheBytesOfStreamsRule) {
    class SteppingClock final : public Clock {
      public:
        Nanoseconds now() override { return now_ += std::chrono::milliseconds(2); }
        void sleep_until(Nanoseconds) override {}

      private:
        Nanoseconds now_{0};
    } clock;
    Context context{.clock = clock, .sample = few_samples};
    const std::map<std::string, double> bytes_per_element = {{"read", 8},   {"write", 8},   {"copy_nt", 16},
                                                             {"scale", 16}, {"add_nt", 24}, {"triad", 24}};
    for (const auto& [kernel, bytes] : bytes_per_element) {
        const Outcome outcome =
            execute(probe_, make({{"kernel", kernel}, {"bytes", "8K"}, {"scaling", "no"}}), context);
        ASSERT_EQ(outcome.status, Status::measured) << outcome.reason;
        // One pass over 1024 elements every 2 ms of this clock.
        for (const Metric& metric : outcome.metrics)
            if (metric.name != "memory.bandwidth.bus") {
                EXPECT_DOUBLE_EQ(metric.value, bytes * 1024 / 0.002) << kernel << ' ' << metric.name;
            }
    }
}

TEST_F(MemoryBandwidth, RefusesWhatCannotBe) {
    EXPECT_THROW(make({{"kernel", "read_nt"}}), InputError);
    EXPECT_THROW(make({{"bytes", "100"}}), InputError);
    EXPECT_THROW(make({{"huge_pages", "always"}}), InputError);
    EXPECT_THROW(make({{"scaling", "maybe"}}), InputError);
    EXPECT_THROW(probe_.check(make({{"bytes", "1000T"}}), context_), InputError);
    EXPECT_THROW(probe_.check(make({{"threads", "100000"}}), context_), InputError);
    EXPECT_NO_THROW(probe_.check(make({}), context_));
}

TEST_F(MemoryBandwidth, SkipsADeviceThatIsNotThere) {
    const Outcome outcome = execute(probe_, make({{"device", "opencl:99"}, {"bytes", "64K"}}), context_);
    EXPECT_EQ(outcome.status, Status::skipped);
    EXPECT_THAT(outcome.reason, HasSubstr("opencl"));
}

TEST_F(MemoryBandwidth, EstimatesThatEveryKernelTogetherKeepsItsBudget) {
    context_.quick = true;
    const std::map<std::string, std::string> one_thread = {{"threads", "1"}};
    EXPECT_LE(probe_.estimate(make(one_thread), context_).seconds, 18);
    context_.quick = false;
    EXPECT_LE(probe_.estimate(make(one_thread), context_).seconds, 40);
}

}  // namespace
}  // namespace assay
