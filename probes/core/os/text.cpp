#include "probes/core/os/text.h"

#include <charconv>

namespace assay::os {
namespace {

bool is_octal(char character) {
    return character >= '0' && character <= '7';
}

}  // namespace

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    while (!text.empty()) {
        const std::size_t end = text.find(separator);
        if (end != 0) parts.push_back(text.substr(0, end));
        if (end == std::string_view::npos) break;
        text.remove_prefix(end + 1);
    }
    return parts;
}

std::optional<std::uint64_t> parse_number(std::string_view text) {
    std::uint64_t value = 0;
    const char* const last = text.data() + text.size();
    const std::from_chars_result end = std::from_chars(text.data(), last, value);
    if (end.ec != std::errc() || end.ptr != last) return std::nullopt;
    return value;
}

std::vector<int> parse_cpu_list(std::string_view text) {
    constexpr std::uint64_t most = 1 << 16;
    std::vector<int> cpus;
    for (const std::string_view range : split(text, ',')) {
        const std::size_t dash = range.find('-');
        const std::optional<std::uint64_t> first = parse_number(range.substr(0, dash));
        const std::optional<std::uint64_t> last =
            dash == std::string_view::npos ? first : parse_number(range.substr(dash + 1));
        if (!first || !last || *last >= most) continue;
        for (std::uint64_t cpu = *first; cpu <= *last; ++cpu) cpus.push_back(static_cast<int>(cpu));
    }
    return cpus;
}

std::string unescape_octal(std::string_view text) {
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool escaped = text[i] == '\\' && i + 3 < text.size() && is_octal(text[i + 1]) &&
                             is_octal(text[i + 2]) && is_octal(text[i + 3]);
        if (escaped) {
            plain +=
                static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + text[i + 3] - '0');
            i += 3;
        } else {
            plain += text[i];
        }
    }
    return plain;
}

std::optional<std::uint64_t> value_of(std::string_view text, std::string_view key) {
    for (const std::string_view line : split(text, '\n')) {
        const std::vector<std::string_view> words = split(line, ' ');
        if (words.size() >= 2 && words[0] == key) return parse_number(words[1]);
    }
    return std::nullopt;
}

}  // namespace assay::os
