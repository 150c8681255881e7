#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

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

/// A latency against the bound: as estimated, and as far as its interval tells.
struct Within {
    bool estimated = false;
    bool surely = false;    ///< the whole interval is
    bool possibly = false;  ///< some of it is
};

Within within(double value, const std::optional<Interval>& interval) {
    const Interval known = interval.value_or(Interval{value, value});
    return {value <= latency_bound, known.high <= latency_bound, known.low <= latency_bound};
}

struct Point {
    Recording recording;
    Metric iops;
    Metric latency;
    Within by_mean;
    Within by_percentile;
};

Within percentile_within(const Metric& latency) {
    for (const Percentile& percentile : latency.summary.percentiles) {
        if (percentile.rank == latency_rank) return within(percentile.value, percentile.ci95);
    }
    return {};
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
        for (const auto by : {&Point::by_mean, &Point::by_percentile}) {
            while (const std::optional<int> depth = next_depth(judged(by))) measure_at(*depth);
        }
    }
    const std::map<int, Point>& points() const { return points_; }

    /// The point with most operations a second among those within the bound; null where there is none.
    const Point* best(Within Point::*by, bool Within::*how) const {
        const Point* best = nullptr;
        for (const auto& [depth, point] : points_) {
            if (point.*by.*how && (best == nullptr || point.iops.value > best->iops.value)) best = &point;
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
        point.by_mean = within(point.latency.value, point.latency.summary.mean_ci95);
        point.by_percentile = percentile_within(point.latency);
    }

    std::map<int, bool> judged(Within Point::*by) const {
        std::map<int, bool> depths;
        for (const auto& [depth, point] : points_) depths[depth] = (point.*by).estimated;
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

/// The best point's rate under another name; 0 where no depth keeps within the bound. Its interval reaches
/// from the best point that surely does to the best that possibly does.
Metric within_metric(const Probe& probe, std::string_view name, const Curve& curve, Within Point::*by) {
    const MetricDeclaration& declaration = probe.metric(name);
    const Point* const best = curve.best(by, &Within::estimated);
    Metric metric =
        best == nullptr ? make_exact_metric(declaration, 0) : make_metric(declaration, best->recording.rates);
    const auto interval_of = [](const Point* point) {
        return point == nullptr ? Interval{} : point->iops.summary.median_ci95.value_or(Interval{});
    };
    const Interval own = interval_of(best);
    metric.summary.median_ci95 = {std::min(own.low, interval_of(curve.best(by, &Within::surely)).low),
                                  std::max(own.high, interval_of(curve.best(by, &Within::possibly)).high)};
    metric.summary.interval_method = "block bootstrap, over all depths whose latency may be within the bound";
    return metric;
}

void check(const Case& the_case, const Context& context) {
    look_at_target(kind.probe, the_case, context);  // a depth is that of one target
    check_load(kind, the_case, context, static_cast<std::uint64_t>(the_case.integer("most_depth")));
}

Estimate estimate(const Case& the_case, const Context& context) {
    const PreparationEstimate preparation = estimate_preparation(kind, the_case, context);
    const std::size_t points = coarse_depths(static_cast<int>(the_case.integer("most_depth"))).size() + 4;
    Estimate estimate;
    estimate.written_bytes = preparation.scratch_bytes;
    estimate.seconds =
        static_cast<double>(points) * (the_case.seconds("seconds") * 1.4 + 0.05) + 2 + preparation.seconds;
    estimate.memory_bytes =
        the_case.bytes("block_bytes") * static_cast<std::uint64_t>(the_case.integer("most_depth"));
    return estimate;
}

/// Every point has to pass; told is the worst.
Check little_check_of(const Curve& curve) {
    Check worst;
    int worst_depth = 0;
    int broken = 0;
    for (const auto& [depth, point] : curve.points()) {
        const Check check = little_check(point.recording.slices);
        if (!check.passed) ++broken;
        if (worst_depth != 0 && *check.error <= *worst.error) continue;
        worst = check;
        worst_depth = depth;
    }
    worst.name = "Little's law at every depth";
    worst.detail = fmt::format("{} of {} depths break it; worst at depth {}: {}", broken,
                               curve.points().size(), worst_depth, worst.detail);
    return worst;
}

void add_points(const Probe& probe, const Curve& curve, Outcome& outcome) {
    for (const auto& [depth, point] : curve.points()) {
        outcome.metrics.push_back(point.iops);
        outcome.metrics.push_back(point.latency);
        outcome.metrics.push_back(in_flight_metric(probe, depth, point.recording));
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

    outcome.metrics.push_back(
        within_metric(probe, "storage.latency_curve.iops_within_100us", curve, &Point::by_mean));
    outcome.metrics.push_back(
        within_metric(probe, "storage.latency_curve.iops_within_100us_p99", curve, &Point::by_percentile));
    Verification all;
    for (const auto& [depth, point] : curve.points()) all.add(point.recording.verification);
    outcome.checks = counters.checks(all.read_bytes, 0, outcome.notes);
    outcome.checks.push_back(little_check_of(curve));
    add_content_checks(ready, all, options, outcome);
    add_points(probe, curve, outcome);

    std::vector<const Recording*> recordings;
    for (const auto& [depth, point] : curve.points()) recordings.push_back(&point.recording);
    tell_engine(choice, recordings, outcome);
    outcome.resolved["jobs_in_force"] = fmt::format("{}", jobs);
    outcome.notes.insert(
        outcome.notes.begin(),
        fmt::format(
            "random reads of {} bytes, O_DIRECT, {}; a depth is all requests in flight, on {} jobs where it "
            "is "
            "as large; reaped one by one as they come; after the powers of two, bisection for the most "
            "operations within 100 µs, by mean and by p99",
            options.block_bytes, to_string(chosen.engine), jobs));
    if (curve.best(&Point::by_mean, &Within::estimated) == nullptr)
        outcome.notes.push_back("no depth has a mean latency within 100 µs");
    if (curve.best(&Point::by_percentile, &Within::estimated) == nullptr)
        outcome.notes.push_back("no depth has its p99 within 100 µs");
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
