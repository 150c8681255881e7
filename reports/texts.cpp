#include "reports/texts.h"

#include <stdexcept>
#include <unordered_map>

namespace assay {

namespace {

using PhraseIndex = std::unordered_map<std::string_view, std::string_view>;

PhraseIndex index_of(std::span<const PhraseEntry> entries) {
    PhraseIndex index;
    for (const PhraseEntry& entry : entries) index.emplace(entry.key, entry.text);
    return index;
}

}  // namespace

std::optional<std::string_view> find_phrase(Language language, std::string_view key) {
    static const PhraseIndex english = index_of(phrases_en());
    static const PhraseIndex chinese = index_of(phrases_zh());
    const PhraseIndex& index = language == Language::zh ? chinese : english;
    const PhraseIndex::const_iterator found = index.find(key);
    if (found == index.end()) return std::nullopt;
    return found->second;
}

std::string_view phrase(Language language, std::string_view key) {
    const std::optional<std::string_view> found = find_phrase(language, key);
    if (!found) throw std::logic_error("no phrase '" + std::string(key) + "' in reports/texts");
    return *found;
}

const std::string& in_language(const Text& text, Language language) {
    if (language == Language::zh) return text.zh.empty() ? text.en : text.zh;
    return text.en.empty() ? text.zh : text.en;
}

std::string_view verdict_word(RunVerdict verdict, Language language) {
    switch (verdict) {
        case RunVerdict::pass:
            return phrase(language, "verdict.pass");
        case RunVerdict::fail:
            return phrase(language, "verdict.fail");
        case RunVerdict::incomplete:
            return phrase(language, "verdict.incomplete");
    }
    throw std::logic_error("no such run verdict");
}

std::string_view verdict_word(VerdictStatus status, Language language) {
    switch (status) {
        case VerdictStatus::pass:
            return phrase(language, "status.pass");
        case VerdictStatus::fail:
            return phrase(language, "status.fail");
        case VerdictStatus::inconclusive:
            return phrase(language, "status.inconclusive");
        case VerdictStatus::not_measured:
            return phrase(language, "status.not_measured");
        case VerdictStatus::waived:
            return phrase(language, "status.waived");
    }
    throw std::logic_error("no such verdict");
}

std::string_view status_word(Status status, Language language) {
    switch (status) {
        case Status::measured:
            return phrase(language, "outcome.measured");
        case Status::skipped:
            return phrase(language, "outcome.skipped");
        case Status::failed:
            return phrase(language, "outcome.failed");
        case Status::timed_out:
            return phrase(language, "outcome.timed_out");
        case Status::crashed:
            return phrase(language, "outcome.crashed");
    }
    throw std::logic_error("no such status");
}

std::string_view verdict_sign(RunVerdict verdict) {
    switch (verdict) {
        case RunVerdict::pass:
            return "✓";
        case RunVerdict::fail:
            return "✗";
        case RunVerdict::incomplete:
            return "○";
    }
    throw std::logic_error("no such run verdict");
}

std::string_view verdict_sign(VerdictStatus status) {
    switch (status) {
        case VerdictStatus::pass:
            return "✓";
        case VerdictStatus::fail:
            return "✗";
        case VerdictStatus::inconclusive:
            return "≈";
        case VerdictStatus::not_measured:
            return "○";
        case VerdictStatus::waived:
            return "–";
    }
    throw std::logic_error("no such verdict");
}

std::string reason_text(const JudgedRequirement& judged, Language language) {
    if (language == Language::en || judged.reason_id.empty()) return judged.reason;
    const std::optional<std::string_view> translated = find_phrase(language, "reason." + judged.reason_id);
    if (!translated) return judged.reason;
    if (judged.reason.empty()) return std::string(*translated);
    return phrase_with(language, "reason.with_words", *translated, judged.reason);
}

}  // namespace assay
