#include <algorithm>
#include <utility>

#include "probes/core/sampling.h"
#include "probes/core/statistics.h"

namespace assay {

namespace {

Metric declared(const MetricDeclaration& declaration, Statistic statistic, Labels axes) {
    Metric metric;
    metric.name = declaration.name;
    metric.unit = declaration.unit;
    metric.direction = declaration.direction;
    metric.labels = std::move(axes);
    metric.statistic = statistic;
    return metric;
}

double headline(const Metric& metric) {
    const Summary& summary = metric.summary;
    switch (metric.statistic) {
        case Statistic::median:
            return summary.median;
        case Statistic::mean:
            return summary.mean;
        case Statistic::worst:
            return metric.direction == Direction::higher ? summary.minimum : summary.maximum;
        case Statistic::sustained:
            return summary.sustained.value_or(summary.mean);
        default:
            break;
    }
    const double rank = percentile_rank(metric.statistic).value_or(50);
    for (const Percentile& percentile : summary.percentiles)
        if (percentile.rank == rank) return percentile.value;
    return percentile_of(metric.samples, rank);
}

}  // namespace

Metric make_metric(const MetricDeclaration& declaration, const SampleSet& set, Statistic statistic,
                   Labels axes) {
    Metric metric = declared(declaration, statistic, std::move(axes));
    metric.samples = set.values;
    metric.summary = summarise(set.values, set.at);
    metric.summary.converged = set.converged;
    metric.summary.steady = set.steady;
    for (std::size_t i = 0; i < std::min(set.values.size(), set.at.size()); ++i)
        metric.series.push_back({set.at[i], set.values[i]});
    metric.value = headline(metric);
    return metric;
}

Metric make_exact_metric(const MetricDeclaration& declaration, double value, Labels axes) {
    Metric metric = declared(declaration, Statistic::median, std::move(axes));
    metric.samples = {value};
    metric.summary = summarise(metric.samples, {});
    metric.summary.interval_method = "exact";
    metric.value = value;
    return metric;
}

Metric make_text_metric(const MetricDeclaration& declaration, std::string text, Labels axes) {
    Metric metric = declared(declaration, Statistic::median, std::move(axes));
    metric.text = std::move(text);
    metric.summary.interval_method = "exact";
    return metric;
}

Metric make_range_metric(const MetricDeclaration& declaration, const std::vector<double>& values,
                         Labels axes) {
    Metric metric = declared(declaration, Statistic::median, std::move(axes));
    metric.samples = values;
    metric.summary = summarise(values, {});
    const Interval range = {metric.summary.minimum, metric.summary.maximum};
    metric.summary.median_ci95 = metric.summary.mean_ci95 = range;
    metric.summary.interval_method = "range of " + std::to_string(values.size());
    metric.value = metric.summary.median;
    return metric;
}

}  // namespace assay
