#include "suites/cli/load_run.h"

#include <algorithm>

#include <fmt/format.h>

#include "suites/cli/output.h"

namespace assay::cli {
namespace {

JudgeInput judge_input(const Journal& journal, const Suite& suite, const Plan& plan) {
    JudgeInput input;
    input.header = journal.header.run;
    input.suite_title = suite.title;
    input.tier = suite.tier;
    input.requirements = suite.requirements;
    input.contradictions = suite.contradictions;
    input.outcomes = journal.outcomes;
    for (const DeviceInfo& device : journal.header.survey.devices)
        input.devices.push_back({device.id, device.kind, device.name});
    input.journal_notes = journal.notes;
    for (const PlannedCase& planned : plan.cases) {
        input.cases.push_back({planned.the_case, planned.required});
        const bool done =
            std::any_of(journal.outcomes.begin(), journal.outcomes.end(),
                        [&](const Outcome& outcome) { return outcome.the_case == planned.the_case; });
        if (!done) input.interrupted = true;
    }
    for (const Waiver& waiver : journal.header.waivers) {
        const bool known =
            std::any_of(suite.requirements.begin(), suite.requirements.end(),
                        [&](const Requirement& requirement) { return requirement.id == waiver.requirement; });
        if (known) input.waivers.push_back(waiver);
    }
    return input;
}

}  // namespace

Report report_of(const Journal& journal) {
    const Suite suite = restore_suite(journal.header.suite_json, "journal.jsonl:1");
    return judge(judge_input(journal, suite, journal.header.plan));
}

Report report_against(const Journal& journal, const Suite& suite, const Plan& plan) {
    JudgeInput input = judge_input(journal, suite, plan);
    if (input.header.suite != suite.name)
        input.journal_notes.push_back(fmt::format("measured by the suite {}, judged against the suite {}",
                                                  input.header.suite, suite.name));
    input.header.suite = suite.name;
    input.header.tier = suite.tier;
    return judge(std::move(input));
}

std::string render(const Report& report, const std::string& format, Language language) {
    if (format == "html") return render_html(report, language);
    if (format == "markdown") return render_markdown(report, language);
    if (format == "json") return render_json(report);
    if (format == "junit") return render_junit(report);
    if (format == "prometheus") return render_prometheus(report);
    if (format == "csv") return render_csv(report);
    return render_text(report, language, style_of_output());
}

void write_reports(const std::filesystem::path& folder, const Report& report) {
    write_atomically(folder / "report.json", render_json(report));
    write_atomically(folder / "report.html", render_html(report, Language::en));
    write_atomically(folder / "report.zh.html", render_html(report, Language::zh));
}

}  // namespace assay::cli
