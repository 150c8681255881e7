#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "kernels/cpu/caches.h"
#include "kernels/device/memory_limit.h"
#include "kernels/offload/stream.h"
#include "probes/core/bytes_in_words.h"
#include "probes/core/device_room.h"
#include "probes/core/statistics.h"
#include "probes/memory/offloaded/offloaded.h"
#include "probes/memory/streams/bandwidth_parts.h"
#include "probes/memory/streams/stream_arrays.h"

namespace assay {

using kernels::OffloadedPattern;
using kernels::OffloadedStream;
using kernels::StreamKernel;

namespace {

constexpr std::uint64_t card_array = std::uint64_t{1}
                                     << 30;  ///< four times the largest cache of a card known
constexpr double shortest_sample = 5e-3;

std::vector<StreamKernel> kernels_of(const Case& the_case) {
    std::vector<StreamKernel> chosen;
    for (const NamedKernel& named : all_stream_kernels())
        if (!named.non_temporal &&
            (the_case.text("kernel") == "all" || the_case.text("kernel") == named.name()))
            chosen.push_back(named.kernel);
    return chosen;
}

int arrays_of(const std::vector<StreamKernel>& chosen) {
    int arrays = 1;
    for (const StreamKernel kernel : chosen) arrays = std::max(arrays, NamedKernel{kernel, false}.arrays());
    return arrays;
}

std::uint64_t rounded_up(std::uint64_t bytes) {
    constexpr std::uint64_t multiple = kernels::offloaded_array_multiple;
    return (bytes + multiple - 1) / multiple * multiple;
}

/// Of a card, whose caches OpenCL and CUDA do not tell alike: 1 GiB, or an eighth of a small memory (or of
/// what others leave of it).
ArraySize card_array_size(std::uint64_t asked, std::uint64_t memory) {
    ArraySize size;
    size.bytes = asked != 0 ? asked : std::min(card_array, memory / 8);
    // One that is empty would fit a card that is full.
    size.bytes = std::max<std::uint64_t>(rounded_up(size.bytes), kernels::offloaded_array_multiple);
    size.reason =
        fmt::format("Arrays of {} bytes each{}.", size.bytes,
                    size.bytes < card_array ? ", which the caches of some cards hold in part: the figure may "
                                              "be theirs, and not the memory's"
                    : asked == 0            ? ", far above what a card's caches hold"
                                            : "");
    return size;
}

ArraySize size_on(const Accelerator& accelerator, const Case& the_case, int arrays) {
    // Rounded before it is told, so that the note has the size that is measured.
    const std::uint64_t asked = the_case.is_auto("bytes") ? 0 : rounded_up(the_case.bytes("bytes"));
    if (accelerator.is_card()) return card_array_size(asked, room_of(accelerator).bytes);
    ArraySize size = size_arrays(asked, arrays, kernels::last_level_cache_bytes(),
                                 std::min(usable_memory_bytes(), accelerator.info().memory_bytes));
    size.bytes = rounded_up(size.bytes);
    return size;
}

/// One kernel on arrays that are there.
class Run {
  public:
    Run(Accelerator& accelerator, OffloadedStream& arrays, StreamKernel kernel, Context& context)
        : accelerator_(accelerator), arrays_(arrays), kernel_(kernel), context_(context) {}

    double rate(const OffloadedPattern& pattern, int passes) {
        const double seconds = timed(accelerator_.queue(), [&] {
            for (int i = 0; i < passes; ++i) arrays_.run(kernel_, pattern);
        });
        return bytes() * passes / std::max(seconds, 1e-9);
    }

    /// The best of three passes each; patterns that the device cannot run are left out.
    OffloadedPattern best() {
        OffloadedPattern best = kernels::plain_offloaded_pattern(accelerator_);
        double best_rate = 0;
        for (const OffloadedPattern& pattern : kernels::offloaded_patterns(accelerator_, kernel_)) {
            try {
                double fastest = 0;
                for (int i = 0; i < 3; ++i) fastest = std::max(fastest, rate(pattern, 1));
                if (fastest > best_rate) {
                    best = pattern;
                    best_rate = fastest;
                }
            } catch (const DeviceError& error) {
                if (error.lost()) throw;
            }
        }
        return best;
    }

    SampleSet measure(const OffloadedPattern& pattern, const SamplingPolicy& policy, std::uint64_t& wrong) {
        arrays_.poison(kernel_);
        const int passes =
            static_cast<int>(std::clamp(std::ceil(shortest_sample * rate(pattern, 1) / bytes()), 1.0, 1e4));
        const SampleSet set = context_.sample(policy, [&] { return rate(pattern, passes); });
        // What the samples wrote over and over is written once more over nothing.
        arrays_.poison(kernel_);
        rate(pattern, 1);
        wrong += arrays_.wrong_elements(kernel_, pattern);
        return set;
    }

  private:
    /// By STREAM's rule, of elements of 4 bytes.
    double bytes() const {
        return static_cast<double>(arrays_.elements()) * kernels::stream_bytes_per_element(kernel_) / 2;
    }

