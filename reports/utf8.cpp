#include "reports/utf8.h"

#include <algorithm>
#include <array>

namespace assay {

namespace {

struct Range {
    char32_t first;
    char32_t last;
};

bool in_ranges(char32_t code, const Range* begin, const Range* end) {
    return std::any_of(begin, end,
                       [code](const Range& range) { return code >= range.first && code <= range.last; });
}

/// East Asian Width W and F, by blocks.
constexpr std::array<Range, 12> wide{{{0x1100, 0x115F},
                                      {0x2E80, 0x303E},
                                      {0x3041, 0x33FF},
                                      {0x3400, 0x4DBF},
                                      {0x4E00, 0x9FFF},
                                      {0xA000, 0xA4CF},
                                      {0xAC00, 0xD7A3},
                                      {0xF900, 0xFAFF},
                                      {0xFE30, 0xFE6F},
                                      {0xFF00, 0xFF60},
                                      {0xFFE0, 0xFFE6},
                                      {0x1F300, 0x3FFFD}}};
/// Combining marks and what has no width of its own.
constexpr std::array<Range, 8> without_width{{{0x0000, 0x001F},
                                              {0x007F, 0x009F},
                                              {0x0300, 0x036F},
                                              {0x200B, 0x200F},
                                              {0x20D0, 0x20FF},
                                              {0x302A, 0x302D},
                                              {0xFE00, 0xFE0F},
                                              {0xFE20, 0xFE2F}}};

constexpr CodePoint ill_formed{0xFFFD, 1, false};

}  // namespace

CodePoint first_code_point(std::string_view text) {
    const unsigned char lead = static_cast<unsigned char>(text.front());
    if (lead < 0x80) return {lead, 1, true};
    std::size_t bytes = 0;
    char32_t value = 0;
    char32_t smallest = 0;
    if ((lead & 0xE0) == 0xC0) {
        bytes = 2;
        value = lead & 0x1F;
        smallest = 0x80;
    } else if ((lead & 0xF0) == 0xE0) {
        bytes = 3;
        value = lead & 0x0F;
        smallest = 0x800;
    } else if ((lead & 0xF8) == 0xF0) {
        bytes = 4;
        value = lead & 0x07;
        smallest = 0x10000;
    }
    if (bytes == 0 || text.size() < bytes) return ill_formed;
    for (std::size_t i = 1; i < bytes; ++i) {
        const unsigned char next = static_cast<unsigned char>(text[i]);
        if ((next & 0xC0) != 0x80) return ill_formed;
        value = (value << 6) | (next & 0x3F);
    }
    const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
    if (value < smallest || value > 0x10FFFF || surrogate) return ill_formed;
    return {value, bytes, true};
}

std::string valid_utf8(std::string_view text) {
    std::string valid;
    valid.reserve(text.size());
    while (!text.empty()) {
        const CodePoint code = first_code_point(text);
        valid += code.well_formed ? text.substr(0, code.bytes) : std::string_view("\xEF\xBF\xBD");
        text.remove_prefix(code.bytes);
    }
    return valid;
}

int display_width(std::string_view text) {
    int width = 0;
    while (!text.empty()) {
        const CodePoint code = first_code_point(text);
        text.remove_prefix(code.bytes);
        if (in_ranges(code.value, without_width.begin(), without_width.end())) continue;
        width += in_ranges(code.value, wide.begin(), wide.end()) ? 2 : 1;
    }
    return width;
}

}  // namespace assay
