#include "probes/core/statistics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace assay {

namespace {

// Type 7 position: rank percent of the way from the first order statistic to the last. Reorders.
double percentile_in_place(std::span<double> values, double rank) {
    const double position = std::clamp(rank, 0.0, 100.0) / 100 * static_cast<double>(values.size() - 1);
    const std::size_t index = static_cast<std::size_t>(position);
    const std::span<double>::iterator at = values.begin() + static_cast<std::ptrdiff_t>(index);
    std::nth_element(values.begin(), at, values.end());
    const double lower = *at;
    const double share = position - static_cast<double>(index);
    if (share == 0) return lower;
    return lower + share * (*std::min_element(at + 1, values.end()) - lower);
}

// The values whose time lies in the last third of the span of `at`, which ascends.
std::span<const double> last_third(std::span<const double> values, std::span<const double> at) {
    const std::size_t count = std::min(values.size(), at.size());
    if (count == 0) return {};
    const double begin = at[0] + (at[count - 1] - at[0]) * 2 / 3;
    std::size_t first = 0;
    while (at[first] < begin) ++first;
    return values.subspan(first, count - first);
}

// Variance of a series times (1 − its correlation at `lag`), from the differences at that lag. The largest
// tenth of them is left out: a step in the level is in few of them, and so are outliers. `slope` a sample is
// taken off.
double successive_variance(std::span<const double> values, std::size_t lag, double slope) {
    // Mean absolute value of a standard normal variable within its central 90 %.
    constexpr double trimmed_mean_of_normal = 0.6573;
    std::vector<double> differences;
    for (std::size_t i = lag; i < values.size(); ++i)
        differences.push_back(std::abs(values[i] - values[i - lag] - slope * static_cast<double>(lag)));
    std::sort(differences.begin(), differences.end());
    differences.resize(differences.size() - differences.size() / 10);
    const double deviation = mean_of(differences) / trimmed_mean_of_normal;
    return deviation * deviation / 2;
}

// Variance of the mean of `count` samples of a unit AR(1) series.
double variance_of_mean(double coefficient, std::size_t count) {
    const double n = static_cast<double>(count);
    double sum = 1;
    double power = coefficient;
    for (double lag = 1; lag < n; ++lag) {
        sum += 2 * (1 - lag / n) * power;
        power *= coefficient;
    }
    return sum / n;
}

}  // namespace

double mean_of(std::span<const double> values) {
    if (values.empty()) return 0;
    const double count = static_cast<double>(values.size());
    const double rounded = std::accumulate(values.begin(), values.end(), 0.0) / count;
    // What rounding left over in the sum comes back: the mean of equal values is that value.
    double rest = 0;
    for (const double value : values) rest += value - rounded;
    return rounded + rest / count;
}

double percentile_of(std::span<const double> values, double rank) {
    if (values.empty()) return 0;
    std::vector<double> copy(values.begin(), values.end());
    return percentile_in_place(copy, rank);
}

double median_of(std::span<const double> values) {
    return percentile_of(values, 50);
}

double standard_deviation_of(std::span<const double> values) {
    if (values.size() < 2) return 0;
    const double mean = mean_of(values);
    double squares = 0;
    for (const double value : values) squares += (value - mean) * (value - mean);
    return std::sqrt(squares / static_cast<double>(values.size() - 1));
}

double median_absolute_deviation_of(std::span<const double> values) {
    const double median = median_of(values);
    std::vector<double> deviations;
    for (const double value : values) deviations.push_back(std::abs(value - median));
    return median_of(deviations);
}

double sustained_of(std::span<const double> values, std::span<const double> at) {
    return mean_of(last_third(values, at));
}

