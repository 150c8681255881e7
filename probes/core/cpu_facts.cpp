#include "probes/core/cpu_facts.h"

#include <algorithm>
#include <cctype>

namespace assay {

namespace {

bool is_word_character(char character) {
    return std::isalnum(static_cast<unsigned char>(character)) != 0;
}

/// True where `part` stands in `text` and begins and ends with a word: "EPYC 7443" is not in "EPYC 7443P".
bool has_words(const std::string& text, const std::string& part) {
    if (part.empty()) return false;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
        const std::size_t end = at + part.size();
        const bool begins = at == 0 || !is_word_character(text[at - 1]);
        const bool ends = end == text.size() || !is_word_character(text[end]);
        if (begins && ends) return true;
    }
    return false;
}

}  // namespace

const CpuModelFacts* find_cpu_model(const CpuFacts& facts, const std::string& model_name) {
    const CpuModelFacts* found = nullptr;
    for (const CpuModelFacts& model : facts.models) {
        const bool matches =
            std::any_of(model.match.begin(), model.match.end(),
                        [&](const std::string& part) { return has_words(model_name, part); });
        if (!matches) continue;
        if (found != nullptr) return nullptr;
        found = &model;
    }
    return found;
}

}  // namespace assay
