#include "reports/case_names.h"

#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace assay {

namespace {

/// What would run on each GPU, of which there is none: what does run is not told apart from it.
bool is_of_absent_gpus(const Case& the_case) {
    const auto device = the_case.parameters.find("device");
    return device != the_case.parameters.end() && device->second == "each:gpu";
}

}  // namespace

std::string labelled_name(std::string_view name, const Labels& labels) {
    if (labels.empty()) return std::string(name);
    std::vector<std::string> parts;
    for (const auto& [key, value] : labels) parts.push_back(fmt::format("{}={}", key, value));
    return fmt::format("{}{{{}}}", name, fmt::join(parts, ","));
}

std::string shape_name(const Case& the_case) {
    std::string shape;
    for (const char* side : {"m", "n", "k"}) {
        const auto found = the_case.parameters.find(side);
        if (found != the_case.parameters.end()) shape += (shape.empty() ? "" : "×") + found->second;
    }
    return shape;
}

CaseNames::CaseNames(const std::vector<SuiteCase>& cases, const std::vector<Outcome>& outcomes) {
    for (const SuiteCase& asked : cases) add(asked.the_case);
    for (const Outcome& outcome : outcomes) add(outcome.the_case);
}

void CaseNames::add(const Case& the_case) {
    for (Values* values : {&values_, &values_with_absent_}) {
        if (values == &values_ && is_of_absent_gpus(the_case)) continue;
        std::map<std::string, std::set<std::string>>& parameters = (*values)[the_case.probe];
        for (const auto& [name, value] : the_case.parameters) parameters[name].insert(value);
    }
}

Labels CaseNames::telling(const Case& the_case) const {
    Labels telling;
    const Values& values = is_of_absent_gpus(the_case) ? values_with_absent_ : values_;
    const auto probe = values.find(the_case.probe);
    for (const auto& [name, value] : the_case.parameters) {
        if (probe == values.end()) break;
        const auto parameter = probe->second.find(name);
        if (parameter != probe->second.end() && parameter->second.size() > 1) telling[name] = value;
    }
    return telling;
}

std::string CaseNames::operator()(const Case& the_case) const {
    return labelled_name(the_case.probe, telling(the_case));
}

std::string CaseNames::brief(const Case& the_case) const {
    Labels rest = telling(the_case);
    std::string name = the_case.probe;
    for (const char* number : {"precision", "format"}) {
        const auto found = the_case.parameters.find(number);
        if (found != the_case.parameters.end()) name += " " + found->second;
        rest.erase(number);
    }
    const std::size_t others = rest.size();
    for (const char* side : {"m", "n", "k"}) rest.erase(side);
    if (rest.size() < others) name += " " + shape_name(the_case);
    const auto threads = the_case.parameters.find("threads");
    if (threads != the_case.parameters.end() && threads->second != "auto") rest.insert(*threads);
    for (const auto& [key, value] : rest) name += fmt::format(" {}={}", key, value);
    return name;
}

}  // namespace assay
