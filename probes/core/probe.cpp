#include "probes/core/probe.h"

#include <stdexcept>

#include <fmt/format.h>

namespace assay {

const MetricDeclaration& Probe::metric(std::string_view metric_name) const {
    for (const MetricDeclaration& declaration : metrics) {
        if (declaration.name == metric_name) return declaration;
    }
    throw std::logic_error(fmt::format("{} does not declare the metric {}", name, metric_name));
}

}  // namespace assay
