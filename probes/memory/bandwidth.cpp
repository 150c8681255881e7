#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "kernels/cpu/caches.h"
#include "kernels/device/memory_limit.h"
#include "kernels/device/pages.h"
#include "probes/core/cpu_choice.h"
#include "probes/core/statistics.h"
#include "probes/memory/memory.h"
#include "probes/memory/stream_arrays.h"

namespace assay {

namespace {

using kernels::StreamPattern;

constexpr Seconds section_time{5e-3};
constexpr Seconds shortest_sample{1e-3};
constexpr int trial_rounds = 3;
// A pattern must beat the plain one by this in the trial to be measured beside it.
constexpr double worthwhile_gain = 1.01;

// With kernel=all, eleven kernels are measured twice each at most.
struct Budget {
    Seconds sampling;
    Seconds warm_up;
    double whole_case;
};
constexpr Budget quick_budget{Seconds(0.4), Seconds(0.1), 18};
constexpr Budget full_budget{Seconds(1.0), Seconds(0.2), 36};

const MetricDeclaration attainable_metric{"memory.bandwidth",
                                          Unit::byte_per_second,
                                          Direction::higher,
                                          "bytes moved by STREAM's rule, with the best access pattern found",
                                          {"kernel"}};
const MetricDeclaration plain_metric{"memory.bandwidth.plain",
                                     Unit::byte_per_second,
                                     Direction::higher,
                                     "bytes moved by STREAM's rule, with a plain vector loop",
                                     {"kernel"}};

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

ArraySize array_size(const Case& the_case) {
    return size_arrays(the_case.is_auto("bytes") ? 0 : the_case.bytes("bytes"),
                       arrays_of(kernels_of(the_case)), kernels::last_level_cache_bytes(),
                       usable_memory_bytes());
}

StreamPattern plain_pattern(bool non_temporal) {
    return {std::min(kernels::best_isa(), kernels::Isa::avx512), non_temporal, 0, 1};
}

std::string describe(const StreamPattern& pattern) {
    if (pattern.prefetch_bytes == 0 && pattern.streams == 1) return "plain loop";
    return fmt::format(
        "{}{}{}",
        pattern.prefetch_bytes == 0 ? "" : fmt::format("prefetch {} bytes ahead", pattern.prefetch_bytes),
        pattern.prefetch_bytes != 0 && pattern.streams > 1 ? ", " : "",
        pattern.streams == 1 ? "" : fmt::format("{} streams a thread", pattern.streams));
}

/// Ways to walk the arrays that are tried against the plain one.
std::vector<StreamPattern> rival_patterns(const NamedKernel& kernel) {
    std::vector<StreamPattern> rivals;
    const bool has_inputs = kernel.kernel != kernels::StreamKernel::write;
    for (const std::size_t prefetch_bytes : {0, 1024, 4096, 8192}) {
        if (prefetch_bytes != 0 && !has_inputs) break;
        for (const int streams : {1, 2, 4}) {
            StreamPattern pattern = plain_pattern(kernel.non_temporal);
            pattern.prefetch_bytes = prefetch_bytes;
            pattern.streams = streams;
            if (prefetch_bytes != 0 || streams != 1) rivals.push_back(pattern);
        }
    }
    return rivals;
}

/// One kernel on one set of arrays.
class KernelRun {
  public:
    KernelRun(StreamArraySet& arrays, const NamedKernel& kernel, Context& context)
        : arrays_(arrays), kernel_(kernel), context_(context) {
        // A sample is one section, long enough to time and short enough for many of them.
        arrays_.set_sections(1);
        const double pass = timed(plain_pattern(kernel.non_temporal), 1).seconds;
        arrays_.set_sections(
            static_cast<std::size_t>(std::clamp(std::floor(pass / section_time.count()), 1.0, 1000.0)));
        batch_ = static_cast<int>(std::max(std::ceil(shortest_sample.count() / pass), 1.0));
    }

    /// The pattern with the highest median over a few rounds, in which the patterns take turns.
    StreamPattern best_pattern() {
        const StreamPattern plain = plain_pattern(kernel_.non_temporal);
        const std::vector<StreamPattern> rivals = rival_patterns(kernel_);
        std::vector<std::vector<double>> rates(rivals.size() + 1);
        for (int round = 0; round < trial_rounds; ++round) {
            rates.back().push_back(timed(plain, batch_).rate);
            for (std::size_t i = 0; i < rivals.size(); ++i) rates[i].push_back(timed(rivals[i], batch_).rate);
        }
        const double plain_rate = median_of(rates.back());
        StreamPattern best = plain;
        double best_rate = plain_rate * worthwhile_gain;
        for (std::size_t i = 0; i < rivals.size(); ++i) {
            if (median_of(rates[i]) <= best_rate) continue;
            best_rate = median_of(rates[i]);
            best = rivals[i];
        }
        return best;
    }

