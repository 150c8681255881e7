#include "reports/run_summary.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "reports/measured_limits.h"
#include "reports/texts.h"

namespace assay {

CountedTally counted_tally(const Report& report) {
    CountedTally tally;
    for (const JudgedRequirement& judged : report.requirements) {
        if (!judged.counted) continue;
        ++tally.all;
        switch (judged.status) {
            case VerdictStatus::pass:
                ++tally.passed;
                break;
            case VerdictStatus::fail:
                ++tally.failed;
                break;
            case VerdictStatus::inconclusive:
                ++tally.inconclusive;
                break;
            case VerdictStatus::not_measured:
                ++tally.not_measured;
                break;
            case VerdictStatus::waived:
                ++tally.waived;
                break;
        }
    }
    return tally;
}

std::string run_in_one_line(const Report& report, Language language) {
    const RunHeader& header = report.header;
    const std::string& title = in_language(report.suite_title, language);
    std::vector<std::string> parts;
    parts.push_back(title.empty() ? header.suite : fmt::format("{} ({})", title, header.suite));
    if (!report.tier.empty())
        parts.push_back(fmt::format("{} {}", phrase(language, "fact.tier"), report.tier));
    if (!header.machine.empty()) parts.push_back(header.machine);
    // Cases that are all of one device do not name it.
    for (std::string& device : accelerators_of(report)) parts.push_back(std::move(device));
    if (!header.started_at.empty()) parts.push_back(header.started_at);
    if (!header.tool_version.empty()) parts.push_back("assay " + header.tool_version);
    return fmt::format("{}", fmt::join(parts, " · "));
}

std::vector<std::string> accelerators_of(const Report& report) {
    std::vector<std::string> devices;
    for (const Outcome& outcome : report.outcomes) {
        const std::string device(parameter_of(outcome, "device"));
        const bool accelerator = device.starts_with("cuda:") || device.starts_with("opencl:");
        if (accelerator && std::find(devices.begin(), devices.end(), device) == devices.end())
            devices.push_back(device);
    }
    return devices;
}

std::string accelerators_in_words(const Report& report, Language language) {
    std::vector<std::string> parts;
    for (const std::string& id : accelerators_of(report)) {
        const auto known = std::find_if(report.devices.begin(), report.devices.end(),
                                        [&](const RunDevice& device) { return device.id == id; });
        if (known == report.devices.end() || known->name.empty()) {
            parts.push_back(id);
            continue;
        }
        parts.push_back(phrase_with(language, known->kind == "cpu" ? "fact.device_cpu" : "fact.device_named",
                                    id, known->name));
    }
    return fmt::format("{}", fmt::join(parts, phrase(language, "list_separator")));
}

std::string lead_sentence(const Report& report, Language language) {
    const CountedTally tally = counted_tally(report);
    const std::size_t undecided = tally.inconclusive + tally.not_measured;
    if (report.verdict == RunVerdict::pass)
        return phrase_with(language, "lead.pass", tally.passed, tally.all);
    if (report.verdict == RunVerdict::fail) {
        if (tally.failed == 0) return std::string(phrase(language, "lead.fail_cases"));
        if (tally.failed == 1) return phrase_with(language, "lead.fail_one", tally.all);
        return phrase_with(language, "lead.fail", tally.failed, tally.all);
    }
    if (tally.all == 0) return std::string(phrase(language, "lead.nothing_counts"));
    if (undecided > 0) return phrase_with(language, "lead.incomplete", undecided, tally.all);
    if (tally.passed == 0) return std::string(phrase(language, "lead.all_waived"));
    return std::string(phrase(language, "lead.incomplete_cases"));
}

RequirementGroup requirement_group(const JudgedRequirement& judged) {
    if (judged.counted) return RequirementGroup::counted;
    const std::vector<std::string>& names = judged.requirement.counts_for;
    const bool software = std::find(names.begin(), names.end(), "software") != names.end();
    return software ? RequirementGroup::software : RequirementGroup::advice;
}

std::vector<const JudgedRequirement*> in_group(const Report& report, RequirementGroup group) {
    std::vector<const JudgedRequirement*> members;
    for (const JudgedRequirement& judged : report.requirements) {
        if (requirement_group(judged) == group) members.push_back(&judged);
    }
    return members;
}

std::vector<std::string> documents_of(const std::vector<Source>& sources) {
    std::vector<std::string> documents;
    for (const Source& source : sources) {
        const std::string name =
            source.section.empty() ? source.document : source.document + " " + source.section;
        if (std::find(documents.begin(), documents.end(), name) == documents.end()) documents.push_back(name);
    }
    return documents;
}

std::string_view waiver_reason(const Report& report, std::string_view requirement) {
    for (const Waiver& waiver : report.waivers) {
        if (waiver.requirement == requirement) return waiver.reason;
    }
    return {};
}

}  // namespace assay
