#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "kernels/cpu/affinity.h"
#include "kernels/cpu/caches.h"
#include "kernels/device/memory_limit.h"
#include "probes/core/bytes_in_words.h"
#include "probes/core/cpu_choice.h"
#include "probes/core/statistics.h"
#include "probes/memory/expected/expected.h"
#include "probes/memory/memory.h"
#include "probes/memory/offloaded/offloaded.h"
#include "probes/memory/streams/bandwidth_parts.h"
#include "probes/memory/streams/kernel_run.h"
#include "probes/memory/streams/page_sets.h"

namespace assay {

namespace {

// With kernel=all, eleven kernels are measured twice each at most.
struct Budget {
    Seconds sampling;
    Seconds warm_up;
    double whole_case;
    Seconds point;  ///< of the scaling curve and of a pair of nodes
};
constexpr Budget quick_budget{Seconds(0.15), Seconds(0.03), 10, Seconds(0.2)};
constexpr Budget full_budget{Seconds(0.8), Seconds(0.2), 36, Seconds(0.5)};

const Budget& budget_of(const Context& context) {
    return context.quick ? quick_budget : full_budget;
}

std::vector<NamedKernel> kernels_of(const Case& the_case) {
    std::vector<NamedKernel> chosen;
    for (const NamedKernel& kernel : all_stream_kernels())
        if (the_case.text("kernel") == "all" || the_case.text("kernel") == kernel.name())
            chosen.push_back(kernel);
    return chosen;
}

int arrays_of(const std::vector<NamedKernel>& chosen) {
    int arrays = 1;
    for (const NamedKernel& kernel : chosen) arrays = std::max(arrays, kernel.arrays());
    return arrays;
}

PagePlan pages_of(const Case& the_case) {
    return plan_pages(the_case.text("huge_pages") == "try", huge_pages_given());
}

/// Arrays of all sets together.
int all_arrays_of(const Case& the_case) {
    return arrays_of(kernels_of(the_case)) * static_cast<int>(pages_of(the_case).huge.size());
}

ArraySize array_size(const Case& the_case) {
    return size_arrays(the_case.is_auto("bytes") ? 0 : the_case.bytes("bytes"), all_arrays_of(the_case),
                       kernels::last_level_cache_bytes(), usable_memory_bytes());
}

SamplingPolicy policy_of(const Case& the_case, const Context& context) {
    SamplingPolicy policy = context.sampling;
    if (the_case.text("kernel") != "all") return policy;
    const Budget& budget = budget_of(context);
    policy.maximum_time = std::min(policy.maximum_time, budget.sampling);
    policy.minimum_time = std::min(policy.minimum_time, policy.maximum_time);
    policy.maximum_warm_up = std::min(policy.maximum_warm_up, budget.warm_up);
    return policy;
}

SamplingPolicy point_policy(const Context& context) {
    SamplingPolicy policy = context.sampling;
    policy.maximum_time = std::min(policy.maximum_time, budget_of(context).point);
    policy.minimum_time = std::min(policy.minimum_time, policy.maximum_time);
    policy.maximum_warm_up = std::min(policy.maximum_warm_up, budget_of(context).warm_up);
    return policy;
}

SampleSet scaled(SampleSet set, double factor) {
    for (double& value : set.values) value *= factor;
    return set;
}

void add_metrics(const NamedKernel& kernel, const SampleSet& best, const SampleSet& plain, Outcome& outcome) {
    const Labels axes = {{"kernel", kernel.name()}};
    const double traffic =
        static_cast<double>(kernels::stream_bus_bytes_per_element(kernel.kernel, kernel.non_temporal)) /
        kernels::stream_bytes_per_element(kernel.kernel);
    outcome.metrics.push_back(make_metric(attainable_bandwidth_metric(), best, Statistic::median, axes));
    outcome.metrics.push_back(make_metric(plain_bandwidth_metric(), plain, Statistic::median, axes));
    // Of the others it is the same figure.
    if (traffic > 1)
        outcome.metrics.push_back(
            make_metric(bus_bandwidth_metric(), scaled(best, traffic), Statistic::median, axes));
}

void add_check(const NamedKernel& kernel, std::size_t elements, std::uint64_t wrong, Outcome& outcome) {
    const char* const exact =
        kernel.kernel == kernels::StreamKernel::read ? "sum is exact" : "result is exact";
    outcome.checks.push_back({kernel.name() + " " + exact, wrong == 0, static_cast<double>(wrong),
                              kernels::stream_stores(kernel.kernel)
                                  ? fmt::format("{} wrong of {} elements", wrong, elements)
                                  : fmt::format("sum of {} whole numbers {} what was filled in", elements,
                                                wrong == 0 ? "is" : "is not")});
}

BestRun measure_kernel(const NamedKernel& kernel, kernels::Isa isa, const PageSets& sets,
                       const PagePlan& pages, const SamplingPolicy& policy, Context& context,
                       Outcome& outcome) {
    KernelRun run(sets.pointers(), kernel, isa, context);
    const Candidate plain{plain_pattern(isa, kernel.non_temporal), 0};
    Candidate best = run.best();
    std::uint64_t wrong = 0;
    const SampleSet plain_set = run.measure(plain, policy, wrong);
    SampleSet best_set = plain_set;
    if (best != plain) {
        best_set = run.measure(best, policy, wrong);
        // The trial was short; what it chose must also hold when measured.
        if (median_of(best_set.values) < median_of(plain_set.values)) {
            best = plain;
            best_set = plain_set;
        }
    }
    add_metrics(kernel, best_set, plain_set, outcome);
    add_check(kernel, sets.sets.front()->elements(), wrong, outcome);
    outcome.resolved["pattern_" + kernel.name()] = describe(best.pattern) + " on " + sets.pages.at(best.set);
    return {kernel, best.pattern, pages.huge.at(best.set), best_set};
}

/// What was settled of the arrays once they were there.
void resolve(const PageSets& sets, const PagePlan& pages, Outcome& outcome) {
    DeviceMemory& memory = sets.sets.back()->memory();
    outcome.resolved["trial_page_bytes"] = std::to_string(memory.page_bytes());
    outcome.resolved["pages_plain"] = sets.pages.front();
    const std::optional<double> huge_share = huge_page_share(memory.host_pointer(), memory.bytes());
    if (pages.huge.back() && huge_share)
        outcome.resolved["trial_huge_page_share"] = fmt::format("{:.3f}", *huge_share);
}

void add_notes(const ArraySize& size, const PagePlan& pages, const std::string& shortage, Outcome& outcome) {
    outcome.notes = {
        size.reason,
        "Bytes are counted by STREAM's rule, 8 a load and 8 a store: 8 an element for read and write, 16 for "
        "copy and scale, 24 for add and triad; kernels with _nt store around the caches. 1 GB/s is 10^9 "
        "bytes "
        "a second. memory.bandwidth.bus adds the 8 bytes an element that plain stores read before "
        "(write-allocate): 16 for write, 24 for copy and scale, 32 for add and triad. It is derived, not "
        "counted; a CPU that notices wholly written lines moves less.",
        "Each thread has its own CPU and works on what it touched first; a sample is some milliseconds of "
        "work, taken in chunks of 128 KiB an array, so that no thread waits for another's share. "
        "memory.bandwidth.plain is a plain vector loop; memory.bandwidth the "
        "best of it and of prefetches by software, several streams a thread and pages, as a short trial "
        "chose "
        "(pattern_* says which).",
        pages.note,
    };
    if (!shortage.empty()) outcome.notes.push_back(shortage);
}

/// All kernels, on all threads; the run that scaling and node pairs are measured with: read where it is among
/// them. Nothing where no kernel was possible.
std::optional<BestRun> measure_kernels(const Case& the_case, const ArraySize& size, Context& context,
                                       Outcome& outcome) {
    const std::vector<NamedKernel> chosen = kernels_of(the_case);
    const kernels::Isa isa = isa_of(the_case);
    const PagePlan pages = pages_of(the_case);
    const SamplingPolicy policy = policy_of(the_case, context);
    kernels::ThreadTeam team(threads_of(the_case));
    context.progress("filling the arrays", 0);
    const PageSets sets =
        make_page_sets(pages, *context.device, team, arrays_of(chosen), size.bytes, context.seed);

    add_notes(size, pages, sets.shortage, outcome);
    std::optional<BestRun> first;
    std::string left_out;
    double done = 0;
    for (const NamedKernel& kernel : chosen) {
        context.progress(kernel.name(), ++done / static_cast<double>(chosen.size() + 2));
        if (!kernels::stream_possible(plain_pattern(isa, kernel.non_temporal))) {
            left_out += (left_out.empty() ? "" : ", ") + kernel.name();
            continue;
        }
        BestRun best = measure_kernel(kernel, isa, sets, pages, policy, context, outcome);
        if (!first) first = std::move(best);
    }
    outcome.resolved["isa"] = kernels::to_string(isa);
    outcome.resolved["threads"] = std::to_string(team.size());
    outcome.resolved["bytes"] = std::to_string(size.bytes);
    outcome.resolved["arrays"] = std::to_string(arrays_of(chosen));
    resolve(sets, pages, outcome);
    if (!left_out.empty())
        outcome.notes.push_back(
            left_out + " left out: the kernels of this instruction set have no non-temporal stores.");
    if (policy.maximum_time < context.sampling.maximum_time)
        outcome.notes.push_back(fmt::format("With kernel=all each pattern is sampled for {:.2g} s at most.",
                                            policy.maximum_time.count()));
    return first;
}

Outcome run(const Case& the_case, Context& context) {
    if (Accelerator* const accelerator = context.device->accelerator())
        return offloaded_bandwidth(the_case, context, *accelerator);
    const ArraySize size = array_size(the_case);
    if (!size.impossible.empty())
        return skipped(
            the_case,
            size.impossible + (pages_of(the_case).huge.size() > 1
                                   ? " (half of them on huge pages; huge_pages=never needs none of these)"
                                   : ""));
    if (the_case.is_auto("bytes") && !size.useful)
        return skipped(
            the_case,
            fmt::format("arrays in half of the {} of memory that may be used ({} at a time) have {} "
                        "each, which the last-level caches of {} hold",
                        bytes_in_words(usable_memory_bytes()), all_arrays_of(the_case),
                        bytes_in_words(size.bytes), bytes_in_words(kernels::last_level_cache_bytes())));
    Outcome outcome;
    // Before a team pins this thread.
    const std::vector<int> cpus = kernels::cpus_by_core();
    const std::optional<BestRun> best = measure_kernels(the_case, size, context, outcome);
    if (!best)
        return skipped(the_case,
                       fmt::format("{} needs non-temporal stores, which the {} kernels do not have here",
                                   the_case.text("kernel"), kernels::to_string(isa_of(the_case))));
    // Of fewer threads nothing was promised.
    if (the_case.is_auto("threads")) add_expectation(read_memory_system(), context.cpu_facts, outcome);
    if (the_case.text("scaling") == "no") return outcome;

    const int threads = threads_of(the_case);
    context.progress("fewer threads", 0.9);
    measure_scaling(*best, threads, size.bytes, point_policy(context), context, outcome);
    if (!the_case.is_auto("threads")) return outcome;
    const std::vector<NumaNode> nodes = numa_nodes();
    const NodePairs pairs = node_pairs(nodes, cpus);
    outcome.notes.insert(outcome.notes.end(), pairs.left_out.begin(), pairs.left_out.end());
    if (pairs.pairs.empty()) return outcome;
    context.progress("pairs of NUMA nodes", 0.95);
    // A node with CPUs has its share of all caches, and so has its arrays.
    std::set<int> with_cpus;
    for (const NodePair& pair : pairs.pairs) with_cpus.insert(pair.cpu_node);
    measure_node_pairs(*best, pairs.pairs, size.bytes / with_cpus.size(), point_policy(context), context,
                       outcome);
    return outcome;
}

void check(const Case& the_case, const Context&) {
    if (!on_cpu(the_case)) return check_offloaded_bandwidth(the_case);
    threads_of(the_case);
    isa_of(the_case);
}

Estimate estimate(const Case& the_case, const Context& context) {
    if (!on_cpu(the_case)) return estimate_offloaded_bandwidth(the_case, context);
    const std::vector<NamedKernel> chosen = kernels_of(the_case);
    const ArraySize size = array_size(the_case);
    const SamplingPolicy policy = policy_of(the_case, context);
    const double filling = static_cast<double>(size.bytes) * 1e-9;
    Estimate estimate;
    if (!size.impossible.empty()) {
        estimate.seconds = 0.5;
        return estimate;
    }
    estimate.memory_bytes = array_footprint(size.bytes) * static_cast<std::uint64_t>(all_arrays_of(the_case));
    const double kernels_alone = 1.5 + filling * all_arrays_of(the_case) +
                                 static_cast<double>(chosen.size()) *
                                     (0.4 + 2 * (policy.maximum_time + policy.maximum_warm_up).count());
    const Budget& budget = budget_of(context);
    estimate.seconds = chosen.size() > 1 ? std::min(kernels_alone, budget.whole_case) : kernels_alone;
    if (the_case.text("scaling") == "no") return estimate;
    const int threads = threads_of(the_case);
    double points = static_cast<double>(scaling_steps(threads, kernels::allowed_cores()).size() - 1);
    if (the_case.is_auto("threads"))
        points += static_cast<double>(node_pairs(numa_nodes(), kernels::cpus_by_core()).pairs.size());
    // One thread fills an array slower than all.
    estimate.seconds += points * ((budget.point + budget.warm_up).count() + 0.1) + filling * 4;
    return estimate;
}

}  // namespace

Probe memory_bandwidth_probe() {
    Probe probe;
    probe.name = "memory.bandwidth";
    probe.summary = "How fast all of a device reads, writes and copies memory that no cache holds.";
    probe.parameters = {
        {"device", ParameterKind::device, "cpu:0", "the device whose memory is used"},
        {"kernel",
         ParameterKind::choice,
         "all",
         "what is done to each element; _nt with stores that go around the caches; all: one after another",
         0,
         0,
         {"all", "read", "write", "write_nt", "copy", "copy_nt", "scale", "scale_nt", "add", "add_nt",
          "triad", "triad_nt"}},
        threads_parameter(),
        {"bytes", ParameterKind::bytes, "auto",
         "size of each array; auto: 4 x all last-level caches, at most half of the memory for all arrays",
         4096},
        {"huge_pages",
         ParameterKind::choice,
         "try",
         "whether the best pattern is also looked for on 2 MiB pages",
         0,
         0,
         {"try", "never"}},
        isa_parameter(),
        {"scaling",
         ParameterKind::choice,
         "yes",
         "whether one kernel is also measured on 1, 2, 4 ... threads and on pairs of NUMA nodes",
         0,
         0,
         {"yes", "no"}},
    };
    probe.metrics = {attainable_bandwidth_metric(), plain_bandwidth_metric(), bus_bandwidth_metric(),
                     scaling_metric(), node_metric()};
    probe.run = run;
    probe.estimate = estimate;
    probe.check = check;
    probe.tiny = {{"bytes", "256K"}};
    return probe;
}

}  // namespace assay
