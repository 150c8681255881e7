#include "reports/texts.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace assay {
namespace {

std::vector<std::string> keys_of(std::span<const PhraseEntry> entries) {
    std::vector<std::string> keys;
    for (const PhraseEntry& entry : entries) keys.emplace_back(entry.key);
    return keys;
}

/// The places of a phrase, in any order: "{}" twice gives {"0", "1"}, "{2} {0}" gives {"0", "2"}.
std::multiset<std::string> places_of(std::string_view text) {
    std::multiset<std::string> places;
    int automatic = 0;
    const std::regex place(R"(\{(\d*)\})");
    const std::string copy(text);
    for (std::sregex_iterator at(copy.begin(), copy.end(), place), end; at != end; ++at) {
        places.insert((*at)[1].length() > 0 ? (*at)[1].str() : std::to_string(automatic++));
    }
    return places;
}

bool begins_a_key(std::string_view front) {
    return std::any_of(phrases_en().begin(), phrases_en().end(),
                       [&](const PhraseEntry& entry) { return entry.key.rfind(front, 0) == 0; });
}

std::filesystem::path source_folder(std::string_view name) {
    return std::filesystem::path(ASSAY_SOURCE_DIR) / name;
}

TEST(Texts, BothLanguagesHoldTheSameKeysInTheSameOrder) {
    EXPECT_EQ(keys_of(phrases_en()), keys_of(phrases_zh()));
}

TEST(Texts, NoKeyStandsTwice) {
    const std::vector<std::string> keys = keys_of(phrases_en());
    EXPECT_EQ(std::set<std::string>(keys.begin(), keys.end()).size(), keys.size());
}

TEST(Texts, NoPhraseIsEmptyAndBothLanguagesFillTheSamePlaces) {
    ASSERT_EQ(phrases_en().size(), phrases_zh().size());
    for (std::size_t at = 0; at < phrases_en().size(); ++at) {
        const PhraseEntry& english = phrases_en()[at];
        const PhraseEntry& chinese = phrases_zh()[at];
        EXPECT_FALSE(english.text.empty()) << english.key;
        EXPECT_FALSE(chinese.text.empty()) << chinese.key;
        EXPECT_EQ(places_of(english.text), places_of(chinese.text)) << english.key;
    }
}

TEST(Texts, EveryPhraseThatTheSourcesNameExists) {
    const std::regex use(R"rx(phrase(?:_with)?\s*\(\s*[A-Za-z_.:]+\s*,\s*"([^"]+)")rx");
    std::size_t uses = 0;
    for (const std::string_view folder : {"reports", "suites/cli"}) {
        for (const std::filesystem::directory_entry& file :
             std::filesystem::directory_iterator(source_folder(folder))) {
            if (file.path().extension() != ".cpp" && file.path().extension() != ".h") continue;
            std::ifstream stream(file.path());
            const std::string source((std::istreambuf_iterator<char>(stream)), {});
            for (std::sregex_iterator at(source.begin(), source.end(), use), end; at != end; ++at, ++uses) {
                const std::string key = (*at)[1].str();
                // "reason." is the front of keys made at run time.
                const bool known =
                    key.back() == '.' ? begins_a_key(key) : find_phrase(Language::en, key).has_value();
                EXPECT_TRUE(known) << key << " in " << file.path();
            }
        }
    }
    EXPECT_GT(uses, 20u) << "the pattern finds no use of phrase() any more";
}

TEST(Texts, AKeyThatIsNoneIsAnErrorOfTheProgram) {
    EXPECT_THROW(phrase(Language::en, "no.such.key"), std::logic_error);
    EXPECT_EQ(find_phrase(Language::zh, "no.such.key"), std::nullopt);
}

TEST(Texts, EveryVerdictHasAWordAndASignOfItsOwn) {
    for (const Language language : {Language::en, Language::zh}) {
        std::set<std::string_view> words, signs;
        for (const VerdictStatus status :
             {VerdictStatus::pass, VerdictStatus::fail, VerdictStatus::inconclusive,
              VerdictStatus::not_measured, VerdictStatus::waived}) {
            words.insert(verdict_word(status, language));
            signs.insert(verdict_sign(status));
        }
        EXPECT_EQ(words.size(), 5u);
        EXPECT_EQ(signs.size(), 5u);
        std::set<std::string_view> run_words;
        for (const RunVerdict verdict : {RunVerdict::pass, RunVerdict::fail, RunVerdict::incomplete}) {
            run_words.insert(verdict_word(verdict, language));
        }
        EXPECT_EQ(run_words.size(), 3u);
    }
    EXPECT_EQ(verdict_word(VerdictStatus::not_measured, Language::en), "not measured");
    EXPECT_EQ(verdict_word(RunVerdict::fail, Language::zh), "不通过");
}

TEST(Texts, AMissingTranslationFallsBackToTheOtherLanguage) {
    EXPECT_EQ(in_language(Text{"word", "词"}, Language::zh), "词");
    EXPECT_EQ(in_language(Text{"word", ""}, Language::zh), "word");
    EXPECT_EQ(in_language(Text{"", "词"}, Language::en), "词");
}

TEST(Texts, AReasonIsTranslatedByItsIdAndKeepsTheJudgesWords) {
    JudgedRequirement judged;
    judged.reason = "skipped: no GPU";
    judged.reason_id = "skipped";
    EXPECT_EQ(reason_text(judged, Language::en), "skipped: no GPU");
    EXPECT_EQ(reason_text(judged, Language::zh), "用例被跳过（skipped: no GPU）");
    judged.reason_id = "something_new";
    EXPECT_EQ(reason_text(judged, Language::zh), "skipped: no GPU");
}

}  // namespace
}  // namespace assay
