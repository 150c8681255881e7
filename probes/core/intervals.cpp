#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "probes/core/resampling.h"
#include "probes/core/statistics.h"

namespace assay {

namespace {

// Resampling a long series in full would take seconds and tell nothing more. It is cut into sections whose
// statistics are samples of their own, resampled in turn by blocks (so what correlation is left between
// sections still counts): the sectioning method for means and quantiles.
constexpr std::size_t longest_resampled = 4096;
constexpr std::size_t section_count = 64;

using SampleStatistic = std::function<double(std::span<const double>)>;

// A statistic's replicates, with the plan that says how far to widen them and the estimate they vary about.
struct Replicates {
    BlockPlan plan;
    double centre = 0;
    std::vector<double> values;
};

Replicates replicates_by_ring(std::span<const double> values, std::uint64_t seed,
                              const std::function<Replicate(const BlockPlan&)>& make_replicate,
                              double estimate) {
    const BlockPlan plan = plan_blocks(values);
    Random random(seed);
    return {plan, estimate, resample(plan, bootstrap_replicates, random, make_replicate(plan))};
}

std::vector<double> ring_of(std::span<const double> values) {
    std::vector<double> ring(values.begin(), values.end());
    ring.insert(ring.end(), values.begin(), values.end());
    return ring;
}

Replicates replicates_of_mean(std::span<const double> values, std::uint64_t seed) {
    const double mean = mean_of(values);
    const std::size_t count = values.size();
    // Sums of deviations up to each place of the ring: a block's sum is a difference.
    std::vector<double> sums = {0};
    for (const double value : ring_of(values)) sums.push_back(sums.back() + (value - mean));
    return replicates_by_ring(
        values, seed,
        [&](const BlockPlan& plan) {
            return [&sums, count, mean, block = plan.block](std::span<const std::size_t> starts) {
                double sum = 0;
                std::size_t left = count;
                for (const std::size_t start : starts) {
                    const std::size_t length = std::min(left, block);
                    sum += sums[start + length] - sums[start];
                    left -= length;
                }
                return mean + sum / static_cast<double>(count);
            };
        },
        mean);
}

Replicates replicates_of_median(std::span<const double> values, std::uint64_t seed) {
    const std::size_t count = values.size();
    std::vector<std::size_t> order(count);
    std::iota(order.begin(), order.end(), 0);
    std::sort(order.begin(), order.end(),
              [&](std::size_t left, std::size_t right) { return values[left] < values[right]; });
    // Counting how often each rank was drawn is several times as fast as selecting among copied values.
    std::vector<std::uint32_t> rank_on_ring(2 * count);
    for (std::size_t rank = 0; rank < count; ++rank)
        rank_on_ring[order[rank]] = rank_on_ring[order[rank] + count] = static_cast<std::uint32_t>(rank);
    std::vector<std::uint32_t> drawn(count);
    return replicates_by_ring(
        values, seed,
        [&](const BlockPlan& plan) {
            return [&, block = plan.block](std::span<const std::size_t> starts) {
                std::fill(drawn.begin(), drawn.end(), 0);
                std::size_t left = count;
                for (const std::size_t start : starts) {
                    const std::size_t length = std::min(left, block);
                    for (std::size_t place = start; place < start + length; ++place)
                        ++drawn[rank_on_ring[place]];
                    left -= length;
                }
                std::size_t rank = 0;
                std::size_t seen = drawn[0];
                while (seen <= (count - 1) / 2) seen += drawn[++rank];
                const double lower = values[order[rank]];
                while (seen <= count / 2) seen += drawn[++rank];
                return (lower + values[order[rank]]) / 2;
            };
        },
        median_of(values));
}

Replicates replicates_of(std::span<const double> values, const SampleStatistic& statistic,
                         std::uint64_t seed) {
    const std::vector<double> ring = ring_of(values);
    std::vector<double> drawn(values.size());
    return replicates_by_ring(
        values, seed,
        [&](const BlockPlan& plan) {
            return [&, block = plan.block](std::span<const std::size_t> starts) {
                std::size_t filled = 0;
                for (const std::size_t start : starts) {
                    const std::size_t length = std::min(drawn.size() - filled, block);
                    std::copy_n(ring.begin() + static_cast<std::ptrdiff_t>(start), length,
                                drawn.begin() + static_cast<std::ptrdiff_t>(filled));
                    filled += length;
                }
                return statistic(drawn);
            };
        },
        statistic(values));
}

Replicates replicates_of_sections(std::span<const double> values, const SampleStatistic& statistic,
                                  std::uint64_t seed) {
    std::vector<double> sections;
    for (std::size_t section = 0; section < section_count; ++section) {
        const std::size_t begin = values.size() * section / section_count;
        const std::size_t end = values.size() * (section + 1) / section_count;
        sections.push_back(statistic(values.subspan(begin, end - begin)));
    }
    Replicates replicates = replicates_of_mean(sections, seed);
    const double estimate = statistic(values);
    for (double& value : replicates.values) value += estimate - replicates.centre;
    replicates.centre = estimate;
    return replicates;
}

Replicates any_replicates(std::span<const double> values, const SampleStatistic& statistic,
                          std::uint64_t seed) {
    return values.size() > longest_resampled ? replicates_of_sections(values, statistic, seed)
                                             : replicates_of(values, statistic, seed);
}

Interval interval_of(Replicates replicates) {
    return widened_interval(replicates.plan, replicates.centre, std::move(replicates.values));
}

}  // namespace

Interval bootstrap_interval(std::span<const double> values, const SampleStatistic& statistic,
                            std::uint64_t seed) {
    if (values.empty()) return {};
    return interval_of(any_replicates(values, statistic, seed));
}

Interval median_interval(std::span<const double> values) {
    if (values.empty()) return {};
    if (values.size() > longest_resampled) return bootstrap_interval(values, median_of);
    return interval_of(replicates_of_median(values, 1));
}

Interval mean_interval(std::span<const double> values) {
    if (values.empty()) return {};
    if (values.size() > longest_resampled) return bootstrap_interval(values, mean_of);
    return interval_of(replicates_of_mean(values, 1));
}

RatioEstimate ratio_interval(std::span<const double> numerator, std::span<const double> denominator,
                             const SampleStatistic& statistic, std::uint64_t seed) {
    RatioEstimate ratio;
    if (numerator.empty() || denominator.empty()) return ratio;
    const Replicates above = any_replicates(numerator, statistic, seed);
    const Replicates below = any_replicates(denominator, statistic, seed + 1);
    if (below.centre != 0) ratio.value = above.centre / below.centre;
    if (below.centre <= 0 || *std::min_element(below.values.begin(), below.values.end()) <= 0) {
        // A denominator that may be zero leaves the ratio open on both sides. Rates and durations are
        // positive, so this is a broken measurement, not a case to be finer about.
        ratio.ci95 = {std::numeric_limits<double>::lowest(), std::numeric_limits<double>::max()};
        return ratio;
    }
    std::vector<double> ratios;
    for (std::size_t i = 0; i < above.values.size(); ++i) {
        const double over = above.centre + above.plan.inflation * (above.values[i] - above.centre);
        // Widened in logarithms, so that a denominator cannot cross zero by that alone.
        const double under = below.centre * std::pow(below.values[i] / below.centre, below.plan.inflation);
        ratios.push_back(over / under);
    }
    ratio.ci95 = {std::min(ratio.value, percentile_of(ratios, 2.5)),
                  std::max(ratio.value, percentile_of(ratios, 97.5))};
    return ratio;
}

}  // namespace assay
