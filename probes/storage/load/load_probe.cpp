#include "probes/storage/load/load_probe.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "probes/storage/load/engine_choice.h"
#include "probes/storage/load/evidence.h"
#include "probes/storage/load/members.h"
#include "probes/storage/load/recording.h"

namespace assay::storage {
namespace {

std::uint64_t blocks_in_flight(const Case& the_case) {
    return static_cast<std::uint64_t>(the_case.integer("queue_depth") * the_case.integer("jobs"));
}

bool has_parameter(const Case& the_case, std::string_view name) {
    return the_case.parameters.contains(std::string(name));
}

/// Long enough to tell engines apart, and never longer than the measurement itself.
double trial_seconds(const Case& the_case, const Context& context) {
    return std::min(context.quick ? 0.3 : 1.0, the_case.seconds("seconds"));
}

RecordingPlan recording_plan(const LoadKind& kind, const Case& the_case, const Context& context) {
    RecordingPlan plan;
    plan.seconds = the_case.seconds("seconds");
    plan.maximum_warm_up = context.sampling.maximum_warm_up;
    plan.stage = kind.writes ? "writing" : "reading";
    if (kind.writes) {
        // 25 rounds, after which the SNIA's test gives up, too.
        constexpr double windows = 5;
        plan.most_seconds =
            the_case.is_auto("steady_seconds") ? windows * plan.seconds : the_case.seconds("steady_seconds");
    }
    return plan;
}

/// As many as have come back are taken and handed over again together. Where a CPU is busy, more come back
/// before it looks, and system calls and wake-ups are shared by more; where it has time, nothing waits for
/// others, so that the device never has less to do than it might. (Waiting for a quarter of the depth cost a
/// virtual disk about 4 % of its IOPS, for the same CPU time.)
int batch_of(const LoadKind& kind, const Case& the_case) {
    if (!the_case.is_auto("batch")) {
        return static_cast<int>(std::min(the_case.integer("batch"), the_case.integer("queue_depth")));
    }
    if (kind.order == Order::sequential || the_case.integer("queue_depth") == 1) return 1;
    return LoadOptions::as_they_come;
}

/// Adds the metric whose name is the probe's with `suffix`, where the probe declares it.
class MetricWriter {
  public:
    MetricWriter(const Probe& probe, Outcome& outcome) : probe_(probe), outcome_(outcome) {}

    const MetricDeclaration* declaration(std::string_view suffix) const {
        const std::string name = fmt::format("{}.{}", probe_.name, suffix);
        for (const MetricDeclaration& declared : probe_.metrics) {
            if (declared.name == name) return &declared;
        }
        return nullptr;
    }
    void add_rate(std::string_view suffix, const Recording& recording, double factor) {
        const MetricDeclaration* const declared = declaration(suffix);
        if (declared == nullptr) return;
        SampleSet set = recording.rates;
        for (double& value : set.values) value *= factor;
        Metric metric = make_metric(*declared, set);
        // The way to the steady state belongs to the series, at negative times, and to no figure.
        std::vector<SeriesPoint> series = recording.before;
        for (SeriesPoint& point : series) point.value *= factor;
        metric.series.insert(metric.series.begin(), series.begin(), series.end());
        outcome_.metrics.push_back(std::move(metric));
    }
    void add_latency(std::string_view suffix, const Recording& recording, Histogram LoadSlice::*which) {
        const MetricDeclaration* const declared = declaration(suffix);
        if (declared == nullptr) return;
        std::vector<Histogram> histograms;
        for (const LoadSlice& slice : recording.slices) histograms.push_back(slice.*which);
        Metric metric = make_latency_metric(*declared, histograms, recording.rates.at, Statistic::mean);
        if (metric.histogram->count() > 0) outcome_.metrics.push_back(std::move(metric));
    }
    void add_cpu(const Recording& recording) {
        const MetricDeclaration* const declared = declaration("cpu_per_io");
        if (declared == nullptr) return;
        SampleSet set = recording.rates;
        set.values = recording.cpu_per_operation;
        outcome_.metrics.push_back(make_metric(*declared, set));
    }
    void add_single(std::string_view suffix, double value) {
        const MetricDeclaration* const declared = declaration(suffix);
        if (declared == nullptr) return;
        Metric metric = make_exact_metric(*declared, value);
        metric.summary.interval_method = "none: one value for the whole time";
        outcome_.metrics.push_back(std::move(metric));
    }

