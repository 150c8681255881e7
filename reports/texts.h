#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "reports/report.h"

namespace assay {

/// A phrase of the reports in a language: texts_en.cpp and texts_zh.cpp hold the same keys (a test compares
/// them). A key that is none is a std::logic_error.
std::string_view phrase(Language language, std::string_view key);
/// The same for keys made at run time ("reason." + reason_id): nothing when there is no such phrase.
std::optional<std::string_view> find_phrase(Language language, std::string_view key);
/// A phrase with its places {} filled in.
template <typename... Arguments>
std::string phrase_with(Language language, std::string_view key, Arguments&&... arguments) {
    return fmt::format(fmt::runtime(phrase(language, key)), std::forward<Arguments>(arguments)...);
}
/// The one of a two-language text that fits; the other where it is empty.
const std::string& in_language(const Text& text, Language language);

/// Verdict words of people and the sign beside them, so that colour never tells alone: "pass", "✓".
std::string_view verdict_word(RunVerdict verdict, Language language);
std::string_view verdict_word(VerdictStatus status, Language language);
std::string_view status_word(Status status, Language language);
std::string_view verdict_sign(RunVerdict verdict);
std::string_view verdict_sign(VerdictStatus status);

/// Why a requirement is not measured, inconclusive or failed without a comparison, in the language: the
/// phrase of its reason_id where there is one, and the judge's own words beside it where the language is
/// another.
std::string reason_text(const JudgedRequirement& judged, Language language);

/// A number with its unit scaled for people, three significant digits: "512 GB", "87.3 µs", "1.24 M op/s".
/// GB is 10^9; counts are written in full. Not finite: "–".
std::string format_quantity(double value, Unit unit, Language language);
/// Both ends in one scale, with digits enough to tell them apart: "134.6–135.9 K op/s".
std::string format_interval(const Interval& interval, Unit unit, Language language);
/// The bound as people read it, its own digits and no more: "≥ 500 K op/s", "< 100 µs", "≥ 535.154.02".
std::string format_bound(const Requirement& requirement, Language language);
/// The measured value beside its bound: in the bound's scale where that reads well, and with more digits
/// where three would round a failing value onto the bound ("499.9 K op/s"). "–" when not measured.
std::string format_measured(const JudgedRequirement& judged, Language language);
/// Its 95 % interval in the scale that format_measured chose; empty when there is none.
std::string format_measured_interval(const JudgedRequirement& judged, Language language);

/// A scale for an axis: values are divided by `factor` and labelled `unit` ("GB/s", "K op/s").
struct QuantityScale {
    double factor = 1;
    std::string unit;
};
QuantityScale scale_for(double magnitude, Unit unit, Language language);

/// A key and its text, as the tables of the two languages hold them.
struct PhraseEntry {
    std::string_view key;
    std::string_view text;
};
std::span<const PhraseEntry> phrases_en();
std::span<const PhraseEntry> phrases_zh();

}  // namespace assay
