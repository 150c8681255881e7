#include "probes/storage/load/recording.h"

#include <algorithm>
#include <ctime>
#include <numeric>

namespace assay::storage {
namespace {

std::vector<double> means_of_rounds(const std::vector<double>& rates) {
    std::vector<double> means;
    const std::size_t rounds = SteadyState::rounds;
    for (std::size_t round = 0; round < rounds; ++round) {
        const std::size_t begin = rates.size() * round / rounds;
        const std::size_t end = rates.size() * (round + 1) / rounds;
        if (begin == end) return {};
        means.push_back(std::accumulate(rates.begin() + static_cast<std::ptrdiff_t>(begin),
                                        rates.begin() + static_cast<std::ptrdiff_t>(end), 0.0) /
                        static_cast<double>(end - begin));
    }
    return means;
}

class Recorder {
  public:
    Recorder(const LoadOptions& options, const RecordingPlan& plan, Context& context)
        : plan_(plan),
          context_(context),
          slice_(std::chrono::duration_cast<Nanoseconds>(slice_of(plan.seconds))),
          load_(options),
          started_(context.clock.now()),
          boundary_(started_),
          cpu_(process_cpu_seconds()) {}

    Recording run() {
        record_window(plan_.maximum_warm_up);
        if (plan_.most_seconds > 0) wait_for_steady_state();
        recording_.verification = load_.stop();
        recording_.engine_flags = load_.engine_flags();
        recording_.engine_refused = load_.engine_refused();
        return std::move(recording_);
    }

  private:
    void record_window(Seconds warm_up) {
        SamplingPolicy policy = context_.sampling;
        policy.fixed_time = true;
        policy.maximum_time = Seconds(plan_.seconds);
        policy.minimum_time = std::min(policy.minimum_time, policy.maximum_time);
        policy.maximum_warm_up = warm_up;
        recording_.slices.clear();
        recording_.cpu_per_operation.clear();
        recording_.rates = context_.sample(policy, [&] { return take_slice(); });
        // The sampler threw its warm-up away; so do we.
        const std::ptrdiff_t extra = static_cast<std::ptrdiff_t>(recording_.slices.size()) -
                                     static_cast<std::ptrdiff_t>(recording_.rates.values.size());
        if (extra <= 0) return;
        recording_.slices.erase(recording_.slices.begin(), recording_.slices.begin() + extra);
        recording_.cpu_per_operation.erase(recording_.cpu_per_operation.begin(),
                                           recording_.cpu_per_operation.begin() + extra);
    }

    /// Windows of five rounds, one after another: a subset of the windows that the rule would accept.
    void wait_for_steady_state() {
        const std::size_t warm_up_samples = recording_.rates.warm_up_samples;
        double recorded = plan_.seconds;
        while (true) {
            recording_.steady_state = steady_state_of(means_of_rounds(recording_.rates.values));
            if (recording_.steady_state->reached || recorded + plan_.seconds > plan_.most_seconds) break;
            keep_series();
            record_window(Seconds(0));
            recorded += plan_.seconds;
        }
        recording_.rates.warm_up_samples = warm_up_samples;
        recording_.rates.steady = recording_.steady_state->reached;
    }

    void keep_series() {
        const SampleSet& set = recording_.rates;
        const double length = set.at.empty() ? 0 : set.at.back();
        for (SeriesPoint& point : recording_.before) point.at -= length;
        for (std::size_t i = 0; i < set.values.size(); ++i) {
            recording_.before.push_back({set.at[i] - length, set.values[i]});
        }
    }

    double take_slice() {
        boundary_ = std::max(boundary_, context_.clock.now() - slice_ / 2) + slice_;
        context_.clock.sleep_until(boundary_);
        // Read where the slice ends, not when all jobs have told of it.
        const double cpu_now = process_cpu_seconds();
        recording_.slices.push_back(load_.next_slice());
        const LoadSlice& latest = recording_.slices.back();
        recording_.cpu_per_operation.push_back((cpu_now - cpu_) /
                                               std::max(1.0, latest.rate * latest.seconds));
        cpu_ = cpu_now;
        const double expected = std::max(plan_.seconds, plan_.most_seconds) + plan_.maximum_warm_up.count();
        if (context_.progress) {
            context_.progress(plan_.stage, std::min(1.0, seconds_of(boundary_ - started_) / expected));
        }
        return latest.rate;
    }

    const RecordingPlan& plan_;
    Context& context_;
    const Nanoseconds slice_;
    Load load_;
    const Nanoseconds started_;
    Nanoseconds boundary_;
    double cpu_;
    Recording recording_;
};

}  // namespace

double process_cpu_seconds() {
    timespec time{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

Seconds slice_of(double seconds) {
    return Seconds(std::max(std::min(0.1, std::max(0.01, seconds / 30)), seconds / 300));
}

Recording record(const LoadOptions& options, const RecordingPlan& plan, Context& context) {
    return Recorder(options, plan, context).run();
}

}  // namespace assay::storage
