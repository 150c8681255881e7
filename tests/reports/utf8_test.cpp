#include "reports/utf8.h"

#include <gtest/gtest.h>

namespace assay {
namespace {

constexpr const char* replacement = "\xEF\xBF\xBD";

TEST(Utf8, ReadsWellFormedCharactersOfEveryLength) {
    const std::pair<const char*, CodePoint> cases[] = {{"A", {U'A', 1, true}},
                                                       {"\x7F", {0x7F, 1, true}},
                                                       {"\xC2\x80", {0x80, 2, true}},
                                                       {"\xDF\xBF", {0x7FF, 2, true}},
                                                       {"µ", {0xB5, 2, true}},
                                                       {"\xE0\xA0\x80", {0x800, 3, true}},
                                                       {"五", {0x4E94, 3, true}},
                                                       {"\xED\x9F\xBF", {0xD7FF, 3, true}},
                                                       {"\xEE\x80\x80", {0xE000, 3, true}},
                                                       {"\xEF\xBF\xBF", {0xFFFF, 3, true}},
                                                       {"\xF0\x90\x80\x80", {0x10000, 4, true}},
                                                       {"\xF4\x8F\xBF\xBF", {0x10FFFF, 4, true}}};
    for (const auto& [text, expected] : cases) {
        const CodePoint code = first_code_point(std::string(text) + "x");
        EXPECT_EQ(code.value, expected.value) << text;
        EXPECT_EQ(code.bytes, expected.bytes) << text;
        EXPECT_TRUE(code.well_formed) << text;
        EXPECT_EQ(valid_utf8(text), text);
    }
}

TEST(Utf8, ReplacesEveryIllFormedByte) {
    // Overlong forms, surrogates, beyond the last code point, lone and missing continuations.
    const std::pair<const char*, int> cases[] = {{"\x80", 1},
                                                 {"\xBF", 1},
                                                 {"\xC0\x80", 2},
                                                 {"\xC1\xBF", 2},
                                                 {"\xE0\x9F\xBF", 3},
                                                 {"\xED\xA0\x80", 3},
                                                 {"\xED\xBF\xBF", 3},
                                                 {"\xF0\x8F\xBF\xBF", 4},
                                                 {"\xF4\x90\x80\x80", 4},
                                                 {"\xF8\x88\x80\x80\x80", 5},
                                                 {"\xFF", 1},
                                                 {"\xC3", 1},
                                                 {"\xE4\xBA", 2},
                                                 {"\xF0\x9F\x9A", 3}};
    for (const auto& [text, count] : cases) {
        std::string expected;
        for (int i = 0; i < count; ++i) expected += replacement;
        EXPECT_EQ(valid_utf8(text), expected) << testing::PrintToString(std::string(text));
        EXPECT_EQ(valid_utf8("a" + std::string(text) + "b"), "a" + expected + "b");
    }
    EXPECT_EQ(valid_utf8("\xC3("
                         "\xE4\xBA\xFF五"),
              std::string(replacement) + "(" + replacement + replacement + replacement + "五");
    EXPECT_EQ(first_code_point("\xC3").bytes, 1u);
    EXPECT_EQ(first_code_point("\xC3").value, 0xFFFDu);
    EXPECT_FALSE(first_code_point("\xC3").well_formed);
    EXPECT_EQ(valid_utf8(""), "");
}

TEST(Utf8, CountsTerminalColumns) {
    EXPECT_EQ(display_width(""), 0);
    EXPECT_EQ(display_width("abc"), 3);
    EXPECT_EQ(display_width("≥ 500 µs – ✓"), 12);
    EXPECT_EQ(display_width("延迟"), 4);
    EXPECT_EQ(display_width("a延b迟"), 6);
    EXPECT_EQ(display_width("，。（）：；"), 12);
    EXPECT_EQ(display_width("が가"), 4);
    EXPECT_EQ(display_width("\xF0\x9F\x9A\x80"), 2);
    EXPECT_EQ(display_width("e\xCC\x81"), 1);     // e with a combining accent
    EXPECT_EQ(display_width("\xE2\x80\x8B"), 0);  // zero-width space
    EXPECT_EQ(display_width("\x1b\x07"), 0);
    EXPECT_EQ(display_width("\xFF"), 1);  // shown as one replacement
}

TEST(Utf8, KnowsTheEdgesOfTheWideBlocks) {
    // From the Unicode East Asian Width table: the last narrow and the first wide character, and the reverse.
    EXPECT_EQ(display_width("\xE1\x83\xBF"), 1);  // U+10FF
    EXPECT_EQ(display_width("\xE1\x84\x80"), 2);  // U+1100
    EXPECT_EQ(display_width("\xE1\x85\x9F"), 2);  // U+115F
    EXPECT_EQ(display_width("\xE1\x85\xA0"), 1);  // U+1160
    EXPECT_EQ(display_width("\xE2\xB9\xBF"), 1);  // U+2E7F
    EXPECT_EQ(display_width("\xE2\xBA\x80"), 2);  // U+2E80
    EXPECT_EQ(display_width("\xE3\x80\xBF"), 1);  // U+303F
    EXPECT_EQ(display_width("\xE3\x81\x81"), 2);  // U+3041
    EXPECT_EQ(display_width("\xE4\xB6\xBF"), 2);  // U+4DBF
    EXPECT_EQ(display_width("\xE4\xB7\x80"), 1);  // U+4DC0
    EXPECT_EQ(display_width("\xE4\xB8\x80"), 2);  // U+4E00
    EXPECT_EQ(display_width("\xE9\xBF\xBF"), 2);  // U+9FFF
    EXPECT_EQ(display_width("\xEF\xBD\xA0"), 2);  // U+FF60
    EXPECT_EQ(display_width("\xEF\xBD\xA1"), 1);  // U+FF61
    EXPECT_EQ(display_width("\xEF\xBF\xA6"), 2);  // U+FFE6
    EXPECT_EQ(display_width("\xEF\xBF\xA8"), 1);  // U+FFE8
}

}  // namespace
}  // namespace assay
