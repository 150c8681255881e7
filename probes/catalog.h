#pragma once

#include <span>
#include <string_view>

#include "probes/core/probe.h"

namespace assay {

/// Every probe of this version: the one explicit list.
std::span<const Probe> catalog();

/// A metric that the documents' requirements need and no probe of this version reports yet. Suites may name
/// it (a typo is still an error); its requirements come out as not measured. A line goes when its probe
/// comes.
struct PlannedMetric {
    MetricDeclaration declaration;
    std::string_view probe;
};
std::span<const PlannedMetric> planned_metrics();

/// A choice that the documents' requirements select by and that its probe does not offer yet: the same rule
/// as for planned metrics.
struct PlannedChoice {
    std::string_view probe;
    std::string_view parameter;
    std::string_view choice;
};
std::span<const PlannedChoice> planned_choices();

}  // namespace assay
