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

}  // namespace
}  // namespace assay
