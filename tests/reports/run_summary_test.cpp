#include "reports/run_summary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reports/texts.h"
#include "tests/reports/judged_reports.h"

namespace assay {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

Report with_statuses(RunVerdict verdict, std::vector<VerdictStatus> statuses) {
    Report report;
    report.verdict = verdict;
    for (const VerdictStatus status : statuses) {
        JudgedRequirement judged;
        judged.status = status;
        judged.counted = true;
        report.requirements.push_back(judged);
    }
    JudgedRequirement advice;
    advice.status = VerdictStatus::fail;
    report.requirements.push_back(advice);
    return report;
}

TEST(RunSummary, TalliesWhatCounts) {
    const CountedTally tally = counted_tally(building::judged_everything());
    EXPECT_EQ(tally.all, 5u);
    EXPECT_EQ(tally.passed, 1u);
    EXPECT_EQ(tally.failed, 1u);
    EXPECT_EQ(tally.inconclusive, 1u);
    EXPECT_EQ(tally.not_measured, 1u);
    EXPECT_EQ(tally.waived, 1u);
}

TEST(RunSummary, SaysWhatTheVerdictRestsOn) {
    using enum VerdictStatus;
    for (const Language language : {Language::en, Language::zh}) {
        const auto lead = [&](RunVerdict verdict, std::vector<VerdictStatus> statuses) {
            return lead_sentence(with_statuses(verdict, std::move(statuses)), language);
        };
        EXPECT_EQ(lead(RunVerdict::pass, {pass, pass, waived}), phrase_with(language, "lead.pass", 2, 3));
        EXPECT_EQ(lead(RunVerdict::fail, {fail, pass}), phrase_with(language, "lead.fail_one", 2));
        EXPECT_EQ(lead(RunVerdict::fail, {fail, fail, pass}), phrase_with(language, "lead.fail", 2, 3));
        EXPECT_EQ(lead(RunVerdict::fail, {pass}), phrase(language, "lead.fail_cases"));
        EXPECT_EQ(lead(RunVerdict::incomplete, {}), phrase(language, "lead.nothing_counts"));
        EXPECT_EQ(lead(RunVerdict::incomplete, {pass, inconclusive, not_measured}),
                  phrase_with(language, "lead.incomplete", 2, 3));
        EXPECT_EQ(lead(RunVerdict::incomplete, {pass}), phrase(language, "lead.incomplete_cases"));
        EXPECT_EQ(lead(RunVerdict::incomplete, {waived}), phrase(language, "lead.all_waived"));
    }
}

TEST(RunSummary, PutsEveryRequirementIntoOneGroup) {
    JudgedRequirement judged;
    judged.requirement.counts_for = {"software"};
    EXPECT_EQ(requirement_group(judged), RequirementGroup::software);
    judged.requirement.counts_for = {"advice"};
    EXPECT_EQ(requirement_group(judged), RequirementGroup::advice);
    judged.requirement.counts_for = {"basic"};
    EXPECT_EQ(requirement_group(judged), RequirementGroup::advice);
    judged.counted = true;
    EXPECT_EQ(requirement_group(judged), RequirementGroup::counted);
    const Report report = building::judged_everything();
    EXPECT_EQ(in_group(report, RequirementGroup::counted).size(), 5u);
    EXPECT_EQ(in_group(report, RequirementGroup::advice).size(), 3u);
    EXPECT_EQ(in_group(report, RequirementGroup::software).size(), 1u);
    EXPECT_EQ(in_group(report, RequirementGroup::counted)[1]->requirement.id, "iops-more");
}

TEST(RunSummary, NamesEveryDocumentOnce) {
    EXPECT_THAT(documents_of({{"002", "五", "a"}, {"003", "", "b"}, {"002", "五", "c"}, {"002", "六", "d"}}),
                ElementsAre("002 五", "003", "002 六"));
}

TEST(RunSummary, FindsTheReasonOfAWaiver) {
    const Report report = building::judged_everything();
    EXPECT_EQ(waiver_reason(report, "iops-waived"), "agreed, \"in writing\"");
    EXPECT_EQ(waiver_reason(report, "iops-read"), "");
}

TEST(RunSummary, NamesTheAcceleratorsThatItsCasesAreOf) {
    Report report = building::judged_everything();
    EXPECT_EQ(accelerators_in_words(report, Language::en), "") << "each:gpu of none, and the host";
    for (const char* const without : {"Accelerators", "加速设备"}) {
        EXPECT_THAT(render_markdown(report, Language::en), Not(HasSubstr(without)));
        EXPECT_THAT(render_html(report, Language::zh), Not(HasSubstr(without)));
    }
    report.devices = {{"cpu:0", "cpu", "A processor"},
                      {"cuda:0", "gpu", "A card <x>"},
                      {"cuda:1", "gpu", "Another card"},
                      {"opencl:0", "cpu", "pthread"}};
    for (const char* const device : {"cpu:0", "opencl:0", "cuda:0", "opencl:0", "opencl:7"})
        report.outcomes.push_back(building::outcome_of("memory.bandwidth", {{"device", device}}));
    EXPECT_THAT(accelerators_of(report), ElementsAre("opencl:0", "cuda:0", "opencl:7"));
    EXPECT_EQ(accelerators_in_words(report, Language::en),
              "opencl:0 (pthread, a CPU), cuda:0 (A card <x>), opencl:7");
    EXPECT_EQ(accelerators_in_words(report, Language::zh),
              "opencl:0（pthread，实为 CPU）、cuda:0（A card <x>）、opencl:7");
    EXPECT_THAT(render_html(report, Language::en),
                HasSubstr("<dt>Accelerators</dt><dd>opencl:0 (pthread, a CPU), cuda:0 (A card &lt;x&gt;), "
                          "opencl:7</dd>"));
    EXPECT_THAT(render_html(report, Language::zh), HasSubstr("<dt>加速设备</dt><dd>opencl:0（pthread"));
    EXPECT_THAT(render_markdown(report, Language::en),
                HasSubstr("- Accelerators: opencl:0 (pthread, a CPU), cuda:0 (A card \\<x\\>), opencl:7\n"));
    EXPECT_THAT(render_markdown(report, Language::zh), HasSubstr("- 加速设备：opencl:0（pthread"));
}

}  // namespace
}  // namespace assay
