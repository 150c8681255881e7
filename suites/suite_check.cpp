#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "suites/json_text.h"
#include "suites/suite_file.h"

namespace assay {
namespace {

using Parameters = std::map<std::string, std::string>;

/// A metric that a suite may name. `probe` is null for one that is only planned.
struct KnownMetric {
    MetricDeclaration declaration;
    std::string probe_name;
    const Probe* probe = nullptr;
};

std::string domain_of(std::string_view name) {
    return std::string(name.substr(0, name.find('.')));
}

std::string metric_place(const Selection& selection, const std::string& where) {
    return fmt::format("{}: the selection of \"{}\"", where, selection.metric);
}

class Checker {
  public:
    Checker(SuiteFile& file, const Catalogue& catalogue, const std::vector<std::string>& tiers)
        : file_(file), catalogue_(catalogue), tiers_(tiers) {}

    void check() {
        for (std::size_t i = 0; i < file_.suite.entries.size(); ++i)
            check_entry(file_.suite.entries[i], file_.entry_places[i]);
        refuse_equal_cases();
        for (std::size_t i = 0; i < file_.suite.requirements.size(); ++i)
            check_requirement(file_.suite.requirements[i], file_.requirement_places[i]);
        for (std::size_t i = 0; i < file_.suite.contradictions.size(); ++i)
            check_contradiction(file_.suite.contradictions[i], file_.contradiction_places[i]);
    }

  private:
    bool is_planned_probe(std::string_view name) const {
        return std::any_of(catalogue_.planned.begin(), catalogue_.planned.end(),
                           [&](const PlannedMetric& metric) { return metric.probe == name; });
    }

    bool is_planned_choice(std::string_view probe, std::string_view parameter, std::string_view value) const {
        return std::any_of(catalogue_.planned_choices.begin(), catalogue_.planned_choices.end(),
                           [&](const PlannedChoice& planned) {
                               return planned.probe == probe && planned.parameter == parameter &&
                                      planned.choice == value;
                           });
    }

    std::vector<std::string> probe_names() const {
        std::set<std::string> names;
        for (const Probe& probe : catalogue_.probes) names.emplace(probe.name);
        for (const PlannedMetric& metric : catalogue_.planned) names.emplace(metric.probe);
        return {names.begin(), names.end()};
    }

    KnownMetric find_metric(const std::string& name, const std::string& where) const {
        for (const Probe& probe : catalogue_.probes)
            for (const MetricDeclaration& declaration : probe.metrics)
                if (declaration.name == name) return {declaration, std::string(probe.name), &probe};
        for (const PlannedMetric& metric : catalogue_.planned)
            if (metric.declaration.name == name) return {metric.declaration, std::string(metric.probe)};
        std::vector<std::string> near, all;
        for (const Probe& probe : catalogue_.probes)
            for (const MetricDeclaration& declaration : probe.metrics) all.emplace_back(declaration.name);
        for (const PlannedMetric& metric : catalogue_.planned) all.emplace_back(metric.declaration.name);
        for (const std::string& candidate : all)
            if (domain_of(candidate) == domain_of(name)) near.push_back(candidate);
        throw InputError(fmt::format("{}: unknown metric \"{}\"; accepted are {}", where, name,
                                     alternatives(near.empty() ? all : near)));
    }

    /// A case of one device for `each:gpu`, whose values are checked alike.
    Case checked_case(const Probe& probe, Parameters parameters, const std::string& where) const {
        for (const Parameter& parameter : probe.parameters) {
            const Parameters::iterator given = parameters.find(std::string(parameter.name));
            if (parameter.kind == ParameterKind::device && given != parameters.end() &&
                given->second == "each:gpu")
                given->second = "cuda:0";
        }
        try {
            return make_case(probe, parameters);
        } catch (const InputError& error) {
            throw InputError(fmt::format("{}: {}", where, error.what()));
        }
    }

    static Parameters quick_of(const SuiteEntry& entry) {
        Parameters parameters = entry.parameters;
        for (const auto& [name, value] : entry.quick_parameters) parameters[name] = value;
        return parameters;
    }

    void check_tiers(const std::vector<std::string>& names, const std::vector<std::string>& more,
                     const std::string& where) const {
        std::vector<std::string> accepted = more;
        accepted.insert(accepted.end(), tiers_.begin(), tiers_.end());
        for (std::size_t i = 0; i < names.size(); ++i)
            if (std::find(accepted.begin(), accepted.end(), names[i]) == accepted.end())
                throw InputError(fmt::format("{}/{}: unknown tier \"{}\"; accepted are {}", where, i,
                                             names[i], alternatives(accepted)));
    }

