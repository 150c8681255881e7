#include "reports/skip_groups.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace assay {

std::string SkipGroup::probes(std::string_view separator) const {
    std::vector<std::pair<std::string, int>> counts;
    for (const Outcome* outcome : outcomes) {
        const std::string& probe = outcome->the_case.probe;
        const auto known = std::find_if(counts.begin(), counts.end(),
                                        [&](const auto& entry) { return entry.first == probe; });
        if (known == counts.end()) {
            counts.emplace_back(probe, 1);
        } else {
            ++known->second;
        }
    }
    std::string text;
    for (const auto& [probe, count] : counts) {
        if (!text.empty()) text += separator;
        text += count == 1 ? probe : fmt::format("{} ({})", probe, count);
    }
    return text;
}

std::vector<SkipGroup> skip_groups(const std::vector<Outcome>& outcomes) {
    std::vector<SkipGroup> groups;
    for (const Outcome& outcome : outcomes) {
        if (outcome.status != Status::skipped || outcome.reason.empty()) continue;
        const auto known = std::find_if(groups.begin(), groups.end(), [&](const SkipGroup& group) {
            return group.outcomes.front()->reason == outcome.reason;
        });
        if (known == groups.end()) {
            groups.push_back({{&outcome}});
        } else {
            known->outcomes.push_back(&outcome);
        }
    }
    std::erase_if(groups, [](const SkipGroup& group) { return group.outcomes.size() < 2; });
    return groups;
}

const SkipGroup* group_of(const Outcome& outcome, const std::vector<SkipGroup>& groups) {
    for (const SkipGroup& group : groups)
        if (std::find(group.outcomes.begin(), group.outcomes.end(), &outcome) != group.outcomes.end())
            return &group;
    return nullptr;
}

}  // namespace assay
