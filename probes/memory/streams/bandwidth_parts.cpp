#include "probes/memory/streams/bandwidth_parts.h"

#include <algorithm>
#include <optional>
#include <set>
#include <system_error>

#include <fmt/format.h>

#include "kernels/cpu/thread_team.h"
#include "probes/memory/streams/kernel_run.h"

namespace assay {

namespace {

/// `best` on this team; wrong elements are added to `wrong`.
SampleSet measure_on(kernels::ThreadTeam& team, const BestRun& best, std::uint64_t bytes,
                     std::optional<int> node, const SamplingPolicy& policy, Context& context,
                     std::uint64_t& wrong) {
    StreamArraySet arrays(*context.device, team, best.kernel.arrays(), bytes, best.huge_pages, context.seed,
                          node);
    KernelRun run({&arrays}, best.kernel, best.pattern.isa, context);
    return run.measure({best.pattern, 0}, policy, wrong);
}

Check exact(const std::string& what, std::uint64_t wrong) {
    return {what + " results are exact", wrong == 0, static_cast<double>(wrong),
            fmt::format("{} wrong elements or sums", wrong)};
}

}  // namespace

const MetricDeclaration& attainable_bandwidth_metric() {
    static const MetricDeclaration metric{
        "memory.bandwidth",
        Unit::byte_per_second,
        Direction::higher,
        "bytes moved by STREAM's rule, with the best access pattern and pages found",
        {"kernel"}};
    return metric;
}

const MetricDeclaration& plain_bandwidth_metric() {
    static const MetricDeclaration metric{
        "memory.bandwidth.plain",
        Unit::byte_per_second,
        Direction::higher,
        "bytes moved by STREAM's rule, with the plain loop that peers use, on "
        "the pages that a program gets unasked",
        {"kernel"}};
    return metric;
}

const MetricDeclaration& bus_bandwidth_metric() {
    static const MetricDeclaration metric{
        "memory.bandwidth.bus",
        Unit::byte_per_second,
        Direction::higher,
        "derived from memory.bandwidth, not counted: its bytes and those that "
        "plain stores read before; of kernels with plain stores",
        {"kernel"}};
    return metric;
}

const MetricDeclaration& scaling_metric() {
    static const MetricDeclaration declaration{
        "memory.bandwidth.scaling",
        Unit::byte_per_second,
        Direction::higher,
        "bytes moved by STREAM's rule on so many threads, with the pattern that was best on all",
        {"kernel", "threads"}};
    return declaration;
}

const MetricDeclaration& node_metric() {
    static const MetricDeclaration declaration{
        "memory.bandwidth.node",
        Unit::byte_per_second,
        Direction::higher,
        "bytes moved by STREAM's rule, threads on one NUMA node and memory on one",
        {"kernel", "cpu_node", "memory_node"}};
    return declaration;
}

std::vector<int> scaling_steps(int threads, int cores) {
    std::set<int> steps = {threads};
    for (int step = 1; step < threads; step *= 2) steps.insert(step);
    if (cores > 0 && cores < threads) steps.insert(cores);
    return {steps.begin(), steps.end()};
}

void measure_scaling(const BestRun& best, int threads, std::uint64_t bytes, const SamplingPolicy& policy,
                     Context& context, Outcome& outcome) {
    std::uint64_t wrong = 0;
    for (const int step : scaling_steps(threads, kernels::allowed_cores())) {
        SampleSet set = best.samples;
        if (step != threads) {
            kernels::ThreadTeam team(step);
            set = measure_on(team, best, bytes, std::nullopt, policy, context, wrong);
        }
        outcome.metrics.push_back(
            make_metric(scaling_metric(), set, Statistic::median,
                        {{"kernel", best.kernel.name()}, {"threads", std::to_string(step)}}));
    }
    outcome.checks.push_back(exact("scaling's", wrong));
}

void measure_node_pairs(const BestRun& best, const std::vector<NodePair>& pairs, std::uint64_t bytes,
                        const SamplingPolicy& policy, Context& context, Outcome& outcome) {
    if (pairs.empty()) return;
    std::uint64_t wrong = 0;
    bool any = false;
    for (const NodePair& pair : pairs) {
        // Memory of one node alone is not taken elsewhere when it runs out: the kernel kills instead.
        const std::uint64_t wanted = bytes * static_cast<std::uint64_t>(best.kernel.arrays());
        if (pair.memory_free_bytes != 0 && wanted > pair.memory_free_bytes / 2) {
            outcome.notes.push_back(
                fmt::format("CPUs of NUMA node {} with memory of node {} left out: {} bytes are more than "
                            "half of the {} that are "
                            "free there.",
                            pair.cpu_node, pair.memory_node, wanted, pair.memory_free_bytes));
            continue;
        }
        try {
            kernels::ThreadTeam team(pair.cpus);
            const SampleSet set = measure_on(team, best, bytes, pair.memory_node, policy, context, wrong);
            outcome.metrics.push_back(make_metric(node_metric(), set, Statistic::median,
                                                  {{"kernel", best.kernel.name()},
                                                   {"cpu_node", std::to_string(pair.cpu_node)},
                                                   {"memory_node", std::to_string(pair.memory_node)}}));
            any = true;
        } catch (const std::system_error& error) {
            outcome.notes.push_back(fmt::format("CPUs of NUMA node {} with memory of node {} left out: {}.",
                                                pair.cpu_node, pair.memory_node, error.what()));
        }
    }
    if (any) outcome.checks.push_back(exact("node pairs'", wrong));
}

void add_expectation(const MemorySystem& system, const CpuFacts* facts, Outcome& outcome) {
    // A plain store may also read its line. Where it does, only the bus tells what the memory gave; where the
    // CPU spares itself that, the derived figure may lie above all that the memory can give.
    double best = 0, best_on_bus = 0;
    for (const Metric& metric : outcome.metrics) {
        if (metric.name == attainable_bandwidth_metric().name) best = std::max(best, metric.value);
        if (metric.name == bus_bandwidth_metric().name) best_on_bus = std::max(best_on_bus, metric.value);
    }
    ExpectedBandwidth expected = expect_bandwidth(facts, system, std::max(best, best_on_bus));
    if (expected.share && *expected.share > 1) expected = expect_bandwidth(facts, system, best);
    outcome.notes.insert(outcome.notes.end(), expected.sentences.begin(), expected.sentences.end());
    for (Metric& metric : outcome.metrics) {
        if (metric.name == attainable_bandwidth_metric().name) metric.limit = expected.limit();
    }
}

}  // namespace assay
