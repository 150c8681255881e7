#include "suites/plan.h"

#include <algorithm>
#include <cstddef>
#include <set>

#include <fmt/format.h>

#include "suites/device_survey.h"
#include "suites/json_text.h"

namespace assay {
namespace {

using Parameters = std::map<std::string, std::string>;

constexpr std::string_view each_gpu = "each:gpu";

/// Long enough that only a hung case meets it, where the suite does not say.
double time_limit_for(double expected_seconds) {
    return std::max(60.0, 3 * expected_seconds + 30);
}

bool is_domain_of(std::string_view domain, std::string_view probe) {
    return probe.size() > domain.size() && probe.starts_with(domain) && probe[domain.size()] == '.';
}

void check_only(const std::vector<std::string>& only, const std::vector<SuiteEntry>& entries,
                const Suite& suite) {
    std::set<std::string> accepted;
    for (const SuiteEntry& entry : entries) {
        accepted.insert(entry.probe.substr(0, entry.probe.find('.')));
        accepted.insert(entry.probe);
    }
    for (const std::string& name : only)
        if (!accepted.contains(name))
            throw InputError(
                fmt::format("--only {}: the suite {} has no such probe or domain; accepted are {}", name,
                            suite.name, alternatives({accepted.begin(), accepted.end()}, 64)));
}

const Parameter* find_parameter(const Probe& probe, std::string_view name) {
    for (const Parameter& parameter : probe.parameters)
        if (parameter.name == name) return &parameter;
    return nullptr;
}

void check_set(const RunOptions& options, const std::vector<SuiteEntry>& entries, const Catalogue& catalogue,
               const Suite& suite) {
    for (const auto& [name, values] : options.set) {
        const Probe* probe = catalogue.find(name);
        std::set<std::string> probes;
        for (const SuiteEntry& entry : entries)
            if (catalogue.find(entry.probe)) probes.insert(entry.probe);
        if (!probe || !probes.contains(name))
            throw InputError(fmt::format("--set {}.{}: the suite {} runs no probe \"{}\"; accepted are {}",
                                         name, values.empty() ? "" : values.begin()->first, suite.name, name,
                                         alternatives({probes.begin(), probes.end()})));
        for (const auto& [parameter_name, value] : values) {
            const std::string where = fmt::format("--set {}.{}", name, parameter_name);
            const Parameter* parameter = find_parameter(*probe, parameter_name);
            if (!parameter) {
                std::vector<std::string> accepted;
                for (const Parameter& known : probe->parameters) accepted.emplace_back(known.name);
                throw InputError(fmt::format("{}: {} has no such parameter; accepted are {}", where, name,
                                             alternatives(accepted)));
            }
            if (parameter->kind == ParameterKind::device && value == each_gpu) continue;
            canonical_value(*parameter, value, where);
        }
    }
}

bool asks_for_gpus(const Selection& selection) {
    return std::any_of(selection.labels.begin(), selection.labels.end(),
                       [](const auto& label) { return label.second == each_gpu; });
}

/// What is no GPU must not be judged as one.
void check_device(const std::string& id, const DeviceSurvey& survey, const Suite& suite) {
    if (id.empty()) return;
    canonical_value({"device", ParameterKind::device, "", ""}, id, "--device");
    const bool other =
        std::any_of(survey.devices.begin(), survey.devices.end(),
                    [&](const DeviceInfo& device) { return device.id == id && device.kind != "gpu"; });
    if (!other) return;
    for (const Requirement& requirement : suite.requirements)
        if (asks_for_gpus(requirement.select) ||
            (requirement.divided_by && asks_for_gpus(*requirement.divided_by)))
            throw InputError(fmt::format(
                "--device {}: is no GPU, which the requirement {} of the suite {} is on; accepted is "
                "a GPU, or a suite without such requirements",
                id, requirement.id, suite.name));
}

Parameters parameters_of(const SuiteEntry& entry, const RunOptions& options) {
    Parameters parameters = entry.parameters;
    if (options.quick)
        for (const auto& [name, value] : entry.quick_parameters) parameters[name] = value;
    const std::map<std::string, Parameters>::const_iterator set = options.set.find(entry.probe);
    if (set != options.set.end())
        for (const auto& [name, value] : set->second) parameters[name] = value;
    return parameters;
}

class Expansion {
  public:
    Expansion(const DeviceSurvey& survey, const Catalogue& catalogue, const RunOptions& options,
              const Context& context)
        : survey_(survey), catalogue_(catalogue), options_(options), context_(context) {}

    void add(const SuiteEntry& entry) {
        if (has_too_few_gpus(entry)) return;
        const Parameters parameters = parameters_of(entry, options_);
        const Probe* probe = catalogue_.find(entry.probe);
        if (probe)
            add_known(entry, *probe, parameters);
        else
            add_planned(entry, parameters);
    }

    Plan take() { return std::move(plan_); }

  private:
    /// Whether it takes more GPUs than the machine has; of one without any the skipped case says so.
    bool has_too_few_gpus(const SuiteEntry& entry) const {
        const std::string interface = options_.device.substr(0, options_.device.find(':') + 1);
        const std::ptrdiff_t count =
            std::count_if(survey_.devices.begin(), survey_.devices.end(), [&](const DeviceInfo& device) {
                return options_.device.empty() ? is_gpu(device) : device.id.starts_with(interface);
            });
        return count > 0 && count < entry.minimum_gpus;
    }

