#include <algorithm>
#include <map>
#include <set>

#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernels/cpu/affinity.h"
#include "kernels/cpu/caches.h"
#include "probes/core/probe.h"
#include "probes/memory/chains/chain_memory.h"
#include "probes/memory/memory.h"
#include "tests/probes/memory/memory_doubles.h"

namespace assay {
namespace {

using testing::Contains;
using testing::HasSubstr;

constexpr std::uint64_t kib = 1024;
constexpr std::uint64_t mib = 1024 * kib;

TEST(ChainSize, IsFourTimesTheCachesOrThePartOfTheMemoryAllowed) {
    EXPECT_EQ(size_chain(0, {32 * mib, 0}, 64 * 1024 * mib).bytes, 128 * mib);
    EXPECT_TRUE(size_chain(0, {32 * mib, 0}, 64 * 1024 * mib).out_of_cache);
    EXPECT_EQ(size_chain(0, {32 * mib, 0}, 0).bytes, 128 * mib) << "a limit that is not known is none";
    const ChainSize half = size_chain(0, {32 * mib, 0}, 200 * mib);
    EXPECT_EQ(half.bytes, 100 * mib);
    EXPECT_TRUE(half.out_of_cache);
    EXPECT_THAT(half.reason, HasSubstr("0.5 of the"));
    const ChainSize small = size_chain(0, {32 * mib, 0}, 100 * mib);
    EXPECT_EQ(small.bytes, 50 * mib);
    EXPECT_FALSE(small.out_of_cache);
    EXPECT_THAT(small.reason, HasSubstr("too small"));
    EXPECT_THAT(size_chain(0, {0, 0}, 0).reason, HasSubstr("assumed"));
}

TEST(ChainSize, LeavesLittleOfItselfToTheCacheThatTheCpuReaches) {
    EXPECT_EQ(size_chain(0, {32 * mib, 32 * mib}, 0).bytes, 512 * mib);
    EXPECT_THAT(size_chain(0, {32 * mib, 32 * mib}, 0).reason, HasSubstr("16 x 32 MiB"));
    EXPECT_EQ(size_chain(0, {24 * 32 * mib, 32 * mib}, 0).bytes, 3072 * mib);
    EXPECT_EQ(size_chain(0, {32 * mib, 32 * mib}, 600 * mib).bytes, 300 * mib);
}

TEST(ChainSize, OverTheLimitIsImpossibleWithTheArithmetic) {
    const ChainSize size = size_chain(100 * mib, {32 * mib, 0}, 100 * mib);
    EXPECT_THAT(size.impossible, HasSubstr("104857600 bytes"));
    EXPECT_THAT(size.impossible, HasSubstr("111411200"));
    EXPECT_EQ(size_chain(90 * mib, {32 * mib, 0}, 100 * mib).impossible, "");
    EXPECT_THAT(size_chain(0, {32 * mib, 0}, 20 * kib).impossible, HasSubstr("smallest chain"));
    EXPECT_THAT(size_chain(std::uint64_t{256} << 30, {32 * mib, 0}, std::uint64_t{1} << 40).impossible,
                HasSubstr("2^32 lines"));
}

TEST(ChainSizes, AscendWithTwoAnOctaveWhereTheStepsAreAndEndAtTheLargest) {
    for (const std::uint64_t largest : {16 * kib, 17 * kib, 100 * kib, 100 * mib, 128 * mib, 1920 * mib}) {
        for (const bool fine : {false, true}) {
            const std::vector<std::uint64_t> sizes = chain_sizes(largest, 32 * mib, fine);
            EXPECT_TRUE(std::is_sorted(sizes.begin(), sizes.end()));
            EXPECT_EQ(std::set<std::uint64_t>(sizes.begin(), sizes.end()).size(), sizes.size());
            EXPECT_EQ(sizes.back(), largest);
            EXPECT_TRUE(sizes.size() == 1 || sizes.front() == 16 * kib);
        }
    }
    EXPECT_THAT(chain_sizes(128 * mib, 32 * mib, true), Contains(768 * kib));
    EXPECT_EQ(chain_sizes(128 * mib, 32 * mib, false).size(), 14u);
}

TEST(PageProof, TellsTheTruthWhateverWasAskedFor) {
    EXPECT_EQ(prove_pages(true, 4096, 1.0).label, "2097152");
    EXPECT_TRUE(prove_pages(true, 4096, 1.0).as_asked);
    EXPECT_EQ(prove_pages(false, 4096, 0.0).label, "4096");
    EXPECT_EQ(prove_pages(false, 4096, 0.0).sentence, "");
    const PageProof fallen = prove_pages(true, 4096, 0.0);
    EXPECT_EQ(fallen.label, "4096");
    EXPECT_FALSE(fallen.as_asked);
    EXPECT_THAT(fallen.sentence, HasSubstr("2 MiB were asked for, but 0 %"));
    EXPECT_EQ(prove_pages(true, 4096, 0.5).label, "mixed");
    EXPECT_EQ(prove_pages(false, 4096, 1.0).label, "2097152");
    EXPECT_FALSE(prove_pages(false, 4096, 1.0).as_asked);
    EXPECT_EQ(prove_pages(true, 65536, std::nullopt).label, "unknown");
    EXPECT_THAT(prove_pages(true, 65536, std::nullopt).sentence, HasSubstr("does not tell"));
}

TEST(Chaser, CountsTheTimeOfALinkByTheClockAndChecksEveryEnd) {
    std::vector<std::uint64_t> memory(8 * 1001);
    std::byte* begin = reinterpret_cast<std::byte*>(memory.data());
    begin += (64 - reinterpret_cast<std::uintptr_t>(begin) % 64) % 64;
    const kernels::Chain chain = kernels::build_chain(begin, 1000 * 64, 64, 3);
    doubles::SteppingClock clock;
    // 2048 links take a millisecond of this clock, so ten take 20480; every chunk is one millisecond again.
    Chaser chaser(chain, clock, Seconds(10e-3));
    EXPECT_GT(chaser.links_a_chunk(), 0u);
    EXPECT_DOUBLE_EQ(chaser.chunk() * static_cast<double>(chaser.links_a_chunk()), 1e-3);
    EXPECT_EQ(chaser.wrong_ends(), 0u);
    // A link that leads elsewhere is met in a thousand steps, and shifts the end.
    const_cast<kernels::ChainLink*>(chain.first())->next = chain.first()->next->next;
    chaser.chunk();
    EXPECT_GT(chaser.wrong_ends(), 0u);
}

class MemoryLatency : public testing::Test {
  protected:
    Case make(std::map<std::string, std::string> given) {
        given.insert({"bytes", "100K"});
        return make_case(probe_, given);
    }
    static std::set<std::string> pages_of(const Outcome& outcome) {
        std::set<std::string> pages;
        for (const Metric& metric : outcome.metrics)
            if (metric.name == "memory.latency") pages.insert(metric.labels.at("page_bytes"));
        return pages;
    }

