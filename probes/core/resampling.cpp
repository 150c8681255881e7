#include "probes/core/resampling.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "probes/core/statistics.h"

namespace assay {

namespace {

constexpr double normal_quantile = 1.959963984540054;

// The intervals must hold with 30 samples of an AR(1) series of coefficient 0.8, which are worth three or
// four independent ones, and after a stopping rule that ends when they happen to be narrow. A plain block
// bootstrap then covers 60 to 80 % instead of 95 %. Four things mend it, in the order of their weight:
//
// 1. The autocorrelation is estimated too low on short series. The lag-one coefficient is corrected by its
//    known bias, −(1 + 3r)/n (Kendall 1954), and the larger of what it implies and of Geyer's sum is taken.
// 2. Blocks cut the correlation at their ends, and centring on the sample's own mean hides what all samples
//    have in common. Both are known for an AR(1) series, so the deviations are scaled by the root of (true
//    variance of the mean / variance that blocks of this length show on average).
// 3. The variance itself is only estimated: by the delta method its relative variance is 4 τ / n where the
//    coefficient has to be estimated, which makes n / (2 τ) degrees of freedom; skewed samples leave fewer.
//    Student's t with 0.3 n / τ − 1 degrees holds for normal and for exponential marginals.
// 4. Sampling ends when the interval looks narrow, which favours those that came out too narrow: 5 % more.
//
// The constants were set by simulation of the whole stopping procedure (tests/probes/core/coverage_test.cpp).
constexpr double freedom_of_effective_sample = 0.3;
constexpr double allowance_for_stopping = 1.05;
// No series is taken for less than this many independent samples; what lies beyond cannot be estimated.
constexpr double fewest_effective_samples = 3;

double bias_corrected_lag_one(std::span<const double> values) {
    const double count = static_cast<double>(values.size());
    const double mean = mean_of(values);
    double products = 0;
    double squares = 0;
    double previous = 0;
    for (const double value : values) {
        const double deviation = value - mean;
        products += deviation * previous;
        squares += deviation * deviation;
        previous = deviation;
    }
    if (squares == 0) return 0;
    const double coefficient = products / squares;
    return count > 4 ? (count * coefficient + 1) / (count - 3) : coefficient;
}

double correlation_time_of(std::span<const double> values) {
    const double most = std::max(1.0, static_cast<double>(values.size()) / fewest_effective_samples);
    const double coefficient = bias_corrected_lag_one(values);
    if (coefficient >= 1) return most;
    const double implied = (1 + coefficient) / (1 - coefficient);
    return std::clamp(std::max(implied, integrated_autocorrelation_time(values)), 1.0, most);
}

// Best block length for the variance of a mean of an AR(1) series by circular blocks (Politis and White
// 2004). A third of the series at most, so that a replicate has something to vary.
std::size_t block_length(double coefficient, double count) {
    const double ratio = coefficient / (1 - coefficient * coefficient);
    const double best = std::ceil(std::cbrt(6 * ratio * ratio * count));
    return static_cast<std::size_t>(std::clamp(best, 1.0, std::max(1.0, std::floor(count / 3))));
}

// Of an AR(1) series of unit variance: how much larger the standard deviation of its mean is than what
// circular blocks show on average.
double block_shortfall(double coefficient, double count, double block) {
    double truth = 0;
    double power = 1;
    for (double lag = 0; lag < count && power > 1e-9; ++lag) {
        truth += (lag == 0 ? 1 : 2) * (1 - lag / count) * power;
        power *= coefficient;
    }
    truth /= count;
    double shown = 0;
    for (double lag = 0; lag < block; ++lag) {
        // The ring's seam joins samples that were count − lag apart.
        const double correlation = (count - lag) / count * std::pow(coefficient, lag) +
                                   lag / count * std::pow(coefficient, count - lag) - truth;
        shown += (lag == 0 ? 1 : 2) * (1 - lag / block) * correlation;
    }
    shown /= count;
    return std::sqrt(truth / shown);
}

}  // namespace

double student_quantile(double degrees_of_freedom) {
    // Cornish and Fisher's expansion about the normal quantile (Abramowitz and Stegun 26.7.5): within 1 %
    // from two degrees of freedom on.
    constexpr double z = normal_quantile;
    constexpr double s = z * z;
    constexpr double first = z * (s + 1) / 4;
    constexpr double second = z * ((5 * s + 16) * s + 3) / 96;
    constexpr double third = z * (((3 * s + 19) * s + 17) * s - 15) / 384;
    constexpr double fourth = z * ((((79 * s + 776) * s + 1482) * s - 1920) * s - 945) / 92160;
    const double inverse = 1 / degrees_of_freedom;
    return z + inverse * (first + inverse * (second + inverse * (third + inverse * fourth)));
}

BlockPlan plan_blocks(std::span<const double> values) {
    BlockPlan plan;
    plan.count = values.size();
    if (values.size() < 2) {
        plan.effective_samples = static_cast<double>(values.size());
        return plan;
    }
    const double count = static_cast<double>(values.size());
    plan.correlation_time = correlation_time_of(values);
    plan.effective_samples = count / plan.correlation_time;
    const double coefficient = (plan.correlation_time - 1) / (plan.correlation_time + 1);
    plan.block = block_length(coefficient, count);
    const double freedom = std::max(1.0, freedom_of_effective_sample * plan.effective_samples - 1);
    plan.inflation = block_shortfall(coefficient, count, static_cast<double>(plan.block)) *
                     student_quantile(freedom) / normal_quantile * allowance_for_stopping;
    return plan;
}

std::vector<double> resample(const BlockPlan& plan, std::size_t replicates, Random& random,
                             const Replicate& replicate) {
    std::vector<std::size_t> starts((plan.count + plan.block - 1) / plan.block);
    std::vector<double> estimates(replicates);
    for (double& estimate : estimates) {
        for (std::size_t& start : starts) start = random.below(plan.count);
        estimate = replicate(starts);
    }
    return estimates;
}

Interval widened_interval(const BlockPlan& plan, double estimate, std::vector<double> replicates) {
    const double low = percentile_of(replicates, 2.5);
    const double high = percentile_of(replicates, 97.5);
    // Rates and durations are positive: widening an interval must not carry it below zero.
    const bool positive = !replicates.empty() && *std::min_element(replicates.begin(), replicates.end()) >= 0;
    const double floor = positive ? 0 : std::numeric_limits<double>::lowest();
    // The estimate itself always lies inside, also where few or uneven blocks pull all replicates aside.
    return {std::min(estimate, std::max(floor, estimate + plan.inflation * (low - estimate))),
            std::max(estimate, estimate + plan.inflation * (high - estimate))};
}

}  // namespace assay