    void add_planned(const SuiteEntry& entry, const Parameters& parameters) {
        const Parameters::const_iterator device = parameters.find("device");
        const bool needs_gpu = device != parameters.end() && names_gpu(device->second);
        PlannedCase planned;
        planned.the_case = {entry.probe, parameters};
        if (needs_gpu) planned.skip_reason = no_gpu_reason(survey_);
        if (!planned.skip_reason)
            planned.skip_reason = fmt::format("this version of assay has no probe {} yet", entry.probe);
        append(std::move(planned), entry);
    }

    void add_known(const SuiteEntry& entry, const Probe& probe, const Parameters& parameters) {
        for (const Parameter& parameter : probe.parameters) {
            const std::string name(parameter.name);
            const Parameters::const_iterator given = parameters.find(name);
            if (parameter.kind != ParameterKind::device || given == parameters.end() ||
                given->second != each_gpu)
                continue;
            Parameters one = parameters;
            if (!options_.device.empty()) {
                one[name] = options_.device;
                add_case(entry, probe, one);
                return;
            }
            for (const DeviceInfo& device : survey_.devices) {
                if (!is_gpu(device)) continue;
                one[name] = device.id;
                add_case(entry, probe, one);
            }
            if (const std::optional<std::string> reason = no_gpu_reason(survey_)) {
                // The other values are still checked; the first GPU stands for those that are not there.
                one[name] = "cuda:0";
                PlannedCase planned;
                planned.the_case = make_case(probe, one);
                planned.the_case.parameters[name] = each_gpu;
                planned.skip_reason = reason;
                append(std::move(planned), entry);
            }
            return;
        }
        add_case(entry, probe, parameters);
    }

    void add_case(const SuiteEntry& entry, const Probe& probe, const Parameters& parameters) {
        PlannedCase planned;
        planned.the_case = make_case(probe, parameters);
        planned.skip_reason = missing_device(probe, planned.the_case);
        if (const std::string refused = refused_device(probe, planned.the_case);
            !planned.skip_reason && !refused.empty())
            planned.skip_reason = refused;
        if (!planned.skip_reason) {
            const Estimate estimate =
                probe.estimate ? probe.estimate(planned.the_case, context_) : Estimate{};
            planned.expected_seconds = estimate.seconds;
            planned.written_bytes = estimate.written_bytes;
            planned.time_limit_seconds = entry.time_limit_seconds.value_or(time_limit_for(estimate.seconds));
            // A limit in the suite fits the suite's own values, not longer ones that were set by hand.
            if (options_.set.contains(entry.probe))
                planned.time_limit_seconds =
                    std::max(planned.time_limit_seconds, time_limit_for(estimate.seconds));
        }
        append(std::move(planned), entry);
    }

    std::optional<std::string> missing_device(const Probe& probe, const Case& the_case) const {
        for (const Parameter& parameter : probe.parameters) {
            if (parameter.kind != ParameterKind::device) continue;
            const std::string& id = the_case.text(parameter.name);
            const bool present = std::any_of(survey_.devices.begin(), survey_.devices.end(),
                                             [&](const DeviceInfo& device) { return device.id == id; });
            if (!present && id != "auto") return no_device_reason(survey_, id);
        }
        return std::nullopt;
    }

    /// Values set by hand, or shorter ones, can make two entries the same case: it is run once.
    void append(PlannedCase planned, const SuiteEntry& entry) {
        planned.required = entry.required;
        for (PlannedCase& present : plan_.cases)
            if (present.the_case == planned.the_case) {
                present.required = present.required || planned.required;
                return;
            }
        plan_.cases.push_back(std::move(planned));
    }

    const DeviceSurvey& survey_;
    const Catalogue& catalogue_;
    const RunOptions& options_;
    const Context& context_;
    Plan plan_;
};

}  // namespace

double Plan::expected_seconds() const {
    double seconds = 0;
    for (const PlannedCase& planned : cases) seconds += planned.expected_seconds;
    return seconds;
}

std::uint64_t Plan::written_bytes() const {
    std::uint64_t bytes = 0;
    for (const PlannedCase& planned : cases) bytes = std::max(bytes, planned.written_bytes);
    return bytes;
}

Plan expand(const Suite& suite, const DeviceSurvey& survey, const Catalogue& catalogue,
            const RunOptions& options, const Context& context) {
    const std::vector<SuiteEntry> entries = entries_in_force(suite);
    check_only(options.only, entries, suite);
    check_set(options, entries, catalogue, suite);
    check_device(options.device, survey, suite);
    Expansion expansion(survey, catalogue, options, context);
    for (const SuiteEntry& entry : entries) {
        const bool wanted =
            options.only.empty() ||
            std::any_of(options.only.begin(), options.only.end(), [&](const std::string& name) {
                return name == entry.probe || is_domain_of(name, entry.probe);
            });
        if (wanted) expansion.add(entry);
    }
    return expansion.take();
}

}  // namespace assay
