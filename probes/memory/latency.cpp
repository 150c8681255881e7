#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "kernels/cpu/affinity.h"
#include "kernels/cpu/caches.h"
#include "kernels/cpu/chase.h"
#include "kernels/cpu/thread_team.h"
#include "kernels/device/memory_limit.h"
#include "probes/core/probe.h"
#include "probes/core/statistics.h"
#include "probes/memory/chains/cache_levels.h"
#include "probes/memory/chains/chain_memory.h"
#include "probes/memory/memory.h"

namespace assay {

namespace {

constexpr Seconds chunk_time{4e-4};
// The figure for memory itself is sampled so many times longer than another point.
constexpr double memory_times = 8;

const MetricDeclaration point_metric{
    "memory.latency",
    Unit::second,
    Direction::lower,
    "time of a load whose address the load before it read, by the size of the chain",
    {"bytes", "page_bytes"}};
const MetricDeclaration dram_metric{"memory.latency.dram",
                                    Unit::second,
                                    Direction::lower,
                                    "the same where no cache holds the chain",
                                    {"page_bytes"}};

/// What is said of a cache: its own latency, what the system claims and what the curve shows of its size.
struct LevelMetrics {
    MetricDeclaration latency, claimed, seen;
};
const std::array<LevelMetrics, 3>& level_metrics() {
    static const std::array<LevelMetrics, 3> levels = {{
        {{"memory.latency.l1",
          Unit::second,
          Direction::lower,
          "latency of the first-level cache",
          {"page_bytes"}},
         {"memory.latency.l1_claimed", Unit::byte, Direction::none, "its size as the system claims it"},
         {"memory.latency.l1_seen", Unit::byte, Direction::none,
          "the largest chain before the curve's step to the next level"}},
        {{"memory.latency.l2",
          Unit::second,
          Direction::lower,
          "latency of the second-level cache",
          {"page_bytes"}},
         {"memory.latency.l2_claimed", Unit::byte, Direction::none, "its size as the system claims it"},
         {"memory.latency.l2_seen", Unit::byte, Direction::none,
          "the largest chain before the curve's step to the next level"}},
        {{"memory.latency.l3",
          Unit::second,
          Direction::lower,
          "latency of the third-level cache",
          {"page_bytes"}},
         {"memory.latency.l3_claimed", Unit::byte, Direction::none, "its size as the system claims it"},
         {"memory.latency.l3_seen", Unit::byte, Direction::none,
          "the largest chain before the curve's step to the next level"}},
    }};
    return levels;
}

struct Plan {
    ChainSize size;
    std::uint64_t cache_bytes = 0;
    std::vector<std::uint64_t> sizes;
    std::vector<bool> huge;  ///< whether huge pages are asked for, one for each curve
};

Plan plan_of(const Case& the_case, const Context& context) {
    Plan plan;
    const LastLevelCaches caches = last_level_caches();
    plan.cache_bytes = caches.all;
    plan.size =
        size_chain(the_case.is_auto("bytes") ? 0 : the_case.bytes("bytes"), caches, usable_memory_bytes());
    if (plan.size.impossible.empty())
        plan.sizes = chain_sizes(plan.size.bytes, plan.cache_bytes, !context.quick);
    const std::string& page = the_case.text("page");
    if (page == "4K" || page == "all") plan.huge.push_back(false);
    if (page != "4K") plan.huge.push_back(true);
    return plan;
}

SamplingPolicy policy_for(const Case& the_case, const Context& context, double times) {
    SamplingPolicy policy = context.sampling;
    const Seconds asked{the_case.seconds("seconds") * times};
    policy.maximum_time = std::min(policy.maximum_time, asked);
    policy.minimum_time = std::min(policy.minimum_time, policy.maximum_time);
    policy.maximum_warm_up = std::min(policy.maximum_warm_up, asked / 4);
    return policy;
}

/// A curve on one kind of pages.
struct PageCurve {
    PageProof pages;
    std::vector<std::uint64_t> sizes;
    std::vector<SampleSet> sets;
    std::uint64_t misplaced = 0;   ///< links
    std::uint64_t wrong_ends = 0;  ///< chunks

