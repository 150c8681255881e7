#include "reports/figure.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <span>

#include <fmt/format.h>

#include "probes/core/statistics.h"

namespace assay {

namespace {

constexpr std::string_view exact_method = "exact";

bool is_exact(const Metric& metric) {
    return metric.summary.interval_method == exact_method;
}
bool is_range(const Metric& metric) {
    return metric.summary.interval_method.starts_with("range");
}

/// Only an interval of two finite ends in order is one.
std::optional<Interval> usable(const std::optional<Interval>& interval) {
    if (!interval || !std::isfinite(interval->low) || !std::isfinite(interval->high)) return std::nullopt;
    if (interval->low > interval->high) return std::nullopt;
    return interval;
}

void take_percentile(Figure& figure, const Summary& summary, double rank) {
    for (const Percentile& percentile : summary.percentiles) {
        if (std::abs(percentile.rank - rank) > 1e-9) continue;
        figure.value = percentile.value;
        figure.ci95 = usable(percentile.ci95);
        if (!figure.ci95) {
            figure.reason = fmt::format("too few operations for an interval of p{}", rank);
            figure.reason_id = "too_few_operations";
        }
        return;
    }
    figure.reason = fmt::format("the case reports no p{}", rank);
    figure.reason_id = "no_statistic";
}

void take_sustained(Figure& figure, const Summary& summary) {
    if (!summary.sustained) {
        figure.reason = "the case reports no sustained figure; it does when `seconds` is set";
        figure.reason_id = "no_statistic";
        return;
    }
    figure.value = summary.sustained;
    figure.ci95 = usable(summary.sustained_ci95);
}

void take_statistic(Figure& figure, const Metric& metric, Statistic statistic) {
    const Summary& summary = metric.summary;
    const std::optional<double> rank = percentile_rank(statistic);
    if (rank) {
        take_percentile(figure, summary, *rank);
    } else if (statistic == Statistic::sustained) {
        take_sustained(figure, summary);
    } else if (statistic == Statistic::worst) {
        // The extreme of a sample has no sampling interval; it is the worst that was seen, and says so.
        figure.value = metric.direction == Direction::lower ? summary.maximum : summary.minimum;
        figure.stands_alone = true;
        figure.notes.emplace_back("worst");
    } else if (statistic == Statistic::mean) {
        figure.value = summary.mean;
        figure.ci95 = usable(summary.mean_ci95);
    } else {
        figure.value = summary.median;
        figure.ci95 = usable(summary.median_ci95);
    }
}

void refuse(Figure& figure, std::string_view reason, std::string_view reason_id) {
    figure.value.reset();
    figure.ci95.reset();
    figure.reason = reason;
    figure.reason_id = reason_id;
}

void need_interval(Figure& figure) {
    if (!figure.value || figure.ci95 || figure.stands_alone || !figure.reason_id.empty()) return;
    figure.reason = "there is no 95 % interval: too few samples";
    figure.reason_id = "no_interval";
}

/// Every quotient of a value in `of` and one in `to`; nothing where `to` holds zero.
std::optional<Interval> quotients(const Interval& of, const Interval& to) {
    if (to.low <= 0 && to.high >= 0) return std::nullopt;
    const double ends[] = {of.low / to.low, of.low / to.high, of.high / to.low, of.high / to.high};
    return Interval{*std::min_element(std::begin(ends), std::end(ends)),
                    *std::max_element(std::begin(ends), std::end(ends))};
}

std::optional<Interval> interval_or_point(const Figure& figure) {
    if (figure.ci95) return figure.ci95;
    if (figure.stands_alone) return Interval{*figure.value, *figure.value};
    return std::nullopt;
}

/// Samples of a metric with a histogram are one value a slice, not the operations that its figure is of.
bool can_resample(const Metric& metric) {
    if (metric.histogram) return false;
    const bool all_finite = std::all_of(metric.samples.begin(), metric.samples.end(),
                                        [](double sample) { return std::isfinite(sample); });
    return metric.samples.size() > 1 && all_finite && !is_exact(metric) && !is_range(metric);
}

}  // namespace

Figure figure_of(const Metric& metric, Statistic statistic) {
    Figure figure;
    if (metric.unit == Unit::version || metric.unit == Unit::text) {
        figure.text = metric.text;
        figure.stands_alone = true;
        if (metric.text.empty()) refuse(figure, "the case reports it without a value", "no_value");
        return figure;
    }
    figure.sampled = !is_exact(metric);
    if (metric.summary.samples == 0) {
        refuse(figure, "there are no samples", "no_samples");
        return figure;
    }
    if (is_exact(metric)) {
        figure.value = metric.value;
        figure.stands_alone = true;
    } else {
        take_statistic(figure, metric, statistic);
        if (is_range(metric) && figure.ci95) figure.notes.emplace_back("range");
        if (!metric.summary.steady) figure.notes.emplace_back("not_steady");
        if (!metric.summary.converged) figure.notes.emplace_back("not_converged");
    }
    if (figure.value && !std::isfinite(*figure.value)) {
        refuse(figure, "the figure is not a number", "not_a_number");
    }
    need_interval(figure);
    return figure;
}

Figure ratio_figure(const Metric& of, Statistic of_statistic, const Metric& to, Statistic to_statistic) {
    const Figure above = figure_of(of, of_statistic);
    const Figure below = figure_of(to, to_statistic);
    Figure figure;
    figure.sampled = above.sampled || below.sampled;
    figure.stands_alone = above.stands_alone && below.stands_alone;
    figure.notes = above.notes;
    for (const std::string& note : below.notes) {
        if (std::find(figure.notes.begin(), figure.notes.end(), note) == figure.notes.end()) {
            figure.notes.push_back(note);
        }
    }
    for (const Figure* side : {&above, &below}) {
        if (side->value) continue;
        refuse(figure, side->reason.empty() ? "a version or text cannot be divided" : side->reason,
               side->reason.empty() ? "not_a_number" : side->reason_id);
        return figure;
    }
    if (*below.value == 0) {
        refuse(figure, "the ratio's denominator is zero", "zero_denominator");
        return figure;
    }
    figure.value = *above.value / *below.value;
    if (figure.stands_alone) return figure;

    const bool same_statistic = of_statistic == to_statistic;
    const bool resampled = of_statistic == Statistic::median || of_statistic == Statistic::mean;
    if (same_statistic && resampled && can_resample(of) && can_resample(to)) {
        const std::function<double(std::span<const double>)> statistic =
            of_statistic == Statistic::median ? median_of : mean_of;
        figure.ci95 = usable(ratio_interval(of.samples, to.samples, statistic).ci95);
    } else {
        const std::optional<Interval> of_interval = interval_or_point(above);
        const std::optional<Interval> to_interval = interval_or_point(below);
        if (of_interval && to_interval) figure.ci95 = usable(quotients(*of_interval, *to_interval));
    }
    if (!figure.ci95) {
        const std::string& reason_id = above.reason_id.empty() ? below.reason_id : above.reason_id;
        figure.reason = above.reason_id.empty() ? below.reason : above.reason;
        figure.reason_id = reason_id;
    }
    need_interval(figure);
    return figure;
}

}  // namespace assay
