#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "reports/assessment.h"
#include "reports/case_names.h"
#include "reports/report.h"

namespace assay {

namespace {

/// How many GPUs the inventory saw; nothing when it does not tell.
std::optional<double> gpu_count(const std::vector<Outcome>& outcomes) {
    for (const Outcome& outcome : outcomes) {
        if (outcome.status != Status::measured) continue;
        for (const Metric& metric : outcome.metrics) {
            if (metric.name == "inventory.system.gpus") return metric.value;
        }
    }
    return std::nullopt;
}

/// Advice and software are never a tier's name, so they never count.
bool counts_for(const Requirement& requirement, const std::string& tier) {
    return std::any_of(requirement.counts_for.begin(), requirement.counts_for.end(),
                       [&](const std::string& name) {
                           if (name == "advice" || name == "software") return false;
                           return name == "poc" || (!tier.empty() && name == tier);
                       });
}

JudgedRequirement judge_one(const Requirement& requirement, const JudgeInput& input,
                            const std::vector<Case>& missing, std::optional<double> gpus,
                            const std::set<std::string>& waived) {
    JudgedRequirement judged;
    Assessment assessment = assess(requirement, {input.outcomes, missing, input.devices});
    judged.status = assessment.status;
    judged.measured = assessment.measured;
    judged.measured_text = std::move(assessment.measured_text);
    judged.ci95 = assessment.ci95;
    judged.margin = assessment.margin;
    judged.metric = std::move(assessment.metric);
    judged.reason = std::move(assessment.reason);
    judged.reason_id = std::move(assessment.reason_id);
    judged.notes = std::move(assessment.notes);
    judged.counted = counts_for(requirement, input.tier);

    // Only an inventory that says so takes a requirement out: one that crashed must not.
    const bool without_gpu = gpus.has_value() && *gpus < 1;
    if (requirement.only_with_gpu && without_gpu) {
        judged.counted = false;
        if (judged.status == VerdictStatus::not_measured) {
            judged.reason = "this machine has no GPU";
            judged.reason_id = "no_gpu";
        }
    }
    if (judged.status != VerdictStatus::pass && waived.contains(requirement.id)) {
        judged.waived_from = std::exchange(judged.status, VerdictStatus::waived);
    }
    judged.requirement = requirement;
    return judged;
}

void tally_outcome(Coverage& coverage, Status status) {
    ++coverage.cases;
    switch (status) {
        case Status::measured:
            ++coverage.measured;
            break;
        case Status::skipped:
            ++coverage.skipped;
            break;
        case Status::failed:
            ++coverage.failed;
            break;
        case Status::timed_out:
            ++coverage.timed_out;
            break;
        case Status::crashed:
            ++coverage.crashed;
            break;
    }
}

void tally_requirement(Coverage& coverage, const JudgedRequirement& judged) {
    ++coverage.requirements;
    if (judged.counted) ++coverage.counted;
    switch (judged.status) {
        case VerdictStatus::pass:
            ++coverage.passed;
            break;
        case VerdictStatus::fail:
            ++coverage.failed_requirements;
            break;
        case VerdictStatus::inconclusive:
            ++coverage.inconclusive;
            break;
        case VerdictStatus::not_measured:
            ++coverage.not_measured;
            break;
        case VerdictStatus::waived:
            ++coverage.waived;
            break;
    }
}

bool any_counted(const std::vector<JudgedRequirement>& requirements, VerdictStatus status) {
    return std::any_of(requirements.begin(), requirements.end(), [status](const JudgedRequirement& judged) {
        return judged.counted && judged.status == status;
    });
}

RunVerdict verdict_of(const Report& report, bool interrupted) {
    if (any_counted(report.requirements, VerdictStatus::fail) || !report.failed_cases.empty()) {
        return RunVerdict::fail;
    }
    // A run that decided nothing that counts must not read as a pass.
    const bool open = any_counted(report.requirements, VerdictStatus::not_measured) ||
                      any_counted(report.requirements, VerdictStatus::inconclusive) ||
                      !any_counted(report.requirements, VerdictStatus::pass);
    return open || interrupted || !report.unfinished_cases.empty() ? RunVerdict::incomplete
                                                                   : RunVerdict::pass;
}

}  // namespace

std::string_view to_string(VerdictStatus status) {
    switch (status) {
        case VerdictStatus::pass:
            return "pass";
        case VerdictStatus::fail:
            return "fail";
        case VerdictStatus::inconclusive:
            return "inconclusive";
        case VerdictStatus::not_measured:
            return "not_measured";
        case VerdictStatus::waived:
            return "waived";
    }
    return "?";
}

std::string_view to_string(RunVerdict verdict) {
    switch (verdict) {
        case RunVerdict::pass:
            return "pass";
        case RunVerdict::fail:
            return "fail";
        case RunVerdict::incomplete:
            return "incomplete";
    }
    return "?";
}

Report judge(JudgeInput input) {
    Report report;
    const CaseNames name_of(input.cases, input.outcomes);

    // By the full name, which holds every parameter.
    std::map<std::string, const Outcome*> outcome_of;
    for (const Outcome& outcome : input.outcomes) {
        outcome_of[case_name(outcome.the_case)] = &outcome;
        tally_outcome(report.coverage, outcome.status);
    }
    std::vector<Case> missing;
    for (const SuiteCase& asked : input.cases) {
        const auto found = outcome_of.find(case_name(asked.the_case));
        if (found == outcome_of.end()) {
            missing.push_back(asked.the_case);
            ++report.coverage.cases;
            ++report.coverage.missing;
            if (asked.required) report.unfinished_cases.push_back(name_of(asked.the_case) + ": not run");
            continue;
        }
        const Outcome& outcome = *found->second;
        if (!asked.required || outcome.status == Status::measured || outcome.status == Status::skipped)
            continue;
        std::vector<std::string>& list =
            outcome.status == Status::failed ? report.failed_cases : report.unfinished_cases;
        const std::string_view reason =
            outcome.reason.empty() ? to_string(outcome.status) : std::string_view(outcome.reason);
        list.push_back(fmt::format("{}: {}", name_of(asked.the_case), reason));
    }

    std::set<std::string> waived;
    for (const Waiver& waiver : input.waivers) waived.insert(waiver.requirement);
    const std::optional<double> gpus = gpu_count(input.outcomes);
    for (const Requirement& requirement : input.requirements) {
        report.requirements.push_back(judge_one(requirement, input, missing, gpus, waived));
        tally_requirement(report.coverage, report.requirements.back());
    }

    report.verdict = verdict_of(report, input.interrupted);
    report.header = std::move(input.header);
    report.suite_title = std::move(input.suite_title);
    report.tier = std::move(input.tier);
    report.contradictions = std::move(input.contradictions);
    report.waivers = std::move(input.waivers);
    report.outcomes = std::move(input.outcomes);
    report.devices = std::move(input.devices);
    report.cases = std::move(input.cases);
    report.journal_notes = std::move(input.journal_notes);
    return report;
}

}  // namespace assay
