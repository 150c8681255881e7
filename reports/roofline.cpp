#include "reports/roofline.h"

#include <algorithm>
#include <string_view>

namespace assay {

namespace {

constexpr std::string_view suffix = ".bytes_per_operation";

/// Beyond any hardware, and far enough from the ends of double that quotients stay finite.
bool can_be_drawn(double value) {
    return value > 1e-30 && value < 1e30;
}

Roofline& of_device(std::vector<Roofline>& all, std::string_view device) {
    const auto found = std::find_if(all.begin(), all.end(),
                                    [&](const Roofline& roofline) { return roofline.device == device; });
    if (found != all.end()) return *found;
    all.push_back({std::string(device), {}, {}, {}});
    return all.back();
}

bool same_loop(const Measured& one, const Measured& other) {
    return parameter_of(*one.outcome, "precision") == parameter_of(*other.outcome, "precision") &&
           isa_of(one) == isa_of(other);
}

/// A loop that was measured twice (isa=auto, and by its name or with all) is one line: the higher of the two.
void add_ceiling(std::vector<Measured>& ceilings, const Measured& ceiling) {
    const auto known = std::find_if(ceilings.begin(), ceilings.end(),
                                    [&](const Measured& other) { return same_loop(ceiling, other); });
    if (known == ceilings.end()) {
        ceilings.push_back(ceiling);
    } else if (known->metric->value < ceiling.metric->value) {
        *known = ceiling;
    }
}

/// The rate that a metric of bytes an operation belongs to.
const Metric* rate_beside(const Metric& bytes, const Outcome& outcome) {
    const std::string base = bytes.name.substr(0, bytes.name.size() - suffix.size());
    for (const std::string& name : {base + ".throughput", base}) {
        for (const Metric& metric : outcome.metrics) {
            if (metric.name == name && metric.labels == bytes.labels && is_rate(metric)) return &metric;
        }
    }
    return nullptr;
}

}  // namespace

std::vector<Roofline> rooflines(const std::vector<Outcome>& outcomes) {
    std::vector<Roofline> all;
    for (const Outcome& outcome : outcomes) {
        if (outcome.status != Status::measured) continue;
        const std::string_view device = parameter_of(outcome, "device");
        for (const Metric& metric : outcome.metrics) {
            if (metric.name == "gemm.ceiling" && is_rate(metric) && can_be_drawn(metric.value) &&
                had_all_cores(outcome, outcomes))
                add_ceiling(of_device(all, device).ceilings, {&outcome, &metric});
            if (!metric.name.ends_with(suffix) || metric.unit != Unit::byte_per_operation) continue;
            const Metric* rate = rate_beside(metric, outcome);
            if (rate == nullptr || !can_be_drawn(metric.value) || !can_be_drawn(rate->value)) continue;
            of_device(all, device).points.push_back({{&outcome, rate}, 1 / metric.value});
        }
    }
    for (Roofline& roofline : all) {
        std::vector<Measured> reads = read_bandwidths(outcomes);
        std::erase_if(reads, [&](const Measured& read) {
            return parameter_of(*read.outcome, "device") != roofline.device ||
                   !had_all_cores(*read.outcome, outcomes) || !can_be_drawn(read.metric->value);
        });
        roofline.memory = greatest(reads);
        std::stable_sort(roofline.ceilings.begin(), roofline.ceilings.end(),
                         [](const Measured& one, const Measured& other) {
                             return one.metric->value > other.metric->value;
                         });
    }
    return all;
}

}  // namespace assay
