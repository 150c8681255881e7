// A machine without a GPU skips many cases for one reason: it is said once, and every case is still counted.

#include "reports/skip_groups.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reports/report.h"
#include "reports/text_figures.h"
#include "tests/reports/outcome_builders.h"

namespace assay {
namespace {

using building::outcome_of;
using building::sampled;
using building::with;
using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

Outcome skip(const std::string& probe, const std::string& precision, const std::string& reason) {
    return skipped({probe, {{"precision", precision}}}, reason);
}

std::vector<Outcome> without_gpu() {
    return {skip("gemm.throughput", "f32", "no GPU found"),
            with(outcome_of("memory.bandwidth"), sampled("memory.bandwidth", 3, Interval{2, 4})),
            skip("gemm.throughput", "f16", "no GPU found"), skip("gemm.throughput", "int8", "another reason"),
            skip("memory.capacity", "-", "no GPU found")};
}

std::size_t count_of(const std::string& text, const std::string& part) {
    std::size_t count = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
    return count;
}

TEST(SkipGroups, HoldTheCasesThatShareTheirReasonAndLeaveTheOthersAlone) {
    const std::vector<Outcome> outcomes = without_gpu();
    const std::vector<SkipGroup> groups = skip_groups(outcomes);
    ASSERT_THAT(groups, SizeIs(1));
    EXPECT_THAT(groups[0].outcomes, SizeIs(3));
    EXPECT_EQ(groups[0].probes(", "), "gemm.throughput (2), memory.capacity");
    EXPECT_TRUE(groups[0].begins_with(outcomes[0]));
    EXPECT_EQ(group_of(outcomes[4], groups), &groups[0]);
    EXPECT_EQ(group_of(outcomes[1], groups), nullptr);
    EXPECT_EQ(group_of(outcomes[3], groups), nullptr);
}

TEST(SkipGroups, AreMadeOfSkippedCasesAlone) {
    std::vector<Outcome> outcomes = {failed({"a.b", {}}, "wrong"), failed({"a.b", {{"n", "2"}}}, "wrong")};
    EXPECT_THAT(skip_groups(outcomes), IsEmpty());
}

TEST(SkipGroups, StandOnceInTextAndMarkdown) {
    Report report;
    report.outcomes = without_gpu();
    const std::string text = text_figures(report, Language::en, 80);
    EXPECT_EQ(count_of(text, "no GPU found"), 1u) << text;
    EXPECT_THAT(text, AllOf(ContainsRegex("3 cases +skipped"),
                            HasSubstr("gemm.throughput (2), memory.capacity"), HasSubstr("another reason")));
    EXPECT_THAT(text_figures(report, Language::zh, 80), HasSubstr("3 项用例"));
    const std::string markdown = render_markdown(report, Language::en);
    EXPECT_EQ(count_of(markdown, "no GPU found"), 1u);
    EXPECT_THAT(markdown, HasSubstr("| 3 cases: gemm.throughput (2), memory.capacity | skipped |"));
}

TEST(SkipGroups, StandOnceInHtmlWithTheirCasesFoldedUnderThem) {
    Report report;
    report.outcomes = without_gpu();
    for (const Language language : {Language::en, Language::zh}) {
        const std::string page = render_html(report, language);
        EXPECT_EQ(count_of(page, "no GPU found"), 1u);
        EXPECT_EQ(count_of(page, "another reason"), 1u);
        const std::string title = language == Language::en ? "3 cases" : "3 项用例";
        const std::size_t group = page.find("id=\"skips-1\"><h3>" + title);
        ASSERT_NE(group, std::string::npos);
        EXPECT_EQ(page.find("id=\"skips-2\""), std::string::npos);
        // Closed as the page is opened, and all of its cases, no others, within.
        const std::size_t folded = page.find("<details><summary>", group);
        const std::size_t end = page.find("</details>", folded);
        ASSERT_NE(end, std::string::npos);
        EXPECT_LT(page.find("no GPU found"), folded);
        EXPECT_THAT(page.substr(folded, end - folded),
                    HasSubstr(language == Language::en ? "gemm.throughput (2), memory.capacity</summary>"
                                                       : "gemm.throughput (2)、memory.capacity</summary>"));
        for (std::size_t at = 1; at <= report.outcomes.size(); ++at) {
            const std::size_t place = page.find("id=\"case-" + std::to_string(at) + "\"");
            ASSERT_NE(place, std::string::npos) << at;
            const bool inside = place > folded && place < end;
            EXPECT_EQ(inside, at == 1 || at == 3 || at == 5) << at;
        }
        // The contents name the group instead of its cases.
        EXPECT_EQ(count_of(page, "href=\"#skips-1\""), 1u);
        EXPECT_EQ(count_of(page, "href=\"#case-"), 2u);
        EXPECT_EQ(count_of(page, "<section"), count_of(page, "</section>"));
    }
}

TEST(SkipGroups, KeepTheContentsShort) {
    Report report;
    report.outcomes = without_gpu();
    for (int more = 0; more < 50; ++more)
        report.outcomes.push_back(skip("inference.decode", std::to_string(more), "no GPU found"));
    EXPECT_EQ(count_of(render_html(report, Language::en), "href=\"#case-"), 2u);
}

}  // namespace
}  // namespace assay
