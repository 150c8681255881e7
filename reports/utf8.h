#pragma once

#include <string>
#include <string_view>

namespace assay {

/// The code point at the front of `text` and how many bytes it takes; an ill-formed byte is U+FFFD of one
/// byte (overlong forms, surrogates and what lies beyond U+10FFFF are ill-formed). `text` is not empty.
struct CodePoint {
    char32_t value = 0;
    std::size_t bytes = 0;
    bool well_formed = true;
};
CodePoint first_code_point(std::string_view text);

/// The same text with every ill-formed byte replaced by U+FFFD.
std::string valid_utf8(std::string_view text);

/// How many terminal columns a text takes: East Asian wide and full-width characters two, combining marks
/// and control characters none (Unicode Standard Annex 11).
int display_width(std::string_view text);

}  // namespace assay
