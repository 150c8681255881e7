#include "probes/memory/checked/passes.h"

#include <algorithm>

#include <fmt/format.h>

#include "probes/core/statistics.h"

namespace assay {

namespace {

// A second pass is made when it ends within this, of the whole case.
constexpr Seconds quick_budget{2.5};
constexpr Seconds full_budget{90};

const MetricDeclaration verified_bytes_metric{"memory.capacity.verified_bytes", Unit::byte, Direction::higher,
                                              "memory written, read back and found right"};
const MetricDeclaration verified_share_metric{"memory.capacity.verified_share", Unit::ratio,
                                              Direction::higher, "verified over labelled memory"};
const MetricDeclaration write_metric{"memory.capacity.write_bandwidth", Unit::byte_per_second,
                                     Direction::higher, "bytes of pattern written into resident memory"};
const MetricDeclaration verify_metric{"memory.capacity.verify_bandwidth", Unit::byte_per_second,
                                      Direction::higher, "bytes of pattern read back and compared"};

/// Samples of several passes one after another.
void append(SampleSet& all, const SampleSet& more) {
    const double begin = all.at.empty() ? 0 : all.at.back();
    for (std::size_t i = 0; i < more.values.size(); ++i) {
        all.values.push_back(more.values[i]);
        all.at.push_back(begin + more.at[i]);
    }
    all.steady = is_steady(all.values);
}

}  // namespace

Passes run_passes(const CheckedMemory& memory, Context& context, Nanoseconds begin) {
    Passes passes;
    std::optional<kernels::AddressPattern> before;
    for (const bool inverted : {false, true}) {
        const kernels::AddressPattern pattern{context.seed * 0x9e3779b97f4a7c15u + 1, inverted};
        const std::string name = inverted ? "inverted pattern" : "pattern";
        const Nanoseconds pass_begin = context.clock.now();
        context.progress("writing the " + name, inverted ? 0.6 : 0.3);
        append(passes.written, memory.write(pattern));
        context.progress("verifying the " + name, inverted ? 0.8 : 0.5);
        append(passes.verified, memory.verify(pattern, passes.wrong));
        ++passes.done;
        if (passes.wrong.count != 0) {
            passes.detail = describe_wrong(passes.wrong, pattern, before, memory.bytes);
            return passes;
        }
        before = pattern;
        const Nanoseconds now = context.clock.now();
        const Seconds budget = context.quick ? quick_budget : full_budget;
        if (seconds_of(now - begin) + seconds_of(now - pass_begin) > budget.count()) return passes;
    }
    return passes;
}

Check pattern_check_of(const Passes& passes, std::uint64_t bytes) {
    Check check{"memory holds what was written", passes.wrong.count == 0,
                static_cast<double>(passes.wrong.count), passes.detail};
    if (check.passed)
        check.detail = fmt::format("{} words were read back right, {}", bytes / sizeof(std::uint64_t),
                                   passes.done == 2 ? "and once more with all bits turned" : "once");
    return check;
}

std::vector<MetricDeclaration> capacity_metrics() {
    return {verified_bytes_metric, verified_share_metric, write_metric, verify_metric};
}

void add_capacity_metrics(std::uint64_t taken, std::uint64_t absent, const Passes& passes,
                          const LabelledMemory& labelled, Outcome& outcome) {
    const std::uint64_t unverified = std::min(taken, passes.wrong.count * sizeof(std::uint64_t) + absent);
    const double verified = static_cast<double>(taken - unverified);
    outcome.metrics.push_back(make_exact_metric(verified_bytes_metric, verified));
    if (labelled.bytes != 0) {
        const double share = verified / static_cast<double>(labelled.bytes);
        outcome.metrics.push_back(make_exact_metric(verified_share_metric, share));
        outcome.notes.push_back(
            fmt::format("Verified {:.0f} of {} bytes, {:.1f} % ({}). The rest is in use or kept free and was "
                        "not looked at.",
                        verified, labelled.bytes, 100 * share, labelled.source));
    }
    outcome.metrics.push_back(make_metric(write_metric, passes.written));
    outcome.metrics.push_back(make_metric(verify_metric, passes.verified));
}

Check all_was_had(const TakenMemory& taken, const CapacitySize& size) {
    return {"all that was asked for was had", taken.refusals == 0 || taken.bytes == size.bytes,
            static_cast<double>(size.bytes - taken.bytes),
            taken.shortage.empty() ? fmt::format("{} bytes", taken.bytes) : taken.shortage};
}

}  // namespace assay
