#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kernels/cpu/affinity.h"
#include "probes/storage/curve_points.h"
#include "probes/storage/load/engine_choice.h"
#include "probes/storage/load/evidence.h"
#include "probes/storage/load/load_case.h"
#include "probes/storage/load/recording.h"
#include "probes/storage/storage.h"
#include "probes/storage/target/block_pattern.h"

namespace assay {
namespace {

using namespace storage;

constexpr LoadKind kind{"storage.latency_curve", Order::random, false};
constexpr double latency_bound = 100e-6;  // the documents' 延迟≤100μs
constexpr double latency_rank = 99;

int jobs_of(const Case& the_case) {
    if (!the_case.is_auto("jobs")) return static_cast<int>(the_case.integer("jobs"));
    // Four threads drive over a million requests a second; more than there are CPUs would only wait for each
    // other.
    return static_cast<int>(std::clamp<std::size_t>(kernels::cpus_by_core().size(), 1, 4));
}

/// So many requests in flight in all, shared out evenly; at small depths fewer jobs.
LoadOptions options_at(LoadOptions options, int jobs, int depth) {
    options.jobs = std::min(jobs, depth);
    options.queue_depth = depth / options.jobs;
    options.deeper_jobs = depth % options.jobs;
    return options;
}

struct Point {
    Recording recording;
    Metric iops;
    Metric latency;
    bool mean_within = false;
    bool percentile_within = false;
};

double percentile_of(const Metric& latency, double rank) {
    for (const Percentile& percentile : latency.summary.percentiles) {
        if (percentile.rank == rank) return percentile.value;
    }
    return latency.summary.maximum;
}

/// Measures the curve's points, each once, in any order.
class Curve {
  public:
    Curve(const Probe& probe, const Case& the_case, LoadOptions options, Context& context)
        : probe_(probe),
          options_(std::move(options)),
          jobs_(jobs_of(the_case)),
          most_(static_cast<int>(the_case.integer("most_depth"))),
          context_(context) {
        plan_.seconds = the_case.seconds("seconds");
        plan_.maximum_warm_up =
            Seconds(std::min(context.sampling.maximum_warm_up.count(), plan_.seconds / 2));
    }

    void measure() {
        for (const int depth : coarse_depths(most_)) measure_at(depth);
        for (const auto within : {&Point::mean_within, &Point::percentile_within}) {
            while (const std::optional<int> depth = next_depth(judged(within))) measure_at(*depth);
        }
    }
    const std::map<int, Point>& points() const { return points_; }

    /// The point with most operations a second among those within the bound; null where there is none.
    const Point* best(bool Point::*within) const {
        const Point* best = nullptr;
        for (const auto& [depth, point] : points_) {
            if (point.*within && (best == nullptr || point.iops.value > best->iops.value)) best = &point;
        }
        return best;
    }

  private:
    void measure_at(int depth) {
        // Points found by bisection are not known beforehand; most curves take three or four more.
        const double expected = static_cast<double>(coarse_depths(most_).size()) + 4;
        const double share = std::min(0.99, static_cast<double>(points_.size()) / expected);
        if (context_.progress) context_.progress(fmt::format("depth {}", depth), share);
        Context quiet = context_;
        quiet.progress = {};

        Point& point = points_[depth];
        point.recording = record(options_at(options_, jobs_, depth), plan_, quiet);
        const Labels axes = {{"depth", fmt::format("{}", depth)}};
        point.iops = make_metric(probe_.metric("storage.latency_curve.iops"), point.recording.rates,
                                 Statistic::median, axes);
        std::vector<Histogram> histograms;
        for (const LoadSlice& slice : point.recording.slices) histograms.push_back(slice.read_latency);
        point.latency = make_latency_metric(probe_.metric("storage.latency_curve.latency"), histograms,
                                            point.recording.rates.at, Statistic::mean, axes);
        point.mean_within = point.latency.value <= latency_bound;
        point.percentile_within = percentile_of(point.latency, latency_rank) <= latency_bound;
    }

    std::map<int, bool> judged(bool Point::*within) const {
        std::map<int, bool> depths;
        for (const auto& [depth, point] : points_) depths[depth] = point.*within;
        return depths;
    }

