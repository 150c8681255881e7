#include "reports/terminal_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reports/utf8.h"

namespace assay {
namespace {

using testing::ElementsAre;

TEST(Wrapped, BreaksAtSpacesAndFillsLines) {
    EXPECT_THAT(wrapped("one two three", 7), ElementsAre("one two", "three"));
    EXPECT_THAT(wrapped("one two three", 6), ElementsAre("one", "two", "three"));
    EXPECT_THAT(wrapped("one two three", 13), ElementsAre("one two three"));
    EXPECT_THAT(wrapped("one two three", 12), ElementsAre("one two", "three"));
    EXPECT_THAT(wrapped("  one   two ", 20), ElementsAre("one two"));
    EXPECT_THAT(wrapped("", 5), ElementsAre(""));
    EXPECT_THAT(wrapped("a\nb c\n", 5), ElementsAre("a", "b c", ""));
}

TEST(Wrapped, CutsAWordThatIsLongerThanALine) {
    EXPECT_THAT(wrapped("abcdefgh", 3), ElementsAre("abc", "def", "gh"));
    EXPECT_THAT(wrapped("x abcdefgh y", 3), ElementsAre("x", "abc", "def", "gh", "y"));
    EXPECT_THAT(wrapped("abcdef", 3), ElementsAre("abc", "def"));
    EXPECT_THAT(wrapped("abc", 0), ElementsAre("a", "b", "c"));
    EXPECT_THAT(wrapped("延", 1), ElementsAre("延"));  // nothing narrower to break into
}

TEST(Wrapped, BreaksBetweenEastAsianCharactersButNotBeforeAClosingMark) {
    EXPECT_THAT(wrapped("延迟目标", 4), ElementsAre("延迟", "目标"));
    EXPECT_THAT(wrapped("延迟目标", 5), ElementsAre("延迟", "目标"));
    EXPECT_THAT(wrapped("延迟，目标", 4), ElementsAre("延", "迟，", "目标"));
    EXPECT_THAT(wrapped("延迟abc目", 4), ElementsAre("延迟", "abc", "目"));
    EXPECT_THAT(wrapped("延abc目", 5), ElementsAre("延abc", "目"));
    EXPECT_THAT(wrapped("abc）def", 6), ElementsAre("abc）", "def"));
}

TEST(Wrapped, TurnsControlCharactersIntoSpaces) {
    EXPECT_THAT(wrapped("a\x1b[31mb\tc\x7f"
                        "d",
                        40),
                ElementsAre("a [31mb c d"));
    EXPECT_THAT(wrapped("a\xC2\x9B"
                        "b",
                        40),
                ElementsAre("a b"));  // the 8-bit escape
}

TEST(Wrapped, NeverIsWiderThanAsked) {
    const std::string text =
        "目标值:IOPS≥500K,延迟≤100μs。 the quick brown fox，jumps 当GPU利用率持续<70%时,需检查";
    for (int width = 3; width < 60; ++width) {
        std::string joined;
        for (const std::string& line : wrapped(text, width)) {
            EXPECT_LE(display_width(line), width) << line;
            EXPECT_FALSE(line.empty());
            joined += line;
        }
        std::string without_spaces = text;
        std::erase(without_spaces, ' ');
        std::erase(joined, ' ');
        EXPECT_EQ(joined, without_spaces) << "nothing is lost at width " << width;
    }
}

TEST(Shortened, EndsInAnEllipsisWhereItWasCut) {
    EXPECT_EQ(shortened("abcdef", 6), "abcdef");
    EXPECT_EQ(shortened("abcdef", 5), "abcd…");
    EXPECT_EQ(shortened("abc def", 5), "abc…");
    EXPECT_EQ(shortened("延迟目标", 8), "延迟目标");
    EXPECT_EQ(shortened("延迟目标", 7), "延迟目…");
    EXPECT_EQ(shortened("延迟目标", 6), "延迟…");
}

TEST(Padded, FillsUpToTheColumnsThatATerminalShows) {
    EXPECT_EQ(padded("ab", 4), "ab  ");
    EXPECT_EQ(padded("延", 4), "延  ");
    EXPECT_EQ(padded("abcd", 4), "abcd");
    EXPECT_EQ(padded("abcde", 4), "abcde");
}

TerminalTable small_table() {
    TerminalTable table({"id", "value"});
    table.add({{"first", "1"}, {}, "", 0});
    table.add({{"x", "12345678\n9"}, {"a remark that is long"}, "", 0});
    return table;
}

TEST(TerminalTable, StandsInColumnsUnderItsHeadings) {
    const TerminalTable table = small_table();
    EXPECT_THAT(table.natural_widths(), ElementsAre(5, 8));
    EXPECT_EQ(table.natural_width(), 15);
    EXPECT_EQ(table.render(table.natural_widths(), 20),
              "id     value\n"
              "───────────────\n"
              "first  1\n"
              "x      12345678\n"
              "       9\n"
              "    a remark that is\n"
              "    long\n");
}

TEST(TerminalTable, LetsTheWidestColumnGiveWayFirst) {
    const TerminalTable table = small_table();
    EXPECT_THAT(table.fitted_widths(15), ElementsAre(5, 8));
    EXPECT_THAT(table.fitted_widths(100), ElementsAre(5, 8));
    EXPECT_THAT(table.fitted_widths(14), ElementsAre(5, 7));
    EXPECT_THAT(table.fitted_widths(12), ElementsAre(5, 5));
    EXPECT_THAT(table.fitted_widths(11), ElementsAre(4, 5));
    EXPECT_THAT(table.fitted_widths(3), ElementsAre(4, 4));  // narrower than this says nothing
    EXPECT_EQ(table.render(table.fitted_widths(12), 12),
              "id     value\n"
              "────────────\n"
              "first  1\n"
              "x      12345\n"
              "       678\n"
              "       9\n"
              "    a remark\n"
              "    that is\n"
              "    long\n");
}

TEST(TerminalTable, DrawsItsRuleNoWiderThanTheTerminal) {
    TerminalTable table({"abcdefgh"});
    EXPECT_EQ(table.render({8}, 4), "abcdefgh\n────\n");
}

TEST(TerminalTable, ColoursOneCellWithoutMovingTheOthers) {
    TerminalTable table({"a", "b", "c"});
    table.add({{"1", "延迟 x", "3"}, {}, "\x1b[31m", 1});
    EXPECT_EQ(table.render({2, 6, 1}, 40),
              "a   b       c\n"
              "─────────────\n"
              "1   \x1b[31m延迟 x\x1b[0m  3\n");
    TerminalTable plain({"a", "b"});
    plain.add({{"1", ""}, {}, "\x1b[31m", 1});
    EXPECT_EQ(plain.render({1, 1}, 40), "a  b\n────\n1\n");
}

}  // namespace
}  // namespace assay
