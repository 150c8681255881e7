#include "reports/case_names.h"

#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace assay {

std::string labelled_name(std::string_view name, const Labels& labels) {
    if (labels.empty()) return std::string(name);
    std::vector<std::string> parts;
    for (const auto& [key, value] : labels) parts.push_back(fmt::format("{}={}", key, value));
    return fmt::format("{}{{{}}}", name, fmt::join(parts, ","));
}

CaseNames::CaseNames(const std::vector<SuiteCase>& cases, const std::vector<Outcome>& outcomes) {
    for (const SuiteCase& asked : cases) add(asked.the_case);
    for (const Outcome& outcome : outcomes) add(outcome.the_case);
}

void CaseNames::add(const Case& the_case) {
    std::map<std::string, std::set<std::string>>& parameters = values_[the_case.probe];
    for (const auto& [name, value] : the_case.parameters) parameters[name].insert(value);
}

Labels CaseNames::telling(const Case& the_case) const {
    Labels telling;
    const auto probe = values_.find(the_case.probe);
    for (const auto& [name, value] : the_case.parameters) {
        if (probe == values_.end()) break;
        const auto parameter = probe->second.find(name);
        if (parameter != probe->second.end() && parameter->second.size() > 1) telling[name] = value;
    }
    return telling;
}

std::string CaseNames::operator()(const Case& the_case) const {
    return labelled_name(the_case.probe, telling(the_case));
}

}  // namespace assay
