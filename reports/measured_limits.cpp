#include "reports/measured_limits.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>

#include <fmt/format.h>

namespace assay {

namespace {

std::string_view value_of(const std::map<std::string, std::string>& values, std::string_view name) {
    const auto found = values.find(std::string(name));
    return found == values.end() ? std::string_view() : std::string_view(found->second);
}

bool chose_its_threads(const Outcome& outcome) {
    const std::string_view asked = parameter_of(outcome, "threads");
    return asked.empty() || asked == "auto";
}

}  // namespace

std::string_view parameter_of(const Outcome& outcome, std::string_view name) {
    return value_of(outcome.the_case.parameters, name);
}

std::string_view resolved_of(const Outcome& outcome, std::string_view name) {
    return value_of(outcome.resolved, name);
}

std::string_view isa_of(const Measured& measured) {
    const Labels& labels = measured.metric->labels;
    const Labels::const_iterator own = labels.find("isa");
    if (parameter_of(*measured.outcome, "isa") == "all" && own != labels.end()) return own->second;
    return resolved_of(*measured.outcome, "isa");
}

std::string_view instruction_of(const Measured& measured) {
    const std::string_view one = resolved_of(*measured.outcome, "instruction");
    return one.empty() ? resolved_of(*measured.outcome, fmt::format("instruction_{}", isa_of(measured)))
                       : one;
}

std::vector<Measured> all_measured(const std::vector<Outcome>& outcomes, std::string_view metric) {
    std::vector<Measured> found;
    for (const Outcome& outcome : outcomes) {
        if (outcome.status != Status::measured) continue;
        for (const Metric& one : outcome.metrics) {
            if (one.name == metric) found.push_back({&outcome, &one});
        }
    }
    return found;
}

std::optional<double> usable_value(const Measured& measured) {
    const double value = measured.metric->value;
    return std::isfinite(value) && value > 0 ? std::optional(value) : std::nullopt;
}

std::optional<Measured> greatest(const std::vector<Measured>& candidates) {
    std::optional<Measured> best;
    for (const Measured& candidate : candidates) {
        if (!usable_value(candidate)) continue;
        if (!best || candidate.metric->value > best->metric->value) best = candidate;
    }
    return best;
}

bool is_rate(const Metric& metric) {
    return metric.unit == Unit::flop_per_second || metric.unit == Unit::operation_per_second;
}

std::vector<Measured> read_bandwidths(const std::vector<Outcome>& outcomes) {
    std::vector<Measured> found = all_measured(outcomes, "memory.bandwidth");
    std::erase_if(found, [](const Measured& one) {
        const Labels::const_iterator label = one.metric->labels.find("kernel");
        const std::string_view kernel = label == one.metric->labels.end()
                                            ? parameter_of(*one.outcome, "kernel")
                                            : std::string_view(label->second);
        return kernel != "read" || one.metric->unit != Unit::byte_per_second;
    });
    return found;
}

bool had_all_cores(const Outcome& outcome, const std::vector<Outcome>& outcomes) {
    if (chose_its_threads(outcome)) return true;
    const std::string_view threads = resolved_of(outcome, "threads");
    return !threads.empty() && std::any_of(outcomes.begin(), outcomes.end(), [&](const Outcome& other) {
        return other.status == Status::measured && chose_its_threads(other) &&
               parameter_of(other, "device") == parameter_of(outcome, "device") &&
               resolved_of(other, "threads") == threads;
    });
}

}  // namespace assay
