#include "probes/core/sampling.h"

#include <cmath>
#include <numbers>
#include <span>
#include <stdexcept>

#include "probes/core/resampling.h"
#include "probes/core/statistics.h"

namespace assay {

namespace {

double checked(double value) {
    if (!std::isfinite(value)) throw std::runtime_error("a sample is not a finite number");
    return value;
}

// Whether the newest half of the warm-up samples lies level with the older half, but for noise. Bolder than
// is_steady: a false alarm costs some warm-up samples, no verdict.
bool is_warm(std::span<const double> values) {
    constexpr double change_that_matters = 0.02;
    constexpr double significance = 2;
    const std::size_t half = values.size() / 2;
    const double older = mean_of(values.first(half));
    const double newer = mean_of(values.last(half));
    const double change = std::abs(newer - older);
    if (change <= change_that_matters * std::abs(newer)) return true;
    double differences = 0;
    for (std::size_t i = 1; i < values.size(); ++i) differences += std::abs(values[i] - values[i - 1]);
    // The mean absolute difference of independent normal samples is 2 / sqrt(pi) standard deviations.
    const double deviation =
        differences / static_cast<double>(values.size() - 1) * std::sqrt(std::numbers::pi) / 2;
    return change <= significance * deviation * std::sqrt(2 / static_cast<double>(half));
}

// Samples thrown away until the latest half of them is level; looked at when there are 6, 9, 13, 19 ...
std::size_t warm_up(const SamplingPolicy& policy, Clock& clock, const std::function<double()>& take) {
    constexpr std::size_t fewest = 6;
    const Nanoseconds begin = clock.now();
    std::vector<double> values;
    std::size_t next_look = fewest;
    while (Seconds(clock.now() - begin) < policy.maximum_warm_up) {
        values.push_back(checked(take()));
        if (values.size() < next_look) continue;
        if (is_warm(std::span<const double>(values).last(std::max(fewest, values.size() / 2)))) break;
        next_look = values.size() * 3 / 2;
    }
    return values.size();
}

// Intervals found with fewer independent samples than this are too uncertain to end upon: a series that is
// strongly correlated goes on longer.
constexpr double fewest_effective_samples = 30;

bool is_precise(std::span<const double> values, const SamplingPolicy& policy, double effective_samples) {
    if (plan_blocks(values).effective_samples < effective_samples) return false;
    const bool is_mean = policy.statistic == Statistic::mean;
    const double estimate = is_mean ? mean_of(values) : median_of(values);
    const Interval interval = is_mean ? mean_interval(values) : median_interval(values);
    const double allowed = policy.relative_precision * std::abs(estimate);
    return estimate - interval.low <= allowed && interval.high - estimate <= allowed;
}

// Ending at the first narrow interval would favour the series that look narrow by chance: coverage falls to
// 80 % with skewed, correlated samples. So the first half must have been precise already, which half the
// samples then confirm, and the next look is at twice the count: few looks, whose total cost is less than
// twice the last one's.
bool may_end(std::span<const double> values, const SamplingPolicy& policy) {
    return is_precise(values.first(values.size() / 2), policy, fewest_effective_samples / 2) &&
           is_precise(values, policy, fewest_effective_samples);
}

}  // namespace

SampleSet sample(const SamplingPolicy& policy, Clock& clock, const std::function<double()>& take) {
    SampleSet set;
    set.warm_up_samples = warm_up(policy, clock, take);
    const Nanoseconds begin = clock.now();
    std::size_t next_look = policy.minimum_samples;
    bool ended = false;
    while (!ended) {
        set.values.push_back(checked(take()));
        const Seconds elapsed = clock.now() - begin;
        set.at.push_back(elapsed.count());
        const bool out_of_time = elapsed >= policy.maximum_time;
        if (!policy.fixed_time && !out_of_time && elapsed >= policy.minimum_time &&
            set.values.size() >= next_look) {
            ended = may_end(set.values, policy);
            next_look = 2 * set.values.size();
        }
        if (ended || !out_of_time) continue;
        set.converged = set.values.size() >= policy.minimum_samples && is_precise(set.values, policy, 0);
        ended = true;
    }
    set.steady = is_steady(set.values);
    return set;
}

}  // namespace assay