    const Probe& probe_;
    const LoadOptions options_;
    const int jobs_;
    const int most_;
    Context& context_;
    RecordingPlan plan_;
    std::map<int, Point> points_;
};

Metric in_flight_metric(const Probe& probe, int depth, const Recording& recording) {
    SampleSet set = recording.rates;
    for (std::size_t i = 0; i < set.values.size(); ++i) {
        set.values[i] = recording.slices[i].in_flight;
    }
    return make_metric(probe.metric("storage.latency_curve.in_flight"), set, Statistic::mean,
                       {{"depth", fmt::format("{}", depth)}});
}

/// The best point's rate under another name; 0 where no depth keeps within the bound.
Metric within_metric(const Probe& probe, std::string_view name, const Point* best) {
    const MetricDeclaration& declaration = probe.metric(name);
    if (best == nullptr) return make_range_metric(declaration, {0});
    return make_metric(declaration, best->recording.rates);
}

void check(const Case& the_case, const Context& context) {
    look_at_target(kind.probe, the_case, context);  // a depth is that of one target
    check_load(kind, the_case, context, static_cast<std::uint64_t>(the_case.integer("most_depth")));
}

Estimate estimate(const Case& the_case, const Context&) {
    constexpr double assumed_write_rate = 1e9;
    const std::size_t points = coarse_depths(static_cast<int>(the_case.integer("most_depth"))).size() + 4;
    Estimate estimate;
    estimate.written_bytes = scratch_bytes(kind, the_case);
    estimate.seconds = static_cast<double>(points) * (the_case.seconds("seconds") * 1.4 + 0.05) + 2 +
                       static_cast<double>(estimate.written_bytes) / assumed_write_rate;
    estimate.memory_bytes =
        the_case.bytes("block_bytes") * static_cast<std::uint64_t>(the_case.integer("most_depth"));
    return estimate;
}

void add_points(const Probe& probe, const Curve& curve, Outcome& outcome) {
    for (const auto& [depth, point] : curve.points()) {
        outcome.metrics.push_back(point.iops);
        outcome.metrics.push_back(point.latency);
        outcome.metrics.push_back(in_flight_metric(probe, depth, point.recording));
        outcome.checks.push_back(
            little_check(point.recording.slices, fmt::format("Little's law at depth {}", depth)));
    }
}

Outcome run(const Case& the_case, Context& context) {
    check(the_case, context);
    Outcome outcome;
    const LoadCase ready = prepare_load(kind, the_case, context, outcome);
    if (outcome.status != Status::measured) return outcome;
    const LoadOptions options = load_options(kind, the_case, ready);

    const int jobs = jobs_of(the_case);
    const int trial_depth = std::min(32, static_cast<int>(the_case.integer("most_depth")));
    const EngineChoice choice = choose_engine(the_case.text("engine"), options_at(options, jobs, trial_depth),
                                              std::min(1.0, the_case.seconds("seconds")), context);
    if (!choice.engine) return skipped(the_case, choice.how);
    LoadOptions chosen = options;
    chosen.engine = *choice.engine;

    const Probe probe = storage_latency_curve_probe();
    const TransferCounters counters(ready.targets);
    Curve curve(probe, the_case, chosen, context);
    curve.measure();

    const Point* const by_mean = curve.best(&Point::mean_within);
    const Point* const by_percentile = curve.best(&Point::percentile_within);
    outcome.metrics.push_back(within_metric(probe, "storage.latency_curve.iops_within_100us", by_mean));
    outcome.metrics.push_back(
        within_metric(probe, "storage.latency_curve.iops_within_100us_p99", by_percentile));
    Verification all;
    for (const auto& [depth, point] : curve.points()) all.add(point.recording.verification);
    outcome.checks = counters.checks(all.read_bytes, 0, outcome.notes);
    add_points(probe, curve, outcome);
    if (ready.prepared.front().pattern_seed) {
        if (options.block_bytes % pattern_bytes == 0) outcome.checks.push_back(content_check(all));
    } else {
        outcome.checks.push_back(data_check(ready.prepared.front().path, ready.spans.front(), options.seed));
        outcome.notes.push_back("the content of a named target is not ours and could not be verified");
    }

    const Recording& any = curve.points().rbegin()->second.recording;
    outcome.resolved["engine"] = to_string(chosen.engine);
    outcome.resolved["engine_choice"] = choice.how;
    outcome.resolved["engine_flags"] = fmt::format("{}", fmt::join(any.engine_flags, ", "));
    outcome.resolved["jobs_in_force"] = fmt::format("{}", jobs);
    outcome.notes.insert(
        outcome.notes.begin(),
        fmt::format(
            "random reads of {} bytes, O_DIRECT, {}; a depth is all requests in flight, on {} jobs where it "
            "is "
            "as large; reaped one by one as they come; after the powers of two, bisection for the most "
            "operations within 100 µs, by mean and by p99",
            options.block_bytes, to_string(chosen.engine), jobs));
    if (by_mean == nullptr) outcome.notes.push_back("no depth has a mean latency within 100 µs");
    if (by_percentile == nullptr) outcome.notes.push_back("no depth has its p99 within 100 µs");
    for (std::string& note : machine_notes(ready.targets.front(), ready.spans.front())) {
        outcome.notes.push_back(std::move(note));
    }
    return outcome;
}

}  // namespace

Probe storage_latency_curve_probe() {
    using enum Unit;
    using enum Direction;
    Probe probe;
    probe.name = kind.probe;
    probe.summary =
        "How many random reads a disk gives at which latency, from one request in flight to hundreds.";
    probe.parameters = target_parameters(kind, "4096");
    const Parameter own[] = {
        {"most_depth", ParameterKind::integer, "256", "the largest number of requests in flight", 1, 4096},
        {"jobs", ParameterKind::integer, "auto", "threads that share the requests; auto: the CPUs, at most 4",
         1, 64},
        {"seconds", ParameterKind::seconds, "1", "time measured at each depth, after warming up", 0.05, 3600},
    };
    probe.parameters.insert(probe.parameters.end(), std::begin(own), std::end(own));
    probe.metrics = {
        {"storage.latency_curve.iops_within_100us", operation_per_second, higher,
         "most reads a second of any depth whose mean latency is within 100 µs; 0: none is"},
        {"storage.latency_curve.iops_within_100us_p99", operation_per_second, higher,
         "most reads a second of any depth whose 99th percentile is within 100 µs; 0: none is"},
        {"storage.latency_curve.iops", operation_per_second, higher, "reads a second at a depth", {"depth"}},
        {"storage.latency_curve.latency", second, lower, "time of one read at a depth", {"depth"}},
        {"storage.latency_curve.in_flight",
         count,
         none,
         "requests in flight at a depth, averaged over time",
         {"depth"}},
    };
    probe.run = run;
    probe.estimate = estimate;
    probe.check = check;
    probe.tiny = {{"size", "16M"}, {"most_depth", "4"}, {"seconds", "0.1"}};
    return probe;
}

}  // namespace assay