    /// Samples a pattern over arrays whose result was poisoned first; wrong elements are added to `wrong`.
    SampleSet measure(const StreamPattern& pattern, const SamplingPolicy& policy, std::uint64_t& wrong) {
        arrays_.poison(kernel_);
        std::size_t sections_done = 0;
        const SampleSet set = context_.sample(policy, [&] {
            sections_done += static_cast<std::size_t>(batch_);
            return timed(pattern, batch_).rate;
        });
        for (; sections_done < arrays_.sections(); ++sections_done) arrays_.run_section(kernel_, pattern);
        wrong += arrays_.wrong_elements(kernel_);
        return set;
    }

  private:
    struct Timing {
        double seconds = 0;
        double rate = 0;
    };
    Timing timed(const StreamPattern& pattern, int batch) {
        std::size_t elements = 0;
        const Nanoseconds begin = context_.clock.now();
        for (int i = 0; i < batch; ++i) elements += arrays_.run_section(kernel_, pattern);
        const double seconds = std::max(seconds_of(context_.clock.now() - begin), 1e-9);
        const double bytes =
            static_cast<double>(elements) * kernels::stream_bytes_per_element(kernel_.kernel);
        return {seconds, bytes / seconds};
    }

    StreamArraySet& arrays_;
    NamedKernel kernel_;
    Context& context_;
    int batch_ = 1;
};

SamplingPolicy policy_of(const Case& the_case, const Context& context) {
    SamplingPolicy policy = context.sampling;
    if (the_case.text("kernel") != "all") return policy;
    const Budget& budget = context.quick ? quick_budget : full_budget;
    policy.maximum_time = std::min(policy.maximum_time, budget.sampling);
    policy.minimum_time = std::min(policy.minimum_time, policy.maximum_time);
    policy.maximum_warm_up = std::min(policy.maximum_warm_up, budget.warm_up);
    return policy;
}

void measure_kernel(const NamedKernel& kernel, StreamArraySet& arrays, const SamplingPolicy& policy,
                    Context& context, Outcome& outcome) {
    const std::string name = kernel.name();
    KernelRun run(arrays, kernel, context);
    const StreamPattern plain = plain_pattern(kernel.non_temporal);
    StreamPattern best = run.best_pattern();
    std::uint64_t wrong = 0;
    const SampleSet plain_set = run.measure(plain, policy, wrong);
    SampleSet best_set = plain_set;
    if (best.prefetch_bytes != plain.prefetch_bytes || best.streams != plain.streams) {
        best_set = run.measure(best, policy, wrong);
        // The trial was short; what it chose must also hold when measured.
        if (median_of(best_set.values) < median_of(plain_set.values)) {
            best = plain;
            best_set = plain_set;
        }
    }
    outcome.metrics.push_back(
        make_metric(attainable_metric, best_set, Statistic::median, {{"kernel", name}}));
    outcome.metrics.push_back(make_metric(plain_metric, plain_set, Statistic::median, {{"kernel", name}}));
    outcome.resolved["pattern_" + name] = describe(best);
    const char* const exact =
        kernel.kernel == kernels::StreamKernel::read ? "sum is exact" : "result is exact";
    outcome.checks.push_back({name + " " + exact, wrong == 0, static_cast<double>(wrong),
                              kernels::stream_stores(kernel.kernel)
                                  ? fmt::format("{} wrong of {} elements", wrong, arrays.elements())
                                  : fmt::format("sum of {} whole numbers {} what was filled in",
                                                arrays.elements(), wrong == 0 ? "is" : "is not")});
}

Outcome run(const Case& the_case, Context& context) {
    const std::vector<NamedKernel> chosen = kernels_of(the_case);
    const int arrays_needed = arrays_of(chosen);
    const ArraySize size = array_size(the_case);
    kernels::ThreadTeam team(threads_of(the_case));
    context.progress("filling the arrays", 0);
    StreamArraySet arrays(*context.device, team, arrays_needed, size.bytes,
                          the_case.text("huge_pages") == "try", context.seed);
    const SamplingPolicy policy = policy_of(the_case, context);

    Outcome outcome;
    std::string left_out;
    double done = 0;
    for (const NamedKernel& kernel : chosen) {
        context.progress(kernel.name(), ++done / static_cast<double>(chosen.size() + 1));
        if (kernels::stream_possible(plain_pattern(kernel.non_temporal)))
            measure_kernel(kernel, arrays, policy, context, outcome);
        else
            left_out += (left_out.empty() ? "" : ", ") + kernel.name();
    }
    if (outcome.metrics.empty())
        return skipped(
            the_case,
            fmt::format("{} needs non-temporal stores, which this CPU's kernels do not have", left_out));

    const std::optional<double> huge_share =
        huge_page_share(arrays.memory().host_pointer(), arrays.memory().bytes());
    outcome.resolved["isa"] = kernels::to_string(plain_pattern(false).isa);
    outcome.resolved["threads"] = std::to_string(team.size());
    outcome.resolved["bytes"] = std::to_string(size.bytes);
    outcome.resolved["arrays"] = std::to_string(arrays_needed);
    outcome.resolved["page_bytes"] = std::to_string(arrays.memory().page_bytes());
    if (huge_share) outcome.resolved["huge_page_share"] = fmt::format("{:.3f}", *huge_share);
    outcome.notes = {
        size.reason,
        "Bytes are counted by STREAM's rule, 8 a load and 8 a store: 8 an element for read and write, 16 for "
        "copy "
        "and scale, 24 for add and triad. What plain stores read besides (write-allocate) is not counted; "
        "kernels "
        "with _nt store around the caches. 1 GB/s is 10^9 bytes a second.",
        "Each thread has its own CPU and works on what it touched first; a sample is a section of the "
        "arrays, which "
        "are gone through in turn. memory.bandwidth.plain is a plain vector loop; memory.bandwidth the best "
        "of it and "
        "of software prefetch and several streams a thread, as a short trial chose (pattern_* says which).",
    };
    if (!left_out.empty())
        outcome.notes.push_back(left_out + " left out: the kernels of this CPU have no non-temporal stores.");
    if (policy.maximum_time < context.sampling.maximum_time)
        outcome.notes.push_back(fmt::format("With kernel=all each pattern is sampled for {:.1f} s at most.",
                                            policy.maximum_time.count()));
    return outcome;
}

void check(const Case& the_case, const Context&) {
    threads_of(the_case);
    const std::uint64_t usable = usable_memory_bytes();
    const std::uint64_t arrays = static_cast<std::uint64_t>(arrays_of(kernels_of(the_case)));
    if (usable != 0 && !the_case.is_auto("bytes") && the_case.bytes("bytes") > usable / arrays)
        throw InputError(
            fmt::format("memory.bandwidth.bytes: {} arrays of {} bytes do not fit into the {} bytes of "
                        "memory that may be used; accepted: up to {}, or auto",
                        arrays, the_case.bytes("bytes"), usable, usable / arrays));
}

Estimate estimate(const Case& the_case, const Context& context) {
    const std::vector<NamedKernel> chosen = kernels_of(the_case);
    const ArraySize size = array_size(the_case);
    const SamplingPolicy policy = policy_of(the_case, context);
    Estimate estimate;
    estimate.memory_bytes = size.bytes * static_cast<std::uint64_t>(arrays_of(chosen));
    const double worst = 1.5 + static_cast<double>(estimate.memory_bytes) * 1e-9 +
                         static_cast<double>(chosen.size()) *
                             (0.4 + 2 * (policy.maximum_time + policy.maximum_warm_up).count());
    const Budget& budget = context.quick ? quick_budget : full_budget;
    estimate.seconds = chosen.size() > 1 ? std::min(worst, budget.whole_case) : worst;
    return estimate;
}

}  // namespace

Probe memory_bandwidth_probe() {
    Probe probe;
    probe.name = "memory.bandwidth";
    probe.summary = "How fast all cores together read, write and copy memory that no cache holds.";
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
         "whether 2 MiB pages are asked for",
         0,
         0,
         {"try", "never"}},
    };
    probe.metrics = {attainable_metric, plain_metric};
    probe.run = run;
    probe.estimate = estimate;
    probe.check = check;
    probe.tiny = {{"bytes", "256K"}};
    return probe;
}

}  // namespace assay