    SteadyClock clock_;
    Context context_{.clock = clock_, .sample = doubles::few_samples};
    Probe probe_ = memory_latency_probe();
    const std::string small_page_ = std::to_string(sysconf(_SC_PAGESIZE));
};

TEST_F(MemoryLatency, ReportsAPointForEverySizeAndNoFigureOfMemoryFromACache) {
    const Outcome outcome = execute(probe_, make({{"page", "4K"}}), context_);
    ASSERT_EQ(outcome.status, Status::measured) << outcome.reason;
    std::set<std::string> sizes;
    for (const Metric& metric : outcome.metrics) {
        EXPECT_NE(metric.name, "memory.latency.dram");
        EXPECT_GT(metric.value, 0) << metric.name;
        if (metric.name != "memory.latency") continue;
        EXPECT_EQ(metric.unit, Unit::second);
        EXPECT_EQ(metric.labels.at("page_bytes"), small_page_);
        EXPECT_TRUE(sizes.insert(metric.labels.at("bytes")).second);
    }
    EXPECT_EQ(sizes, (std::set<std::string>{"16384", "24576", "32768", "49152", "65536", "102400"}));
    EXPECT_EQ(outcome.checks.size(), 2u);
    EXPECT_THAT(outcome.notes, Contains(HasSubstr("memory.latency.dram is left out")));
}

TEST_F(MemoryLatency, HasAnEqualFigureForEverySizeUnderAClockThatKnowsNoCaches) {
    doubles::SteppingClock clock;
    Context context{.clock = clock, .sample = doubles::few_samples};
    const Outcome outcome = execute(probe_, make({{"page", "4K"}}), context);
    ASSERT_EQ(outcome.status, Status::measured) << outcome.reason;
    std::set<double> values;
    for (const Metric& metric : outcome.metrics)
        if (metric.name == "memory.latency") values.insert(metric.value);
    EXPECT_EQ(values.size(), 1u);
}

TEST_F(MemoryLatency, WithoutHugePagesMeasuresSmallOnesOnceAndSaysSo) {
    doubles::WithoutHugePages device;
    Context context{.clock = clock_, .device = &device, .sample = doubles::few_samples};
    for (const char* const page : {"auto", "2M", "all"}) {
        const Outcome outcome = execute(probe_, make({{"page", page}}), context);
        ASSERT_EQ(outcome.status, Status::measured) << outcome.reason;
        EXPECT_EQ(pages_of(outcome), std::set<std::string>{small_page_}) << page;
        EXPECT_EQ(outcome.checks.size(), 2u) << "one curve";
        EXPECT_THAT(outcome.notes, Contains(HasSubstr("Pages of 2 MiB were asked for, but 0 %")));
    }
}

TEST_F(MemoryLatency, TheLabelIsWhatTheSystemSaysOfThePages) {
    const Outcome outcome = execute(probe_, make({{"page", "2M"}, {"bytes", "2M"}}), context_);
    ASSERT_EQ(outcome.status, Status::measured) << outcome.reason;
    const std::set<std::string> pages = pages_of(outcome);
    ASSERT_EQ(pages.size(), 1u);
    const bool fell_back =
        std::any_of(outcome.notes.begin(), outcome.notes.end(),
                    [](const std::string& note) { return note.find("were asked for") != std::string::npos; });
    EXPECT_EQ(*pages.begin() != "2097152", fell_back);
}

TEST_F(MemoryLatency, SkipsAChainThatDoesNotFitWithTheArithmetic) {
    const Outcome outcome = execute(probe_, make({{"bytes", "1000T"}}), context_);
    EXPECT_EQ(outcome.status, Status::skipped);
    EXPECT_THAT(outcome.reason, HasSubstr("1099511627776000 bytes (1000 TiB) needs"));
}

#ifndef ASSAY_SANITIZE  // whose own memory would not fit beside so little
TEST_F(MemoryLatency, IsSkippedWithTheNumbersWhereTheMemoryAllowedIsTooLittle) {
    const auto [status, reason] =
        doubles::run_with_bytes_left(16 * kib, probe_, make_case(probe_, {}), context_);
    EXPECT_EQ(status, Status::skipped) << reason;
    EXPECT_THAT(reason, testing::ContainsRegex("^0.5 of the [0-9]+ bytes of memory that may be used is less "
                                               "than the smallest chain, 16384 bytes"));
}
#endif

TEST_F(MemoryLatency, SaysOfEachCacheWhatTheSystemClaims) {
    const Outcome outcome = execute(probe_, make({{"page", "4K"}}), context_);
    ASSERT_EQ(outcome.status, Status::measured) << outcome.reason;
    std::map<std::string, double> claimed, expected;
    for (const Metric& metric : outcome.metrics)
        if (metric.name.ends_with("_claimed")) {
            EXPECT_EQ(metric.unit, Unit::byte);
            EXPECT_TRUE(claimed.emplace(metric.name, metric.value).second) << metric.name;
        }
    for (const kernels::DataCache& cache : kernels::data_caches_of(kernels::cpus_by_core().front()))
        if (cache.level >= 1 && cache.level <= 3)
            expected["memory.latency.l" + std::to_string(cache.level) + "_claimed"] =
                static_cast<double>(cache.bytes);
    EXPECT_EQ(claimed, expected);
}

TEST_F(MemoryLatency, RefusesWhatCannotBe) {
    EXPECT_THROW(make({{"bytes", "8K"}}), InputError);
    EXPECT_THROW(make({{"page", "1G"}}), InputError);
    EXPECT_THROW(make({{"seconds", "0"}}), InputError);
}

}  // namespace
}  // namespace assay