    void check_entry(const SuiteEntry& entry, const std::string& where) const {
        check_tiers(entry.tiers, {}, where + "/tiers");
        const Probe* probe = catalogue_.find(entry.probe);
        if (!probe) {
            if (is_planned_probe(entry.probe)) return;
            throw InputError(fmt::format("{}/probe: unknown probe \"{}\"; accepted are {}", where,
                                         entry.probe, alternatives(probe_names())));
        }
        checked_case(*probe, entry.parameters, where + "/parameters");
        checked_case(*probe, quick_of(entry), where + "/quick");
    }

    /// The parameters by which an entry's metrics are labelled: canonical and whole where the probe is there.
    Parameters labels_of(const SuiteEntry& entry) const {
        const Probe* probe = catalogue_.find(entry.probe);
        if (!probe) return entry.parameters;
        Parameters labels = checked_case(*probe, entry.parameters, "").parameters;
        for (const Parameter& parameter : probe->parameters) {
            const std::string name(parameter.name);
            const Parameters::const_iterator given = entry.parameters.find(name);
            if (given != entry.parameters.end() && given->second == "each:gpu") labels[name] = "each:gpu";
        }
        return labels;
    }

    void refuse_equal_cases() const {
        const std::vector<SuiteEntry>& entries = file_.suite.entries;
        for (std::size_t i = 0; i < entries.size(); ++i)
            for (std::size_t j = 0; j < i; ++j)
                if (entries[i].probe == entries[j].probe && may_meet(entries[i], entries[j]) &&
                    labels_of(entries[i]) == labels_of(entries[j]))
                    throw InputError(
                        fmt::format("{}: the same case stands already at {}; it is accepted once",
                                    file_.entry_places[i], file_.entry_places[j]));
    }

    /// Whether some tier has both entries.
    static bool may_meet(const SuiteEntry& a, const SuiteEntry& b) {
        if (a.tiers.empty() || b.tiers.empty()) return true;
        return std::any_of(a.tiers.begin(), a.tiers.end(), [&](const std::string& tier) {
            return std::find(b.tiers.begin(), b.tiers.end(), tier) != b.tiers.end();
        });
    }

    void check_labels(Selection& selection, const KnownMetric& metric, const std::string& where) const {
        if (!metric.probe) return;
        const std::vector<std::string_view>& axes = metric.declaration.axes;
        for (std::pair<const std::string, std::string>& label : selection.labels) {
            const std::string& name = label.first;
            std::string& value = label.second;
            const std::string place = fmt::format("{}/labels/{}", where, name);
            const std::vector<Parameter>& parameters = metric.probe->parameters;
            const std::vector<Parameter>::const_iterator parameter =
                std::find_if(parameters.begin(), parameters.end(),
                             [&](const Parameter& candidate) { return candidate.name == name; });
            if (parameter != parameters.end()) {
                if (parameter->kind == ParameterKind::device && value == "each:gpu") continue;
                if (is_planned_choice(metric.probe_name, name, value)) continue;
                value = canonical_value(*parameter, value, place);
            } else if (std::find(axes.begin(), axes.end(), name) == axes.end()) {
                std::vector<std::string> accepted(axes.begin(), axes.end());
                for (const Parameter& known : parameters) accepted.emplace_back(known.name);
                throw InputError(fmt::format("{}: {} has no such label; accepted are {}", place,
                                             selection.metric, alternatives(accepted)));
            }
        }
    }

    /// Whether the metric of a case with these labels can be what is selected. An axis may take any value.
    static bool matches(const Selection& selection, const KnownMetric& metric, const Parameters& labels) {
        const std::vector<std::string_view>& axes = metric.declaration.axes;
        return std::all_of(selection.labels.begin(), selection.labels.end(), [&](const auto& label) {
            if (std::find(axes.begin(), axes.end(), label.first) != axes.end()) return true;
            const Parameters::const_iterator found = labels.find(label.first);
            if (found == labels.end()) return false;
            if (found->second == label.second) return true;
            const bool each = found->second == "each:gpu" || label.second == "each:gpu";
            return each && names_gpu(found->second) && names_gpu(label.second);
        });
    }

    /// A label that --quick changes would make the requirement "not measured" in every quick run.
    void refuse_lost_with_quick(const Selection& selection, const KnownMetric& metric,
                                const SuiteEntry& entry, const std::string& where) const {
        SuiteEntry quick = entry;
        quick.parameters = quick_of(entry);
        if (!matches(selection, metric, labels_of(quick)))
            throw InputError(fmt::format("{} names a label that \"quick\" changes; leave that label out",
                                         metric_place(selection, where)));
    }

