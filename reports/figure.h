#pragma once

#include <optional>
#include <string>
#include <vector>

#include "probes/core/metric.h"

namespace assay {

/// What is to be held against a bound: a metric's statistic, or the ratio of two.
struct Figure {
    std::optional<double> value;  ///< nothing: `reason` says why
    std::string text;             ///< of version and text kinds, then `value` is empty
    std::optional<Interval> ci95;
    bool stands_alone = false;  ///< judged without an interval: exact things, and the worst sample
    bool sampled = false;       ///< came from timing, so that what else the machine did matters
    std::string reason;         ///< why there is no value, or no interval though one is needed
    std::string reason_id;
    std::vector<std::string> notes;  ///< ids: "not_steady", "not_converged", "worst", "range",
                                     ///< "other_pages" (of derived figures)
};

/// The statistic as the metric's summary holds it.
Figure figure_of(const Metric& metric, Statistic statistic);

/// `of` / `to`. The interval of medians and means comes from resampling both series of samples; where there
/// are no such series (exact things, ranges, percentiles) it spans every quotient of the two intervals, which
/// is wider than need be, never narrower.
Figure ratio_figure(const Metric& of, Statistic of_statistic, const Metric& to, Statistic to_statistic);

}  // namespace assay
