#include "probes/memory/streams/node_pairs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernels/cpu/affinity.h"
#include "probes/memory/streams/bandwidth_parts.h"
#include "probes/memory/streams/page_sets.h"

namespace assay {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::uint64_t gib = std::uint64_t{1} << 30;

std::vector<std::pair<int, int>> ids(const NodePairs& pairs) {
    std::vector<std::pair<int, int>> ids;
    for (const NodePair& pair : pairs.pairs) ids.emplace_back(pair.cpu_node, pair.memory_node);
    return ids;
}

TEST(NodePairs, OfOneNodeAreNone) {
    const NodePairs pairs = node_pairs({{0, {0, 1}, gib, true}}, {0, 1});
    EXPECT_THAT(pairs.pairs, IsEmpty());
    EXPECT_THAT(pairs.left_out, IsEmpty());
    EXPECT_THAT(node_pairs({}, {0, 1}).pairs, IsEmpty());
}

TEST(NodePairs, AreEachNodesCpusWithEachNodesMemory) {
    const NodePairs pairs = node_pairs({{0, {0, 1, 2}, gib, true}, {1, {3, 4}, gib, true}}, {1, 2, 3, 4});
    EXPECT_THAT(ids(pairs), ElementsAre(std::pair(0, 0), std::pair(0, 1), std::pair(1, 0), std::pair(1, 1)));
    EXPECT_THAT(pairs.pairs[1].cpus, ElementsAre(1, 2)) << "allowed ones alone";
    EXPECT_THAT(pairs.left_out, IsEmpty());
}

TEST(NodePairs, LeaveOutANodeWithoutMemoryAndSaySo) {
    const NodePairs pairs = node_pairs({{0, {0}, gib, true}, {1, {1}, 0, true}}, {0, 1});
    EXPECT_THAT(ids(pairs), ElementsAre(std::pair(0, 0), std::pair(1, 0)));
    EXPECT_THAT(pairs.left_out, ElementsAre(HasSubstr("node 1 has no memory:")));
}

TEST(NodePairs, LeaveOutMemoryAndCpusThatThisProcessMayNotUse) {
    const std::vector<NumaNode> nodes = {{0, {0}, gib, true}, {2, {1}, gib, false}, {5, {}, gib, true}};
    const NodePairs pairs = node_pairs(nodes, {0, 1});
    EXPECT_THAT(ids(pairs), ElementsAre(std::pair(0, 0), std::pair(0, 5), std::pair(2, 0), std::pair(2, 5)));
    EXPECT_THAT(pairs.left_out,
                ElementsAre(HasSubstr("node 2 has no memory that"), HasSubstr("node 5 has no CPU:")));
    EXPECT_THAT(node_pairs(nodes, {0}).left_out,
                ElementsAre(HasSubstr("node 2 has neither"), HasSubstr("node 5 has no CPU")));
}

/// Two nodes made up of this machine's one.
TEST(NodePairs, AreMeasuredOnTheirCpusAndARefusedNodeIsANote) {
    SteadyClock clock;
    Context context{.clock = clock, .sample = [](const SamplingPolicy&, const std::function<double()>& take) {
                        SampleSet set;
                        set.values = {take(), take()};
                        set.at = {0, 1};
                        return set;
                    }};
    const std::unique_ptr<Device> device = std::get<std::unique_ptr<Device>>(open_device("cpu:0"));
    context.device = device.get();
    const std::vector<NumaNode> nodes = numa_nodes();
    if (nodes.empty() || nodes[0].memory_bytes == 0) GTEST_SKIP() << "this kernel knows no nodes";
    try {
        const std::unique_ptr<DeviceMemory> page = device->allocate(4096, false);
        bind_memory(page->host_pointer(), page->bytes(), nodes[0].id);
    } catch (const std::system_error& error) {
        GTEST_SKIP() << error.what();
    }
    constexpr int absent_node = 1000;
    const int cpu = kernels::cpus_by_core().front();
    const BestRun best{{kernels::StreamKernel::triad, false}, kernels::StreamPattern{}, false, {}};
    Outcome outcome;
    measure_node_pairs(best, {{7, {cpu}, nodes[0].id}, {7, {cpu}, absent_node}}, 1 << 16, {}, context,
                       outcome);
    ASSERT_EQ(outcome.metrics.size(), 1u);
    EXPECT_EQ(outcome.metrics[0].name, "memory.bandwidth.node");
    EXPECT_EQ(outcome.metrics[0].labels.at("cpu_node"), "7");
    EXPECT_EQ(outcome.metrics[0].labels.at("memory_node"), std::to_string(nodes[0].id));
    EXPECT_GT(outcome.metrics[0].value, 0);
    EXPECT_THAT(outcome.notes, ElementsAre(HasSubstr("memory of node 1000 left out: mbind")));
    ASSERT_EQ(outcome.checks.size(), 1u);
    EXPECT_TRUE(outcome.checks[0].passed) << outcome.checks[0].detail;
}

TEST(PagePlan, HasThePeersPagesFirstAndHugeOnesWhereTheyDiffer) {
    EXPECT_THAT(plan_pages(true, HugePages::on_request).huge, ElementsAre(false, true));
    EXPECT_THAT(plan_pages(true, HugePages::unasked).huge, ElementsAre(true));
    EXPECT_THAT(plan_pages(false, HugePages::on_request).huge, ElementsAre(false));
    EXPECT_THAT(plan_pages(false, HugePages::unasked).huge, ElementsAre(false));
}

TEST(PagePlan, FallsBackToSmallPagesAndSaysSo) {
    const PagePlan plan = plan_pages(true, HugePages::none);
    EXPECT_THAT(plan.huge, ElementsAre(false));
    EXPECT_THAT(plan.note, HasSubstr("no transparent huge pages"));
}

}  // namespace
}  // namespace assay
