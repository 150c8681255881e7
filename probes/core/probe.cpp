#include "probes/core/probe.h"

#include <stdexcept>

#include <fmt/format.h>

#include "probes/core/cpu_choice.h"

namespace assay {

const MetricDeclaration& Probe::metric(std::string_view metric_name) const {
    for (const MetricDeclaration& declaration : metrics) {
        if (declaration.name == metric_name) return declaration;
    }
    throw std::logic_error(fmt::format("{} does not declare the metric {}", name, metric_name));
}

std::string refused_device(const Probe& probe, const Case& the_case) {
    if (!probe.host_alone || on_cpu(the_case)) return {};
    return fmt::format("this version runs {} on cpu:0 only, not on {}", probe.name, the_case.text("device"));
}

}  // namespace assay