    Accelerator& accelerator_;
    OffloadedStream& arrays_;
    StreamKernel kernel_;
    Context& context_;
};

SamplingPolicy policy_of(const Case& the_case, const Context& context) {
    SamplingPolicy policy = context.sampling;
    if (the_case.text("kernel") != "all") return policy;
    const Seconds most(context.quick ? 0.2 : 1.0);
    policy.maximum_time = std::min(policy.maximum_time, most);
    policy.minimum_time = std::min(policy.minimum_time, policy.maximum_time);
    policy.maximum_warm_up = std::min(policy.maximum_warm_up, most / 4);
    return policy;
}

void measure_kernel(StreamKernel kernel, Accelerator& accelerator, OffloadedStream& arrays,
                    const SamplingPolicy& policy, Context& context, Outcome& outcome) {
    const std::string name(to_string(kernel));
    Run run(accelerator, arrays, kernel, context);
    const OffloadedPattern plain = kernels::plain_offloaded_pattern(accelerator);
    OffloadedPattern best = run.best();
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
    const Labels axes = {{"kernel", name}};
    outcome.metrics.push_back(make_metric(attainable_bandwidth_metric(), best_set, Statistic::median, axes));
    outcome.metrics.back().limit =
        memory_bandwidth_limit(find_accelerator(context.accelerator_facts, accelerator.info()));
    outcome.metrics.push_back(make_metric(plain_bandwidth_metric(), plain_set, Statistic::median, axes));
    outcome.checks.push_back(
        {name + (kernel == StreamKernel::read ? " sum is exact" : " result is exact"), wrong == 0,
         static_cast<double>(wrong),
         kernel == StreamKernel::read
             ? fmt::format("sum of {} integers against the host's", arrays.elements())
             : fmt::format("{} wrong of {} elements, all compared on the host", wrong, arrays.elements())});
    outcome.resolved["pattern_" + name] = best.describe();
}

}  // namespace

Outcome offloaded_bandwidth(const Case& the_case, Context& context, Accelerator& accelerator) {
    const std::vector<StreamKernel> chosen = kernels_of(the_case);
    const int arrays = arrays_of(chosen);
    const ArraySize size = size_on(accelerator, the_case, arrays);
    const std::uint64_t needed =
        size.bytes * static_cast<std::uint64_t>(arrays) + kernels::offloaded_sums_bytes;
    const DeviceRoom room = room_of(accelerator);
    if (!size.useful || needed > room.bytes)
        return skipped(the_case,
                       fmt::format("{} of {}{} {}, sums included, of {}, of which {}",
                                   counted(static_cast<std::uint64_t>(arrays), "array", "arrays"),
                                   bytes_in_words(size.bytes), arrays == 1 ? " takes" : " each take",
                                   bytes_in_words(needed), accelerator.info().id, room.words));
    Outcome outcome;
    context.progress("filling the arrays", 0);
    OffloadedStream stream(accelerator, arrays, size.bytes, static_cast<std::uint32_t>(context.seed));
    double done = 0;
    for (const StreamKernel kernel : chosen) {
        context.progress(to_string(kernel), ++done / static_cast<double>(chosen.size() + 1));
        measure_kernel(kernel, accelerator, stream, policy_of(the_case, context), context, outcome);
    }
    outcome.resolved["bytes"] = std::to_string(size.bytes);
    outcome.resolved["arrays"] = std::to_string(arrays);
    outcome.notes = {
        size.reason,
        "Bytes are counted by STREAM's rule, what is loaded and what is stored; elements are 32-bit "
        "integers, "
        "whose results are exact. 1 GB/s is 10^9 bytes a second. Timed by the device's events, over whole "
        "arrays.",
        "memory.bandwidth.plain is a kernel of 16 bytes a work-item; memory.bandwidth the best of it and of "
        "patterns with more loads under way, as a short trial chose (pattern_* says which).",
    };
    if (!accelerator.is_card())
        outcome.notes.push_back(accelerator.info().id + " computes on the CPU: its memory is the host's.");
    return outcome;
}

void check_offloaded_bandwidth(const Case& the_case) {
    const std::string& device = the_case.text("device");
    for (const char* name : {"threads", "isa"})
        if (!the_case.is_auto(name))
            throw InputError(
                fmt::format("memory.bandwidth.{}: is of cpu:0 alone; accepted on {}: auto", name, device));
    if (the_case.text("kernel").ends_with("_nt"))
        throw InputError(
            fmt::format("memory.bandwidth.kernel: {} is of cpu:0 alone; accepted on {}: all, read, "
                        "write, copy, scale, add, triad",
                        the_case.text("kernel"), device));
}

Estimate estimate_offloaded_bandwidth(const Case& the_case, const Context& context) {
    const SamplingPolicy policy = policy_of(the_case, context);
    const double chosen = static_cast<double>(kernels_of(the_case).size());
    Estimate estimate;
    // Compiling and the trial of a dozen patterns, both measurements, and a result compared on the host.
    estimate.seconds = 2 + chosen * (4 + 2 * (policy.maximum_time + policy.maximum_warm_up).count() +
                                     (context.quick ? 1 : 3));
    return estimate;
}

}  // namespace assay