    std::vector<LatencyPoint> points() const {
        std::vector<LatencyPoint> points;
        for (std::size_t at = 0; at < sets.size(); ++at)
            points.push_back({sizes[at], median_of(sets[at].values)});
        return points;
    }
};

void measure(PageCurve& curve, std::byte* memory, const Case& the_case, const ChainSize& size,
             Context& context) {
    const std::size_t line_bytes = chain_line_bytes();
    for (const std::uint64_t bytes : curve.sizes) {
        context.progress(fmt::format("{} on pages of {}", binary_size(bytes), curve.pages.label),
                         static_cast<double>(curve.sets.size()) / static_cast<double>(curve.sizes.size()));
        const kernels::Chain chain = kernels::build_chain(memory, bytes, line_bytes, context.seed);
        // Reads every line, and so leaves the caches as a chase does.
        curve.misplaced += kernels::misplaced_links(chain);
        Chaser chaser(chain, context.clock, chunk_time);
        const bool is_memory = bytes == size.bytes && size.out_of_cache;
        curve.sets.push_back(context.sample(policy_for(the_case, context, is_memory ? memory_times : 1),
                                            [&] { return chaser.chunk(); }));
        curve.wrong_ends += chaser.wrong_ends();
    }
}

void report_curve(const PageCurve& curve, const ChainSize& size, Outcome& outcome) {
    const std::string& page = curve.pages.label;
    for (std::size_t at = 0; at < curve.sets.size(); ++at)
        outcome.metrics.push_back(
            make_metric(point_metric, curve.sets[at], Statistic::median,
                        {{"bytes", std::to_string(curve.sizes[at])}, {"page_bytes", page}}));
    if (size.out_of_cache)
        outcome.metrics.push_back(
            make_metric(dram_metric, curve.sets.back(), Statistic::median, {{"page_bytes", page}}));
    outcome.checks.push_back({fmt::format("every chain visits each line once (pages of {})", page),
                              curve.misplaced == 0, static_cast<double>(curve.misplaced),
                              fmt::format("{} links are not where they must be", curve.misplaced)});
    outcome.checks.push_back({fmt::format("every chase ends at the right link (pages of {})", page),
                              curve.wrong_ends == 0, static_cast<double>(curve.wrong_ends),
                              fmt::format("{} chunks ended elsewhere", curve.wrong_ends)});
}

/// The caches as the curve shows them. The one on the largest pages is read: misses of the translation cache
/// blur the others.
void report_caches(const PageCurve& curve, const std::vector<kernels::DataCache>& claimed, Outcome& outcome) {
    const std::vector<LatencyPoint> points = curve.points();
    const std::vector<LatencyLevel> levels = latency_levels(points);
    for (const CacheReading& reading : read_caches(points, levels, claimed)) {
        outcome.notes.push_back(reading.sentence);
        const int index = reading.claimed.level - 1;
        if (index < 0 || index >= static_cast<int>(level_metrics().size())) continue;
        const LevelMetrics& metrics = level_metrics()[static_cast<std::size_t>(index)];
        if (reading.level) {
            const LatencyLevel& level = levels[*reading.level];
            outcome.metrics.push_back(make_metric(metrics.latency, curve.sets[level.middle],
                                                  Statistic::median, {{"page_bytes", curve.pages.label}}));
            outcome.metrics.push_back(
                make_exact_metric(metrics.seen, static_cast<double>(curve.sizes[level.last])));
        }
        outcome.metrics.push_back(
            make_exact_metric(metrics.claimed, static_cast<double>(reading.claimed.bytes)));
    }
    if (claimed.empty()) outcome.notes.emplace_back("The system claims no caches to look for on the curve.");
    outcome.resolved["levels_on_curve"] = std::to_string(levels.size());
}

Outcome run(const Case& the_case, Context& context) {
    const Plan plan = plan_of(the_case, context);
    if (!plan.size.impossible.empty()) return skipped(the_case, plan.size.impossible);
    // A team of one pins this thread.
    const int cpu = kernels::cpus_by_core().front();
    const kernels::ThreadTeam pinned(1);

    Outcome outcome;
    std::vector<PageCurve> curves;
    for (const bool huge : plan.huge) {
        const PagedMemory paged = paged_memory(*context.device, plan.size.bytes, huge);
        if (!paged.pages.sentence.empty()) outcome.notes.push_back(paged.pages.sentence);
        const bool known = std::any_of(curves.begin(), curves.end(), [&](const PageCurve& curve) {
            return curve.pages.label == paged.pages.label;
        });
        if (known) continue;
        PageCurve curve{paged.pages, plan.sizes, {}};
        measure(curve, paged.memory->host_pointer(), the_case, plan.size, context);
        report_curve(curve, plan.size, outcome);
        curves.push_back(std::move(curve));
    }
    report_caches(curves.back(), kernels::data_caches_of(cpu), outcome);
    outcome.resolved["cpu"] = std::to_string(cpu);
    outcome.resolved["bytes"] = std::to_string(plan.size.bytes);
    outcome.resolved["line_bytes"] = std::to_string(chain_line_bytes());
    outcome.notes.push_back(plan.size.reason);
    outcome.notes.emplace_back(
        "Each point is a pointer chase through all cache lines of the chain in random order, on one CPU: a "
        "load "
        "begins when the load before it has ended. page_bytes is what /proc/self/smaps says of the memory, "
        "not "
        "what was asked for. Where small pages back it, the time to find a page is part of the figure, as it "
        "is "
        "for any program.");
    if (!plan.size.out_of_cache)
        outcome.notes.emplace_back("memory.latency.dram is left out: caches hold half of the chain or more.");
    return outcome;
}

Estimate estimate(const Case& the_case, const Context& context) {
    const Plan plan = plan_of(the_case, context);
    // To lay and to check a chain, for each link; on small pages most of the time is spent in finding them.
    constexpr double seconds_a_link = 120e-9;
    Estimate estimate;
    estimate.memory_bytes = chain_footprint(plan.size.bytes);
    double links = 0;
    for (const std::uint64_t bytes : plan.sizes) links += static_cast<double>(bytes) / 64;
    const double sampling =
        the_case.seconds("seconds") * 1.25 * (static_cast<double>(plan.sizes.size()) + memory_times);
    estimate.seconds = 0.5 + static_cast<double>(plan.huge.size()) * (links * seconds_a_link + sampling);
    return estimate;
}

}  // namespace

Probe memory_latency_probe() {
    Probe probe;
    probe.name = "memory.latency";
    probe.summary = "How long one load takes, from the first cache to memory, by chasing pointers.";
    probe.parameters = {
        {"device", ParameterKind::device, "cpu:0",
         "the device whose memory is used; in this version cpu:0 alone"},
        {"bytes", ParameterKind::bytes, "auto",
         "size of the largest chain; auto: 4 x all last-level caches and 16 x the one that the CPU reaches, "
         "at most half "
         "of the memory",
         static_cast<double>(smallest_chain_bytes)},
        {"page",
         ParameterKind::choice,
         "all",
         "pages asked for; 2M and auto: huge ones, where the system gives them; all: a curve on each kind",
         0,
         0,
         {"auto", "4K", "2M", "all"}},
        {"seconds", ParameterKind::seconds, "0.12", "time for a size; the largest one takes 8 times as much",
         0.001, 60},
    };
    probe.metrics = {point_metric, dram_metric};
    for (const LevelMetrics& level : level_metrics()) {
        probe.metrics.push_back(level.latency);
        probe.metrics.push_back(level.claimed);
        probe.metrics.push_back(level.seen);
    }
    probe.host_alone = true;
    probe.run = run;
    probe.estimate = estimate;
    probe.tiny = {{"bytes", "256K"}, {"seconds", "0.002"}};
    return probe;
}

}  // namespace assay
