#include "reports/selection.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "reports/case_names.h"

namespace assay {

namespace {

constexpr std::string_view every_gpu = "each:gpu";

/// A metric's probe is the first two parts of its name: domain.name.
std::string_view probe_of(std::string_view metric) {
    const std::size_t first = metric.find('.');
    const std::size_t second = first == std::string_view::npos ? first : metric.find('.', first + 1);
    return metric.substr(0, second);
}

bool value_matches(const std::string& wanted, const std::string& present) {
    return wanted == present || (wanted == every_gpu && names_accelerator(present));
}

bool label_matches(const std::string& name, const std::string& wanted, const Labels& labels) {
    const Labels::const_iterator found = labels.find(name);
    return found != labels.end() && value_matches(wanted, found->second);
}

bool metric_matches(const Selection& selection, const Metric& metric) {
    if (metric.name != selection.metric) return false;
    return std::all_of(selection.labels.begin(), selection.labels.end(), [&](const auto& label) {
        return label_matches(label.first, label.second, metric.labels);
    });
}

/// Whether a parameter leaves open that the case covers the wanted value.
bool parameter_allows(const std::string& wanted, const std::string& parameter) {
    if (parameter == "all") return true;
    if (parameter == every_gpu) return names_accelerator(wanted);
    return value_matches(wanted, parameter);
}

/// Of a label that is no parameter, the metrics that the case got to report tell, if there are any.
bool axis_allows(const std::string& name, const std::string& wanted, const std::string& metric_name,
                 const Outcome& outcome) {
    bool reported = false;
    for (const Metric& metric : outcome.metrics) {
        if (metric.name != metric_name) continue;
        reported = true;
        if (label_matches(name, wanted, metric.labels)) return true;
    }
    return !reported;
}

bool parameters_match(const Selection& selection, const Case& the_case) {
    if (the_case.probe != probe_of(selection.metric)) return false;
    return std::all_of(selection.labels.begin(), selection.labels.end(), [&](const auto& label) {
        const std::map<std::string, std::string>::const_iterator found =
            the_case.parameters.find(label.first);
        return found == the_case.parameters.end() || parameter_allows(label.second, found->second);
    });
}

bool unmeasured_matches(const Selection& selection, const Outcome& outcome) {
    if (!parameters_match(selection, outcome.the_case)) return false;
    for (const auto& [name, wanted] : selection.labels) {
        if (outcome.the_case.parameters.contains(name)) continue;
        const std::map<std::string, std::string>::const_iterator settled = outcome.resolved.find(name);
        const bool allowed = settled != outcome.resolved.end()
                                 ? value_matches(wanted, settled->second)
                                 : axis_allows(name, wanted, selection.metric, outcome);
        if (!allowed) return false;
    }
    return true;
}

/// "network is loopback, not network": the first label in which a metric is another than the one wanted.
std::string difference(const Selection& selection, const Metric& metric) {
    for (const auto& [name, wanted] : selection.labels) {
        if (label_matches(name, wanted, metric.labels)) continue;
        const Labels::const_iterator found = metric.labels.find(name);
        return found == metric.labels.end() ? fmt::format("it has no {}", name)
                                            : fmt::format("{} is {}, not {}", name, found->second, wanted);
    }
    return {};
}

const Labels& labels_of(const Candidate& candidate) {
    return candidate.metric != nullptr ? candidate.metric->labels : candidate.outcome->the_case.parameters;
}

}  // namespace

bool names_accelerator(std::string_view device) {
    return device == every_gpu || device.starts_with("cuda:") || device.starts_with("opencl:");
}

std::vector<Candidate> candidates_for(const Selection& selection, const std::vector<Outcome>& outcomes) {
    std::vector<Candidate> candidates;
    for (const Outcome& outcome : outcomes) {
        if (outcome.status == Status::measured) {
            for (const Metric& metric : outcome.metrics) {
                if (metric_matches(selection, metric)) candidates.push_back({&outcome, &metric});
            }
        } else if (unmeasured_matches(selection, outcome)) {
            candidates.push_back({&outcome, nullptr});
        }
    }
    return candidates;
}

Absence why_absent(const Selection& selection, const std::vector<Outcome>& outcomes,
                   const std::vector<Case>& missing) {
    const std::string_view probe = probe_of(selection.metric);
    for (const Case& the_case : missing) {
        if (parameters_match(selection, the_case)) {
            return {fmt::format("the case of {} was not run", probe), "not_run"};
        }
    }
    bool measured_otherwise = false;
    for (const Outcome& outcome : outcomes) {
        if (outcome.the_case.probe != probe || outcome.status != Status::measured) continue;
        measured_otherwise = measured_otherwise || parameters_match(selection, outcome.the_case);
        for (const Metric& metric : outcome.metrics) {
            if (metric.name != selection.metric) continue;
            return {fmt::format("measured only otherwise: {}", difference(selection, metric)),
                    "other_labels"};
        }
    }
    if (measured_otherwise) {
        return {fmt::format("the case of {} reports no {}", probe, selection.metric), "no_metric"};
    }
    return {fmt::format("this run has no case of {} for it", probe), "no_case"};
}

std::string telling_metric_name(const Selection& selection, const Candidate& candidate,
                                const std::vector<Candidate>& all) {
    Labels telling;
    for (const auto& [name, wanted] : selection.labels) telling[name] = wanted;
    for (const auto& [name, value] : labels_of(candidate)) {
        const Labels::const_iterator asked = telling.find(name);
        if (asked != telling.end()) {
            // A case without a figure may stand for more than was asked (kernel=all): what was asked tells
            // more.
            if (candidate.metric != nullptr || asked->second == every_gpu) telling[name] = value;
            continue;
        }
        const bool differs =
            std::any_of(all.begin(), all.end(), [&, &key = name, &own = value](const Candidate& other) {
                const Labels::const_iterator found = labels_of(other).find(key);
                return found != labels_of(other).end() && found->second != own;
            });
        if (differs) telling[name] = value;
    }
    return labelled_name(selection.metric, telling);
}

}  // namespace assay
