#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "reports/texts.h"
#include "tests/reports/judged_reports.h"

namespace assay {
namespace {

using building::everything;
using building::judged_everything;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

std::string line_with(const std::string& text, const std::string& start) {
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) {
        if (line.starts_with(start)) return line;
    }
    return "no line begins with " + start;
}

/// Pipes that no backslash takes out: the borders of a table's row.
int borders(const std::string& line) {
    int count = 0;
    for (std::size_t i = 0; i < line.size(); ++i) {
        if (line[i] == '\\') {
            ++i;
        } else if (line[i] == '|') {
            ++count;
        }
    }
    return count;
}

TEST(RenderMarkdown, BeginsWithTheVerdictAndTheRun) {
    for (const Language language : {Language::en, Language::zh}) {
        const std::string text = render_markdown(judged_everything(), language);
        EXPECT_THAT(text, StartsWith("# ✗ " + std::string(phrase(language, "verdict.fail")) + "\n\n" +
                                     phrase_with(language, "lead.fail_one", 5) + "\n\n" +
                                     phrase_with(language, "lead.tally", 5, 1, 1, 1, 1, 1) + "\n\n**"));
        EXPECT_THAT(text, HasSubstr("host-7"));
        EXPECT_THAT(text, HasSubstr("assay run poc"));
        EXPECT_THAT(text, HasSubstr("assay 0.1.0"));
        EXPECT_THAT(text, HasSubstr(phrase_with(language, "fact.cases_line", 6, 2, 1, 1, 0, 1, 1)));
    }
}

TEST(RenderMarkdown, LeavesOutWhatTheHeaderDoesNotHave) {
    JudgeInput input = everything();
    input.header = {};
    input.header.suite = "poc";
    input.suite_title = {};
    input.tier = "";
    const std::string text = render_markdown(judge(input), Language::en);
    EXPECT_THAT(text, HasSubstr("- Suite: poc\n"));
    EXPECT_THAT(text, HasSubstr(std::string(phrase(Language::en, "fact.no_tier"))));
    EXPECT_THAT(text, Not(HasSubstr(std::string(phrase(Language::en, "fact.tool")) + ": ")));
    EXPECT_THAT(text, Not(HasSubstr("**")));
}

TEST(RenderMarkdown, HasTablesWhoseRowsAreWhole) {
    for (const Language language : {Language::en, Language::zh}) {
        const std::string text = render_markdown(judged_everything(), language);
        std::istringstream in(text);
        int width = 0;
        int rows = 0;
        for (std::string line; std::getline(in, line);) {
            if (!line.starts_with("|")) {
                width = 0;
                continue;
            }
            if (width == 0) width = borders(line);
            EXPECT_EQ(borders(line), width) << line;
            ++rows;
        }
        EXPECT_EQ(rows, 3 * 2 + 9 + 2 + 6);
    }
}

TEST(RenderMarkdown, ShowsARowWithFigureBoundVerdictAndReason) {
    const std::string text = render_markdown(judged_everything(), Language::en);
    EXPECT_EQ(line_with(text, "| iops-read |"),
              "| iops-read | title of iops-read | 600 K op/s | 590–610 K op/s | ≥ 500 K op/s | ✓ pass | 002 "
              "五 |  |");
    EXPECT_THAT(line_with(text, "| iops-open |"),
                HasSubstr("| ≈ inconclusive | 002 五 | the 95 % interval lies across the bound |"));
    EXPECT_THAT(line_with(text, "| iops-waived |"), HasSubstr("| it would be: fail; waived because: agreed"));
    EXPECT_THAT(line_with(text, "| band |"), HasSubstr("16–32"));
    JudgeInput input = everything();
    input.outcomes[0].metrics[0].summary.steady = false;
    input.outcomes[0].metrics[0].summary.converged = false;
    EXPECT_THAT(line_with(render_markdown(judge(input), Language::en), "| iops-read |"),
                HasSubstr(std::string(phrase(Language::en, "note.not_steady")) + "; " +
                          std::string(phrase(Language::en, "note.not_converged"))));
}

TEST(RenderMarkdown, QuotesTheDocumentsWithReadingAndRemedy) {
    const std::string text = render_markdown(judged_everything(), Language::en);
    EXPECT_THAT(text,
                HasSubstr("### iops-more\n\n> Document 002 § 五: “目标值:IOPS≥500K,延迟≤100μs。”\n>\n"
                          "> Document 003 § 四: “another \\| \"quote\"”\n>\n\nOur reading: our reading\n\n"
                          "Remedy: buy a faster disk\n"));
    EXPECT_THAT(text, HasSubstr("### little-law\n\n> Document 002 § 五: “quote”\n>\n\nIt cannot be.\n"));
    JudgeInput input = everything();
    input.requirements[0].remedy = Text{"needless", "不需要"};
    input.requirements[0].sources = {{"000", "", "q"}};
    EXPECT_THAT(render_markdown(judge(input), Language::en), Not(HasSubstr("needless")));
    EXPECT_THAT(render_markdown(judge(input), Language::en), HasSubstr("> Document 000: “q”\n"));
    EXPECT_THAT(render_markdown(judged_everything(), Language::zh), HasSubstr("换更快的盘"));
}

TEST(RenderMarkdown, ListsFailedCasesWaiversNotesAndFigures) {
    const std::string text = render_markdown(judged_everything(), Language::en);
    EXPECT_THAT(text, HasSubstr("- gemm.throughput: wrong \\| result\n"));
    EXPECT_THAT(text, HasSubstr("- memory.bandwidth: signal 11\n- inference.decode: not run\n"));
    EXPECT_THAT(text, HasSubstr("- iops-waived: agreed, \"in writing\"\n"));
    EXPECT_THAT(text, HasSubstr("- line 7 was dropped\n"));
    EXPECT_THAT(text, HasSubstr("| storage.random\\_read | measured | storage.random\\_read.iops | 600 K "
                                "op/s | median |  |  |\n"));
    EXPECT_THAT(
        text,
        HasSubstr("| inventory.system | measured | inventory.system.cuda\\_version | 11.10 |  |  |  |\n"));
    EXPECT_THAT(text, HasSubstr("| memory.bandwidth | crashed |  |  |  |  | signal 11 |\n"));
}

TEST(RenderMarkdown, ShowsTheAxesOfAMetricAndNotItsCasesParameters) {
    JudgeInput input = everything();
    input.outcomes[0].metrics[0].labels["network"] = "loopback";
    EXPECT_THAT(render_markdown(judge(input), Language::en),
                HasSubstr("| storage.random\\_read.iops\\{network=loopback\\} |"));
    input.outcomes[0].metrics[0].labels["queue_depth"] = "1";
    EXPECT_THAT(render_markdown(judge(input), Language::en),
                HasSubstr("| storage.random\\_read.iops\\{network=loopback,queue\\_depth=1\\} |"));
}

TEST(RenderMarkdown, ShowsHostileTextAsItStands) {
    JudgeInput input = everything();
    input.outcomes[2].reason = "<b>*x*</b> `y` [z](q) ~~a~~ # \\ \n next \x7F\xFF";
    EXPECT_THAT(
        render_markdown(judge(input), Language::en),
        HasSubstr("\\<b\\>\\*x\\*\\</b\\> \\`y\\` \\[z\\](q) \\~\\~a\\~\\~ \\# \\\\   next  \xEF\xBF\xBD"));
}

TEST(RenderMarkdown, LeavesOutWhatIsEmpty) {
    const std::string text = render_markdown(Report{}, Language::en);
    EXPECT_THAT(text, Not(HasSubstr("##")));
    EXPECT_THAT(text, Not(HasSubstr("|")));
}

TEST(RenderMarkdown, AFigureHasTheShareOfItsLimitAndWhereTheLimitIsFrom) {
    Metric metric =
        building::sampled("gemm.throughput", 750e12, Interval{740e12, 760e12}, {}, Unit::flop_per_second);
    metric.limit = Limit{1000e12, "datasheet of a card"};
    Report report;
    report.outcomes = {building::with(building::outcome_of("gemm.throughput"), metric)};
    EXPECT_THAT(render_markdown(report, Language::en),
                HasSubstr("| 750 TFLOP/s | median | 75 % of 1.00 PFLOP/s (datasheet of a card) |  |"));
    EXPECT_THAT(render_markdown(report, Language::zh),
                HasSubstr("datasheet of a card 的 1.00 PFLOP/s：75 %"));
}

}  // namespace
}  // namespace assay