  private:
    const Probe& probe_;
    Outcome& outcome_;
};

void add_metrics(const LoadKind& kind, const Probe& probe, const LoadOptions& options,
                 const Recording& recording, Outcome& outcome) {
    MetricWriter writer(probe, outcome);
    const double bytes = static_cast<double>(options.block_bytes);
    writer.add_rate("iops", recording, 1);
    writer.add_rate("bandwidth", recording, bytes);
    writer.add_latency("latency", recording,
                       kind.writes ? &LoadSlice::write_latency : &LoadSlice::read_latency);
    if (kind.writes) writer.add_latency("read_latency", recording, &LoadSlice::read_latency);
    writer.add_latency("submission_latency", recording, &LoadSlice::submission);
    writer.add_latency("completion_latency", recording, &LoadSlice::completion);
    writer.add_cpu(recording);
    if (!options.one_by_one() && writer.declaration("submission_latency") != nullptr) {
        outcome.notes.push_back(
            "requests are handed over while others are in flight: what of the latency is submission and what "
            "completion is told apart at queue_depth=1 alone");
    }
    if (options.targets.size() < 2) return;
    const bool in_bytes = writer.declaration("member_bandwidth") != nullptr;
    const MetricDeclaration* const member = writer.declaration(in_bytes ? "member_bandwidth" : "member_iops");
    if (member != nullptr) add_member_rates(*member, options, recording, in_bytes ? bytes : 1, outcome);
    const SharedWork work = shared_work(recording.slices);
    writer.add_single("first_done", work.first_done);
    writer.add_single("last_done", work.last_done);
    outcome.notes.push_back(
        fmt::format("first and last done: when the fastest and when the slowest target had done {:.0f} "
                    "operations, which is what "
                    "the slowest did in the measured time",
                    work.operations));
}

/// "0,2", and of several targets "0,2; 1,3".
std::string cpus_in_words(const LoadOptions& options) {
    std::vector<std::string> of_targets;
    for (const std::vector<int>& cpus : pinned_cpus(options)) {
        of_targets.push_back(fmt::format("{}", fmt::join(cpus, ",")));
    }
    return of_targets.empty() ? "the scheduler's choice" : fmt::format("{}", fmt::join(of_targets, "; "));
}

std::string method_note(const LoadKind& kind, const LoadOptions& options, const Recording& recording) {
    const std::string what =
        kind.writes ? (options.read_share > 0
                           ? fmt::format("{:.0f} % reads and the rest writes", options.read_share * 100)
                           : "writes")
                    : "reads";
    const std::string where = kind.order == Order::sequential
                                  ? "one after another, each job in a part of its own"
                                  : "at random multiples of that";
    const std::string how =
        options.batch == 1 ? "submitted and reaped one by one, each with its own time stamps"
        : options.batch == LoadOptions::as_they_come
            ? "reaped and submitted again as many as have come back together, which share a time stamp"
            : fmt::format("submitted and reaped in batches of {} and more, which share a time stamp",
                          options.batch);
    return fmt::format(
        "{}, O_DIRECT from and to page-aligned memory, {} jobs of depth {}{}, {} of {} bytes {}, each job a "
        "thread with a queue and a random stream of its own, {}; {}; latency from before submission until "
        "reaped; a sample is a slice of {:.0f} ms; {} slices of warm-up left out",
        to_string(options.engine), options.jobs, options.queue_depth,
        options.targets.size() > 1 ? " on each target" : "", what, options.block_bytes, where,
        pinned_cpus(options).empty() ? "placed by the scheduler since there are more than CPUs"
                                     : "pinned to a CPU",
        how, recording.slices.empty() ? 0 : recording.slices.front().seconds * 1e3,
        recording.rates.warm_up_samples);
}

void add_write_notes(const LoadCase& ready, const Recording& recording, Outcome& outcome) {
    outcome.notes.push_back(fmt::format(
        "every block is the seed's noise under a key of its own (offset, seed, generation): "
        "incompressible, unlike any other, and told from itself; not flushed one by one, so that a device "
        "with a write cache may answer from it; {} bytes were written in all",
        recording.verification.written_bytes));
    for (std::size_t i = 0; i < ready.targets.size(); ++i) {
        const std::optional<double> share = share_of_device(ready.targets[i], ready.spans[i]);
        if (!share) continue;
        outcome.notes.push_back(fmt::format(
            "the span is {:.3g} % of the device{}", *share * 100,
            *share < 0.99
                ? ", some of which may sit in its cache: this is not an SNIA test, only its steady-state rule"
                : ""));
    }
    if (!recording.steady_state) return;
    const SteadyState& state = *recording.steady_state;
    outcome.notes.push_back(fmt::format(
        "steady state by the SNIA's rule (5 rounds; range within 20 % of the mean, rise of the fitted line "
        "within 10 "
        "%): {}; range {:.1f} %, rise {:.1f} %, after {:.1f} s of writing before the measured window",
        state.reached ? "reached" : "NOT reached in the time allowed", state.range * 100, state.rise * 100,
        recording.before.empty() ? 0.0 : -recording.before.front().at));
}

}  // namespace

Probe load_probe(const LoadKind& kind, std::string_view summary) {
    Probe probe;
    probe.name = kind.probe;
    probe.summary = summary;
    const bool random = kind.order == Order::random;
    probe.parameters = target_parameters(kind, random ? "4096" : "1M");
    const Parameter load[] = {
        {"queue_depth", ParameterKind::integer, random ? "32" : "8",
         "transfers that each job keeps in flight", 1, 4096},
        {"jobs", ParameterKind::integer, random ? "4" : "1",
         "threads that work on each target at the same time", 1, 256},
        {"batch", ParameterKind::integer, "auto",
         random ? "transfers reaped and submitted together, at least; 1: one by one; auto: all that "
                  "have come back"
                : "transfers reaped and submitted together, at least; 1: one by one; auto: 1",
         1, 4096},
        {"seconds", ParameterKind::seconds, "10", "time measured, after warming up", 0.1, 86400},
        {"verify",
         ParameterKind::choice,
         "sample",
         "blocks compared with what was written: a sample while and after it runs, or all of the span after "
         "it",
         0,
         0,
         {"sample", "all"}},
    };
    probe.parameters.insert(probe.parameters.end(), std::begin(load), std::end(load));
    if (kind.writes) {
        probe.parameters.push_back(
            {"steady_seconds", ParameterKind::seconds, "auto",
             "longest time to write until the level is steady; auto: five times `seconds`", 0.1, 864000});
    }
    if (kind.writes && random) {
        probe.parameters.push_back({"read_share", ParameterKind::real, "0",
                                    "share of reads among the transfers, for a mix; 0: writes alone", 0,
                                    0.99});
    }
    probe.tiny = {{"size", "16M"}, {"queue_depth", "4"}, {"jobs", "1"}, {"seconds", "0.3"}};
    if (!random) probe.tiny["block_bytes"] = "64K";
    if (kind.writes) probe.tiny["steady_seconds"] = "0.3";
    return probe;
}

void check_load_case(const LoadKind& kind, const Case& the_case, const Context& context) {
    check_load(kind, the_case, context, blocks_in_flight(the_case));
}

Estimate estimate_load(const LoadKind& kind, const Case& the_case, const Context& context) {
    const RecordingPlan plan = recording_plan(kind, the_case, context);
    const PreparationEstimate preparation = estimate_preparation(kind, the_case, context);
    Estimate estimate;
    estimate.written_bytes = preparation.scratch_bytes;
    // Most are steady in their first or second window; the time limit, three times this, covers the longest
    // wait.
    estimate.seconds = std::max(plan.seconds * (kind.writes ? 1.5 : 1), plan.most_seconds / 2.5) +
                       plan.maximum_warm_up.count() + 2 * trial_seconds(the_case, context) + 0.5 +
                       preparation.seconds;
    estimate.memory_bytes = the_case.bytes("block_bytes") * blocks_in_flight(the_case);
    return estimate;
}

Outcome run_load(const LoadKind& kind, const Probe& probe, const Case& the_case, Context& context) {
    check_load_case(kind, the_case, context);
    Outcome outcome;
    const LoadCase ready = prepare_load(kind, the_case, context, outcome);
    if (outcome.status != Status::measured) return outcome;

    LoadOptions options = load_options(kind, the_case, ready);
    options.queue_depth = static_cast<int>(the_case.integer("queue_depth"));
    options.jobs = static_cast<int>(the_case.integer("jobs"));
    options.batch = batch_of(kind, the_case);
    if (has_parameter(the_case, "read_share")) options.read_share = the_case.real("read_share");

    const EngineChoice choice =
        choose_engine(the_case.text("engine"), options, trial_seconds(the_case, context), context);
    if (!choice.engine) return skipped(the_case, choice.how);
    options.engine = *choice.engine;

    const TransferCounters counters(ready.targets);
    const Nanoseconds begin = context.clock.now();
    const Recording recording = record(options, recording_plan(kind, the_case, context), context);
    const double elapsed = seconds_of(context.clock.now() - begin);
    const std::optional<double> busy = counters.busy_seconds();

    tell_engine(choice, {&recording}, outcome);
    outcome.resolved["batch"] =
        options.batch == LoadOptions::as_they_come ? "as they come back" : fmt::format("{}", options.batch);
    outcome.resolved["cpus"] = cpus_in_words(options);

    const Verification& done = recording.verification;
    outcome.checks = counters.checks(done.read_bytes, done.written_bytes, outcome.notes);
    outcome.checks.push_back(little_check(recording.slices));
    add_content_checks(ready, done, options, outcome);
    if (the_case.text("verify") == "all") add_verify_pass(ready, context, outcome);
    add_metrics(kind, probe, options, recording, outcome);
    if (busy) MetricWriter(probe, outcome).add_single("device_busy", std::min(1.0, *busy / elapsed));

    outcome.notes.insert(outcome.notes.begin(), method_note(kind, options, recording));
    if (kind.writes) add_write_notes(ready, recording, outcome);
    if (!kind.writes && !recording.rates.steady) {
        outcome.notes.push_back("the rate was not steady: see the series");
    }
    for (std::size_t i = 0; i < ready.targets.size(); ++i) {
        for (std::string& note : machine_notes(ready.targets[i], ready.spans[i])) {
            if (std::find(outcome.notes.begin(), outcome.notes.end(), note) == outcome.notes.end())
                outcome.notes.push_back(std::move(note));
        }
    }
    return outcome;
}

}  // namespace assay::storage