double integrated_autocorrelation_time(std::span<const double> values) {
    const std::size_t count = values.size();
    if (count < 4) return 1;
    const double mean = mean_of(values);
    std::vector<double> deviations;
    for (const double value : values) deviations.push_back(value - mean);
    const auto covariance = [&](std::size_t lag) {
        return std::inner_product(deviations.begin() + static_cast<std::ptrdiff_t>(lag), deviations.end(),
                                  deviations.begin(), 0.0);
    };
    const double variance = covariance(0);
    if (variance == 0) return 1;
    // Geyer 1992: sums of neighbouring pairs are positive and fall; what follows the first that is not is
    // noise. Longer lags than half the series say nothing; on a very long one the work is bounded.
    const std::size_t longest = std::min(count / 2, 1000 + 10'000'000 / count);
    double time = -1;
    double smallest = std::numeric_limits<double>::infinity();
    for (std::size_t lag = 0; lag + 1 <= longest; lag += 2) {
        const double pair = (covariance(lag) + covariance(lag + 1)) / variance;
        if (pair <= 0) break;
        smallest = std::min(smallest, pair);
        time += 2 * smallest;
    }
    return std::max(1.0, time);
}

// The level of the last third is held against that of the first (the early-against-late test of Geweke 1992),
// in units of the noise that a series of this autocorrelation has. Noise and autocorrelation come from the
// differences of neighbours at distance one and two (von Neumann et al. 1941, the variogram), which a drift
// or a step hardly touches; deviations from a mean or from a line would take a step for noise. A wandering
// more lasting than 0.9 is no noise: it is what "not steady" means. Few samples leave the autocorrelation
// uncertain; then more of it is granted.
bool is_steady(std::span<const double> values) {
    constexpr double rise_that_matters = 0.025;  // of the level, from begin to end
    constexpr double significance = 3;           // standard deviations: at most 5 % false alarms at AR(1) 0.8
    constexpr double longest_memory = 0.9;
    if (values.size() < 10) return true;
    // Single outliers are no drift: the outermost twentieth on each side is pulled in.
    const double low = percentile_of(values, 5);
    const double high = percentile_of(values, 95);
    std::vector<double> clipped;
    for (const double value : values) clipped.push_back(std::clamp(value, low, high));
    const std::span<const double> all(clipped);
    const double count = static_cast<double>(values.size());
    const std::size_t third = values.size() / 3;
    const double difference = mean_of(all.last(third)) - mean_of(all.first(third));
    const double slope = difference / (count - static_cast<double>(third));
    if (std::abs(slope) * count <= rise_that_matters * std::abs(mean_of(all))) return true;
    const double near = successive_variance(all, 1, slope);
    const double far = successive_variance(all, 2, slope);
    if (near == 0) return false;
    const double granted = 1.5 / std::sqrt(count);
    const double coefficient = std::clamp(far / near - 1 + granted, 0.0, longest_memory);
    const double variance = near / (1 - coefficient) * variance_of_mean(coefficient, third);
    return std::abs(difference) <= significance * std::sqrt(2 * variance);
}

Summary summarise(std::span<const double> values, std::span<const double> at) {
    Summary summary;
    summary.samples = values.size();
    summary.interval_method = "none";
    if (values.empty()) return summary;
    summary.minimum = *std::min_element(values.begin(), values.end());
    summary.maximum = *std::max_element(values.begin(), values.end());
    summary.median = median_of(values);
    summary.mean = mean_of(values);
    summary.standard_deviation = standard_deviation_of(values);
    summary.median_absolute_deviation = median_absolute_deviation_of(values);
    summary.steady = is_steady(values);
    if (values.size() >= 2) {
        summary.interval_method = "block bootstrap";
        summary.median_ci95 = median_interval(values);
        summary.mean_ci95 = mean_interval(values);
    }
    if (values.size() != at.size()) return summary;
    summary.sustained = sustained_of(values, at);
    const std::span<const double> last = last_third(values, at);
    if (last.size() >= 2) summary.sustained_ci95 = mean_interval(last);
    return summary;
}

}  // namespace assay
