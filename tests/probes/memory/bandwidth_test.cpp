#include <cmath>
#include <map>
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernels/cpu/affinity.h"
#include "kernels/cpu/caches.h"
#include "kernels/cpu/thread_team.h"
#include "kernels/device/pages.h"
#include "probes/core/bytes_in_words.h"
#include "probes/core/probe.h"
#include "probes/memory/memory.h"
#include "probes/memory/streams/bandwidth_parts.h"
#include "probes/memory/streams/stream_arrays.h"
#include "tests/probes/memory/memory_doubles.h"

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

TEST(ArraySize, OverTheLimitIsImpossibleWithTheArithmetic) {
    constexpr std::uint64_t between = 17 * 4096;
    EXPECT_EQ(size_arrays(10 * mib, 3, 32 * mib, 3 * (10 * mib + between)).impossible, "");
    const ArraySize size = size_arrays(10 * mib, 3, 32 * mib, 3 * (10 * mib + between) - 1);
    EXPECT_THAT(size.impossible, HasSubstr("3 arrays of 10485760 bytes (10 MiB), and 69632 bytes"));
    EXPECT_THAT(size.impossible, HasSubstr("31666175 bytes"));
    EXPECT_THAT(size_arrays(~std::uint64_t{0}, 3, 32 * mib, 1024 * mib).impossible, HasSubstr("1073741824"));
    EXPECT_EQ(size_arrays(10 * mib, 3, 32 * mib, 0).impossible, "") << "a limit that is not known is none";
    EXPECT_EQ(size_arrays(0, 3, 32 * mib, mib).impossible, "");
}

TEST(ArraySize, IsWhatAnArrayTakesWithThePagesBetween) {
    kernels::ThreadTeam team(1);
    const std::unique_ptr<Device> device = cpu();
    for (const std::uint64_t bytes : {8u, 4096u, 40000u}) {
        StreamArraySet arrays(*device, team, 3, bytes, false, 7);
        EXPECT_EQ(arrays.memory().bytes(), 3 * array_footprint(bytes)) << bytes;
    }
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
    // Arrays lie 17 pages apart.
    EXPECT_EQ(memory_of("copy"), 2u * (65536 + 17 * 4096));
    EXPECT_EQ(memory_of("triad"), 3u * (65536 + 17 * 4096));
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
    for (const int step : scaling_steps(kernels::allowed_cpus(), kernels::allowed_cores()))
        expected.insert(std::to_string(step));
    ASSERT_EQ(points.size(), expected.size());
    for (const std::string& step : expected) EXPECT_TRUE(points.contains(step)) << step;
    EXPECT_EQ(points.at(std::to_string(kernels::allowed_cpus())), of_all);
}

/// Of an EPYC 7543, whose eight channels give 204.8 GB/s.
CpuFacts epyc_facts(const std::string& name = "AMD EPYC 7543") {
    return {{{"epyc-7543", {name}, 8, 3200e6, 2, "s"}}, 0.7, 0.8, "s"};
}

Metric figure(const MetricDeclaration& declaration, const std::string& kernel, double value) {
    Metric metric = make_exact_metric(declaration, value);
    metric.labels = {{"kernel", kernel}};
    return metric;
}

class Expectation : public testing::Test {
  protected:
    /// What a machine with these figures of triad is told, beside a slower read.
    Outcome with(double triad, double bus) {
        Outcome outcome;
        outcome.metrics = {figure(attainable_bandwidth_metric(), "read", triad / 2),
                           figure(plain_bandwidth_metric(), "read", triad / 2),
                           figure(attainable_bandwidth_metric(), "triad", triad),
                           figure(plain_bandwidth_metric(), "triad", triad),
                           figure(bus_bandwidth_metric(), "triad", bus)};
        add_expectation(system_, &facts_, outcome);
        return outcome;
    }
    CpuFacts facts_ = epyc_facts();
    MemorySystem system_{.cpu_model = "AMD EPYC 7543 32-Core Processor"};
};

TEST_F(Expectation, IsTheLimitOfEveryAttainableFigureAndOfNoOther) {
    const Outcome outcome = with(150e9, 150e9);
    EXPECT_THAT(outcome.notes, testing::IsEmpty());
    for (const Metric& metric : outcome.metrics) {
        ASSERT_EQ(metric.limit.has_value(), metric.name == "memory.bandwidth") << metric.name;
        if (metric.limit) {
            EXPECT_DOUBLE_EQ(metric.limit->value, 204.8e9);
        }
    }
}

TEST_F(Expectation, OfALowFigureIsSaidInTheNotes) {
    EXPECT_THAT(with(77e9, 77e9).notes,
                testing::ElementsAre(testing::AllOf(HasSubstr("38 %"), HasSubstr("4 of 8 memory channels"))));
}

TEST_F(Expectation, CountsWhatPlainStoresReadBefore) {
    EXPECT_THAT(with(115e9, 115e9 * 4 / 3).notes, testing::IsEmpty()) << "75 % on the bus";
    EXPECT_THAT(with(115e9, 115e9).notes, testing::ElementsAre(HasSubstr("56 %")));
}

