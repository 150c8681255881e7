#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "reports/texts.h"
#include "reports/utf8.h"
#include "tests/reports/judged_reports.h"
#include "tests/reports/report_fixture.h"

namespace assay {
namespace {

using building::everything;
using building::judged_everything;
using testing::HasSubstr;
using testing::Not;

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
}

std::string line_with(const std::string& text, const std::string& start) {
    for (const std::string& line : lines_of(text)) {
        if (line.starts_with(start)) return line;
    }
    return "no line begins with " + start;
}

/// What follows a line, up to `count` lines.
std::string after(const std::string& text, const std::string& start, int count) {
    std::string found;
    int left = -1;
    for (const std::string& line : lines_of(text)) {
        if (left > 0) found += line + "\n";
        if (left >= 0) --left;
        if (line.starts_with(start)) left = count;
    }
    return found;
}

std::string text_of(const Report& report, Language language = Language::en, int columns = 100) {
    return render_text(report, language, {columns, false});
}

TEST(RenderText, FitsTheColumnsInBothLanguages) {
    for (const Report& report : {poc_like_report(), hostile_report(), judged_everything()}) {
        for (const Language language : {Language::en, Language::zh}) {
            for (const int columns : {40, 80, 100, 132}) {
                for (const std::string& line : lines_of(text_of(report, language, columns))) {
                    EXPECT_LE(display_width(line), columns) << line;
                    EXPECT_FALSE(line.ends_with(' ')) << line;
                }
            }
        }
    }
}

TEST(RenderText, TakesAtLeastFortyColumns) {
    EXPECT_EQ(text_of(judged_everything(), Language::en, 1), text_of(judged_everything(), Language::en, 40));
    EXPECT_NE(text_of(judged_everything(), Language::en, 41), text_of(judged_everything(), Language::en, 40));
}

TEST(RenderText, ShowsEveryRequirementInBothLanguages) {
    for (const Language language : {Language::en, Language::zh}) {
        const Report report = poc_like_report();
        const std::string text = text_of(report, language);
        for (const JudgedRequirement& judged : report.requirements) {
            EXPECT_THAT(text, HasSubstr(judged.requirement.id));
        }
    }
}

TEST(RenderText, ShowsAJudgedRowWithItsFigureIntervalBoundVerdictAndDocument) {
    const std::string row = line_with(text_of(judged_everything()), "iops-read ");
    EXPECT_THAT(row, HasSubstr("600 K"));
    EXPECT_THAT(row, HasSubstr("590"));
    EXPECT_THAT(row, HasSubstr("610"));
    EXPECT_THAT(row, HasSubstr("≥ 500 K"));
    EXPECT_THAT(row, HasSubstr("✓ pass"));
    EXPECT_TRUE(row.ends_with("002 五")) << row;
    const std::string chinese = line_with(text_of(judged_everything(), Language::zh), "iops-read ");
    EXPECT_THAT(chinese, HasSubstr("✓ " + std::string(phrase(Language::zh, "status.pass"))));
}

TEST(RenderText, PutsTheIntervalBelowItsFigureWhereItIsNarrow) {
    const std::string heading(phrase(Language::en, "column.interval"));
    const std::string title(phrase(Language::en, "group.counted"));
    const std::string narrow = text_of(judged_everything(), Language::en, 70);
    EXPECT_THAT(line_with(narrow, "iops-read "), Not(HasSubstr("610")));
    EXPECT_THAT(after(narrow, "iops-read ", 1), HasSubstr("610"));
    EXPECT_THAT(after(narrow, title, 1), Not(HasSubstr(heading)));
    EXPECT_THAT(after(text_of(judged_everything()), title, 1), HasSubstr(heading));
}

TEST(RenderText, SaysWhyBelowEveryRowThatCountsAndDidNotPass) {
    const std::string text = text_of(judged_everything());
    EXPECT_THAT(after(text, "iops-open ", 1), HasSubstr("lies across the bound"));
    EXPECT_THAT(after(text, "memory ", 1), HasSubstr("crashed: signal 11"));
    EXPECT_THAT(after(text, "iops-more ", 2), HasSubstr("003 四"));
    EXPECT_THAT(after(text, "iops-more ", 2), HasSubstr("buy a faster disk"));
    EXPECT_THAT(after(text, "iops-waived ", 1), HasSubstr("fail"));
    EXPECT_THAT(after(text, "iops-waived ", 1), HasSubstr("agreed, \"in writing\""));
    EXPECT_TRUE(after(text, "iops-read ", 1).starts_with("iops-more")) << "a pass needs no words";
}

TEST(RenderText, NamesARemedyOnlyForAFailure) {
    JudgeInput input = everything();
    input.requirements[0].remedy = Text{"needless", "不需要"};
    EXPECT_THAT(text_of(judge(input)), Not(HasSubstr("needless")));
}

TEST(RenderText, MarksAFigureThatDrifted) {
    JudgeInput input = everything();
    input.outcomes[0].metrics[0].summary.steady = false;
    EXPECT_THAT(after(text_of(judge(input)), "iops-read ", 1),
                HasSubstr(std::string(phrase(Language::en, "case.not_steady"))));
    input.outcomes[0].metrics[0].summary.steady = true;
    input.outcomes[0].metrics[0].summary.converged = false;
    EXPECT_THAT(after(text_of(judge(input)), "iops-read ", 1),
                HasSubstr(std::string(phrase(Language::en, "case.not_converged"))));
}

TEST(RenderText, PutsWhatCountsFirstAndSoftwareApart) {
    const std::string text = text_of(judged_everything());
    const std::size_t counted = text.find(phrase(Language::en, "group.counted"));
    const std::size_t advice = text.find(phrase(Language::en, "group.advice"));
    const std::size_t software = text.find(phrase(Language::en, "group.software"));
    ASSERT_NE(counted, std::string::npos);
    ASSERT_NE(advice, std::string::npos);
    ASSERT_NE(software, std::string::npos);
    EXPECT_LT(counted, text.find("\niops-waived "));
    EXPECT_LT(text.find("\niops-waived "), advice);
    EXPECT_LT(advice, text.find("\nband "));
    EXPECT_LT(text.find("\nband "), software);
    EXPECT_LT(software, text.find("int8-error"));
}

TEST(RenderText, OnlyNamesWhatDoesNotCountAndWasNotMeasured) {
    const std::string text = text_of(judged_everything());
    EXPECT_THAT(line_with(text, "  advice-missing: "),
                HasSubstr(std::string(phrase(Language::en, "reason.no_case"))));
    EXPECT_THAT(text, Not(HasSubstr("\nadvice-missing")));
    EXPECT_THAT(text, HasSubstr("\ncuda  11.10"));
    JudgeInput input = everything();
    Requirement second = input.requirements[7];
    second.id = "advice-too";
    input.requirements.push_back(second);
    EXPECT_THAT(text_of(judge(input)), HasSubstr("  advice-missing, advice-too: "));
}

TEST(RenderText, LeavesOutGroupsThatAreEmptyButSaysThatNothingCounts) {
    JudgeInput input = everything();
    input.requirements.erase(input.requirements.begin() + 5, input.requirements.end());
    EXPECT_THAT(text_of(judge(input)), Not(HasSubstr(std::string(phrase(Language::en, "group.advice")))));
    input.requirements.clear();
    const std::string text = text_of(judge(input));
    EXPECT_THAT(after(text, std::string(phrase(Language::en, "group.counted")), 1),
                HasSubstr(std::string(phrase(Language::en, "group.empty"))));
}

TEST(RenderText, EndsWithTheVerdictAndWhatItRestsOn) {
    const std::vector<std::string> lines = lines_of(text_of(judged_everything()));
    ASSERT_GE(lines.size(), 4u);
    EXPECT_TRUE(lines[lines.size() - 4].starts_with("✗ FAIL: ")) << lines[lines.size() - 4];
    EXPECT_THAT(lines[lines.size() - 3], HasSubstr("5"));
    EXPECT_THAT(lines[lines.size() - 2], HasSubstr(": iops-more"));
    EXPECT_THAT(lines[lines.size() - 1], HasSubstr(": iops-open, memory"));
}

TEST(RenderText, NamesFailedAndUnfinishedCasesContradictionsWaiversNotesAndCoverage) {
    const std::string text = text_of(judged_everything());
    EXPECT_THAT(after(text, std::string(phrase(Language::en, "lead.failed_cases")), 1),
                HasSubstr("  gemm.throughput: wrong | result"));
    const std::string unfinished = after(text, std::string(phrase(Language::en, "text.unfinished_cases")), 2);
    EXPECT_THAT(unfinished, HasSubstr("  memory.bandwidth: signal 11"));
    EXPECT_THAT(unfinished, HasSubstr("  inference.decode: not run"));
    EXPECT_THAT(after(text, std::string(phrase(Language::en, "lead.waived_list")), 1),
                HasSubstr("iops-waived: agreed"));
    EXPECT_THAT(line_with(text, "  little-law"), HasSubstr("(002 五): It cannot be."));
    EXPECT_THAT(after(text, std::string(phrase(Language::en, "page.journal_notes")), 1), HasSubstr("line 7"));
    EXPECT_THAT(text, HasSubstr(phrase_with(Language::en, "fact.cases_line", 6, 2, 1, 1, 0, 1, 1)));
    EXPECT_THAT(text, HasSubstr(phrase_with(Language::en, "group.tally", 9, 2, 2, 1, 3, 1)));
}

TEST(RenderText, BeginsWithTheRunAndSaysThatItWasQuick) {
    const std::string text = text_of(judged_everything());
    for (const char* part :
         {"Proof of concept (poc)", "basic", "host-7", "2026-01-02T03:04:05Z", "assay 0.1.0"}) {
        EXPECT_THAT(lines_of(text)[0], HasSubstr(part));
    }
    EXPECT_EQ(lines_of(text)[1], phrase(Language::en, "lead.quick"));
    JudgeInput input = everything();
    input.header.quick = false;
    input.suite_title = {};
    input.tier = "";
    input.header.tool_version = "";
    input.header.machine = "";
    input.header.started_at = "";
    EXPECT_EQ(lines_of(text_of(judge(input)))[0], "poc");
    EXPECT_THAT(text_of(judge(input)), Not(HasSubstr(std::string(phrase(Language::en, "lead.quick")))));
}

TEST(RenderText, UsesColourOnlyWhenAsked) {
    EXPECT_THAT(text_of(judged_everything()), Not(HasSubstr("\x1b")));
    const std::string coloured = render_text(judged_everything(), Language::en, {100, true});
    EXPECT_THAT(coloured, HasSubstr("\x1b[32m✓ pass\x1b[0m"));
    EXPECT_THAT(coloured, HasSubstr("\x1b[31m✗ fail\x1b[0m"));
    EXPECT_THAT(coloured, HasSubstr("\x1b[33m≈ inconclusive\x1b[0m"));
    EXPECT_THAT(coloured, HasSubstr("\x1b[90m○ not measured\x1b[0m"));
    EXPECT_THAT(coloured, HasSubstr("\x1b[90m– waived\x1b[0m"));
    EXPECT_THAT(coloured, HasSubstr("\x1b[1m\x1b[31m✗ FAIL\x1b[0m: "));
    // Colour moves nothing: without the escapes it is the plain report.
    std::string plain;
    for (std::size_t i = 0; i < coloured.size(); ++i) {
        if (coloured[i] == '\x1b') {
            i = coloured.find('m', i);
        } else {
            plain += coloured[i];
        }
    }
    EXPECT_EQ(plain, text_of(judged_everything()));
}

TEST(RenderText, ColoursTheVerdictOfTheRun) {
    Report report = judged_everything();
    report.verdict = RunVerdict::pass;
    EXPECT_THAT(render_text(report, Language::en, {100, true}), HasSubstr("\x1b[1m\x1b[32m✓ PASS"));
    report.verdict = RunVerdict::incomplete;
    EXPECT_THAT(render_text(report, Language::en, {100, true}), HasSubstr("\x1b[1m\x1b[33m○ INCOMPLETE"));
}

TEST(RenderText, LetsNothingFromTheMachineSteerTheTerminal) {
    for (const Language language : {Language::en, Language::zh}) {
        const std::string text = text_of(hostile_report(), language);
        EXPECT_EQ(valid_utf8(text), text);
        const std::size_t controls =
            static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](unsigned char character) {
                return (character < 0x20 && character != '\n') || character == 0x7F;
            }));
        EXPECT_EQ(controls, 0u);
    }
}

}  // namespace
}  // namespace assay
