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

enum class GpuKind { gpu, other, unknown };

/// What the run knows of a device, never what its id suggests: OpenCL's may be a CPU.
GpuKind gpu_kind(std::string_view device, const std::vector<RunDevice>& devices) {
    if (device == every_gpu) return GpuKind::gpu;
    const auto known =
        std::find_if(devices.begin(), devices.end(), [&](const RunDevice& one) { return one.id == device; });
    if (known != devices.end()) return known->kind == "gpu" ? GpuKind::gpu : GpuKind::other;
    if (device.starts_with("cuda:")) return GpuKind::gpu;  // CUDA has no others
    return device.starts_with("cpu:") ? GpuKind::other : GpuKind::unknown;
}

/// Compares labels with what is present in one run.
class Matching {
  public:
    Matching(const Selection& selection, const std::vector<RunDevice>& devices)
        : selection_(selection), devices_(devices) {}

    bool value(const std::string& wanted, const std::string& present) const {
        return wanted == present || (wanted == every_gpu && gpu_kind(present, devices_) == GpuKind::gpu);
    }

    bool label(const std::string& name, const std::string& wanted, const Labels& labels) const {
        const Labels::const_iterator found = labels.find(name);
        return found != labels.end() && value(wanted, found->second);
    }

    bool metric(const Metric& metric) const {
        if (metric.name != selection_.metric) return false;
        return std::all_of(selection_.labels.begin(), selection_.labels.end(), [&](const auto& wanted) {
            return label(wanted.first, wanted.second, metric.labels);
        });
    }

    bool parameters(const Case& the_case) const {
        if (the_case.probe != probe_of(selection_.metric)) return false;
        return std::all_of(selection_.labels.begin(), selection_.labels.end(), [&](const auto& wanted) {
            const std::map<std::string, std::string>::const_iterator found =
                the_case.parameters.find(wanted.first);
            return found == the_case.parameters.end() || allows(wanted.second, found->second);
        });
    }

    bool unmeasured(const Outcome& outcome) const {
        if (!parameters(outcome.the_case)) return false;
        for (const auto& [name, wanted] : selection_.labels) {
            if (outcome.the_case.parameters.contains(name)) continue;
            const std::map<std::string, std::string>::const_iterator settled = outcome.resolved.find(name);
            const bool allowed = settled != outcome.resolved.end() ? value(wanted, settled->second)
                                                                   : axis_allows(name, wanted, outcome);
            if (!allowed) return false;
        }
        return true;
    }

    /// "network is loopback, not network": the first label in which a metric is another than the one wanted.
    std::string difference(const Metric& metric) const {
        for (const auto& [name, wanted] : selection_.labels) {
            if (label(name, wanted, metric.labels)) continue;
            const Labels::const_iterator found = metric.labels.find(name);
            if (found == metric.labels.end()) return fmt::format("it has no {}", name);
            if (wanted != every_gpu) return fmt::format("{} is {}, not {}", name, found->second, wanted);
            if (gpu_kind(found->second, devices_) == GpuKind::unknown)
                return fmt::format("{} is {}, which the run does not know to be a GPU", name, found->second);
            return fmt::format("{} is {}, which is no GPU", name, found->second);
        }
        return {};
    }

  private:
    /// Whether a parameter leaves open that the case covers the wanted value.
    bool allows(const std::string& wanted, const std::string& parameter) const {
        if (parameter == "all") return true;
        if (parameter == every_gpu) return names_accelerator(wanted);
        return value(wanted, parameter);
    }

    /// Of a label that is no parameter, the metrics that the case got to report tell, if there are any.
    bool axis_allows(const std::string& name, const std::string& wanted, const Outcome& outcome) const {
        bool reported = false;
        for (const Metric& metric : outcome.metrics) {
            if (metric.name != selection_.metric) continue;
            reported = true;
            if (label(name, wanted, metric.labels)) return true;
        }
        return !reported;
    }

    const Selection& selection_;
    const std::vector<RunDevice>& devices_;
};

const Labels& labels_of(const Candidate& candidate) {
    return candidate.metric != nullptr ? candidate.metric->labels : candidate.outcome->the_case.parameters;
}

}  // namespace

bool names_accelerator(std::string_view device) {
    return device == every_gpu || device.starts_with("cuda:") || device.starts_with("opencl:");
}

std::vector<Candidate> candidates_for(const Selection& selection, const Evidence& evidence) {
    const Matching matching(selection, evidence.devices);
    std::vector<Candidate> candidates;
    for (const Outcome& outcome : evidence.outcomes) {
        if (outcome.status == Status::measured) {
            for (const Metric& metric : outcome.metrics) {
                if (matching.metric(metric)) candidates.push_back({&outcome, &metric});
            }
        } else if (matching.unmeasured(outcome)) {
            candidates.push_back({&outcome, nullptr});
        }
    }
    return candidates;
}

Absence why_absent(const Selection& selection, const Evidence& evidence) {
    const Matching matching(selection, evidence.devices);
    const std::string_view probe = probe_of(selection.metric);
    for (const Case& the_case : evidence.missing) {
        if (matching.parameters(the_case)) {
            return {fmt::format("the case of {} was not run", probe), "not_run"};
        }
    }
    bool measured_otherwise = false;
    for (const Outcome& outcome : evidence.outcomes) {
        if (outcome.the_case.probe != probe || outcome.status != Status::measured) continue;
        measured_otherwise = measured_otherwise || matching.parameters(outcome.the_case);
        for (const Metric& metric : outcome.metrics) {
            if (metric.name != selection.metric) continue;
            return {fmt::format("measured only otherwise: {}", matching.difference(metric)), "other_labels"};
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