TEST_F(Expectation, LeavesTheBusOutWhereMoreThanCanBeWouldHaveGoneOverIt) {
    EXPECT_THAT(with(160e9, 160e9 * 4 / 3).notes, testing::IsEmpty()) << "104 % on the bus, 78 % without";
    EXPECT_THAT(with(210e9, 280e9).notes,
                testing::ElementsAre(HasSubstr("210.0 GB/s were measured, more than")));
}

TEST_F(MemoryBandwidth, IsHeldAgainstWhatTheMemoryShouldReachWhereAllCpusTakePart) {
    // As if this machine's CPU, whatever it is, were in the catalogue.
    CpuFacts facts = epyc_facts(read_memory_system().cpu_model);
    context_.cpu_facts = &facts;
    for (const char* const threads : {"auto", "1"}) {
        const Outcome outcome = execute(
            probe_, make({{"kernel", "read"}, {"bytes", "64K"}, {"threads", threads}, {"scaling", "no"}}),
            context_);
        ASSERT_EQ(outcome.status, Status::measured) << outcome.reason;
        for (const Metric& metric : outcome.metrics)
            EXPECT_EQ(metric.limit.has_value(),
                      metric.name == "memory.bandwidth" && std::string(threads) == "auto")
                << metric.name << ' ' << threads;
    }
}

TEST(ScalingSteps, DoubleAndEndWithAll) {
    EXPECT_EQ(scaling_steps(1, 1), std::vector<int>{1});
    EXPECT_EQ(scaling_steps(2, 2), (std::vector<int>{1, 2}));
    EXPECT_EQ(scaling_steps(8, 4), (std::vector<int>{1, 2, 4, 8}));
    EXPECT_EQ(scaling_steps(12, 12), (std::vector<int>{1, 2, 4, 8, 12}));
}

TEST(ScalingSteps, HaveTheNumberOfCoresWhereThreadsBeginToShareThem) {
    EXPECT_EQ(scaling_steps(24, 12), (std::vector<int>{1, 2, 4, 8, 12, 16, 24}));
    EXPECT_EQ(scaling_steps(12, 6), (std::vector<int>{1, 2, 4, 6, 8, 12}));
    EXPECT_EQ(scaling_steps(4, 12), (std::vector<int>{1, 2, 4})) << "fewer threads than cores";
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
    EXPECT_THROW(probe_.check(make({{"threads", "100000"}}), context_), InputError);
    EXPECT_NO_THROW(probe_.check(make({}), context_));
}

TEST_F(MemoryBandwidth, SkipsArraysThatDoNotFitWithTheArithmetic) {
    const Case large = make({{"kernel", "triad"}, {"bytes", "1000T"}, {"huge_pages", "never"}});
    EXPECT_NO_THROW(probe_.check(large, context_)) << "one case must not refuse a whole run";
    EXPECT_LT(probe_.estimate(large, context_).seconds, 10);
    const Outcome outcome = execute(probe_, large, context_);
    EXPECT_EQ(outcome.status, Status::skipped);
    EXPECT_THAT(outcome.reason, HasSubstr("3 arrays of 1099511627776000 bytes (1000 TiB)"));
    EXPECT_THAT(outcome.reason, HasSubstr("memory that may be used"));
    EXPECT_THAT(outcome.reason, Not(HasSubstr("huge_pages=never")));
}

TEST_F(MemoryBandwidth, IsSkippedWithTheNumbersWhereTheMemoryAllowedIsTooLittle) {
    const std::uint64_t told = kernels::last_level_cache_bytes();
    const std::uint64_t caches = told == 0 ? 64 * mib : told;
    const auto [status, reason] = doubles::run_with_bytes_left(caches, probe_, make({}), context_);
    EXPECT_EQ(status, Status::skipped) << reason;
    EXPECT_THAT(reason, testing::ContainsRegex("in half of the [0-9]+ bytes .*of memory that may be used "
                                               "\\([36] at a time\\) have [0-9]+ bytes"));
    EXPECT_THAT(reason, HasSubstr("caches of " + bytes_in_words(told)));
}

TEST_F(MemoryBandwidth, WithoutHugePagesMeasuresOnSmallOnesAndSaysSo) {
    doubles::WithoutHugePages device;
    context_.device = &device;
    const Outcome outcome = execute(
        probe_, make({{"kernel", "read"}, {"bytes", "4M"}, {"threads", "1"}, {"scaling", "no"}}), context_);
    ASSERT_EQ(outcome.status, Status::measured) << outcome.reason;
    // The system gives them on request or unasked, and the device does not; or the system does not.
    const bool offered = huge_pages_given() != HugePages::none;
    EXPECT_THAT(outcome.notes,
                testing::Contains(HasSubstr(offered ? "Huge pages were asked for and 0.0 % of the memory"
                                                    : "The system gives no transparent huge pages")));
    if (offered) {
        EXPECT_EQ(outcome.resolved.at("trial_huge_page_share"), "0.000");
    }
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