    void refuse_several(const Selection& selection, const KnownMetric& metric,
                        const std::string& where) const {
        const bool several_allowed = selection.several != Selection::Several::error;
        const std::string remedy = "add labels, or say \"several\": \"each\" or \"best\"";
        std::vector<std::string> matching;
        for (std::size_t i = 0; i < file_.suite.entries.size(); ++i) {
            const SuiteEntry& entry = file_.suite.entries[i];
            const bool in_force = entry.tiers.empty() || std::find(entry.tiers.begin(), entry.tiers.end(),
                                                                   file_.suite.tier) != entry.tiers.end();
            if (entry.probe != metric.probe_name || !in_force) continue;
            const Parameters labels = labels_of(entry);
            if (!matches(selection, metric, labels)) continue;
            refuse_lost_with_quick(selection, metric, entry, where);
            matching.push_back(file_.entry_places[i]);
            for (const auto& [name, value] : labels)
                if (value == "each:gpu" && !selection.labels.contains(name) && !several_allowed)
                    throw InputError(fmt::format("{} matches one case a GPU ({} says each:gpu); {}",
                                                 metric_place(selection, where), matching.back(), remedy));
        }
        if (several_allowed) return;
        if (matching.size() > 1)
            throw InputError(fmt::format("{} matches several cases ({}); {}", metric_place(selection, where),
                                         fmt::join(matching, ", "), remedy));
        if (matching.empty() || !metric.probe) return;
        for (const std::string_view axis : metric.declaration.axes)
            if (!selection.labels.contains(std::string(axis)))
                throw InputError(fmt::format("{} leaves its axis \"{}\" free, so that several may match; {}",
                                             metric_place(selection, where), axis, remedy));
    }

    KnownMetric check_selection(Selection& selection, const std::string& where) const {
        const KnownMetric metric = find_metric(selection.metric, where + "/metric");
        check_labels(selection, metric, where);
        const bool each_gpu = std::any_of(selection.labels.begin(), selection.labels.end(),
                                          [](const auto& label) { return label.second == "each:gpu"; });
        if (each_gpu && selection.several == Selection::Several::error)
            selection.several = Selection::Several::each;
        refuse_several(selection, metric, where);
        return metric;
    }

    static void check_unit(const Requirement& requirement, Unit expected, const std::string& what,
                           const std::string& where) {
        if (!comparable(requirement.unit, expected))
            throw InputError(fmt::format("{}/unit: \"{}\" does not fit {}; accepted is \"{}\"", where,
                                         to_string(requirement.unit), what, to_string(expected)));
    }

    void check_requirement(Requirement& requirement, const std::string& where) const {
        check_tiers(requirement.counts_for, {"poc", "advice", "software"}, where + "/counts_for");
        if (requirement.divided_by) {
            const std::string ratio = where + "/ratio";
            const KnownMetric of = check_selection(requirement.select, ratio + "/of");
            const KnownMetric to = check_selection(*requirement.divided_by, ratio + "/to");
            check_unit(requirement, Unit::ratio, "a ratio", where);
            const Unit a = of.declaration.unit, b = to.declaration.unit;
            if (!comparable(a, b))
                throw InputError(fmt::format("{}: {} is in {} and {} in {}; both must be in one unit", ratio,
                                             of.declaration.name, to_string(a), to.declaration.name,
                                             to_string(b)));
        } else {
            const KnownMetric metric = check_selection(requirement.select, where + "/select");
            check_unit(requirement, metric.declaration.unit, std::string(metric.declaration.name), where);
        }
        check_sources(requirement.sources, where);
    }

    void check_sources(const std::vector<Source>& sources, const std::string& where) const {
        std::vector<std::string> known;
        for (const SuiteDocument& document : file_.suite.documents) known.push_back(document.id);
        for (std::size_t i = 0; i < sources.size(); ++i)
            if (std::find(known.begin(), known.end(), sources[i].document) == known.end())
                throw InputError(
                    fmt::format("{}/sources/{}/document: \"{}\" is not among the documents; "
                                "accepted are {}",
                                where, i, sources[i].document, alternatives(known)));
    }

    void check_contradiction(const Contradiction& contradiction, const std::string& where) const {
        check_sources(contradiction.sources, where);
        for (std::size_t i = 0; i < contradiction.requirements.size(); ++i) {
            const std::vector<Requirement>& all = file_.suite.requirements;
            const std::string& id = contradiction.requirements[i];
            if (std::none_of(all.begin(), all.end(),
                             [&](const Requirement& requirement) { return requirement.id == id; }))
                throw InputError(
                    fmt::format("{}/requirements/{}: there is no requirement \"{}\"; accepted are "
                                "the ids of this suite",
                                where, i, id));
        }
    }

    SuiteFile& file_;
    const Catalogue& catalogue_;
    const std::vector<std::string>& tiers_;
};

}  // namespace

void check_suite(SuiteFile& file, const Catalogue& catalogue, const std::vector<std::string>& tiers) {
    Checker(file, catalogue, tiers).check();
}

}  // namespace assay
