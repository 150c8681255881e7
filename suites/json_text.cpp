#include "suites/json_text.h"

#include <algorithm>
#include <set>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "probes/core/case.h"

namespace assay {
namespace {

using nlohmann::json;

std::string position(std::string_view text, std::size_t offset) {
    const std::string_view before = text.substr(0, std::min(offset, text.size()));
    const std::ptrdiff_t line = 1 + std::count(before.begin(), before.end(), '\n');
    const std::size_t newline = before.rfind('\n');
    const std::size_t column =
        newline == std::string_view::npos ? before.size() + 1 : before.size() - newline;
    return fmt::format("{}:{}", line, column);
}

/// nlohmann's message without its own position ("[json.exception...] parse error at line 1, column 2: ").
std::string plain_message(const std::string& message) {
    const std::size_t colon = message.find(": ");
    std::string plain = colon == std::string::npos ? message : message.substr(colon + 2);
    std::replace(plain.begin(), plain.end(), '\n', ' ');
    return plain;
}

}  // namespace

json parse_json(std::string_view text, const std::string& file) {
    std::vector<std::set<std::string>> keys;
    std::string twice;
    const json::parser_callback_t watch_keys = [&](int, json::parse_event_t event, json& parsed) {
        if (event == json::parse_event_t::object_start) keys.emplace_back();
        if (event == json::parse_event_t::object_end) keys.pop_back();
        if (event == json::parse_event_t::key && !keys.back().insert(parsed.get<std::string>()).second &&
            twice.empty())
            twice = parsed.get<std::string>();
        return true;
    };
    json parsed;
    try {
        parsed = json::parse(text, watch_keys);
    } catch (const json::parse_error& error) {
        // `byte` counts from 1 and is the last byte read.
        const std::size_t offset = error.byte == 0 ? 0 : error.byte - 1;
        throw InputError(fmt::format("{}:{}: no valid JSON: {}", file, position(text, offset),
                                     plain_message(error.what())));
    }
    if (!twice.empty()) {
        const std::string quoted = json(twice).dump();
        const std::size_t first = text.find(quoted);
        const std::size_t second = first == std::string_view::npos ? first : text.find(quoted, first + 1);
        throw InputError(fmt::format("{}:{}: the key {} stands twice in one object; once is accepted", file,
                                     position(text, second == std::string_view::npos ? 0 : second), quoted));
    }
    return parsed;
}

std::string alternatives(const std::vector<std::string>& names, std::size_t most) {
    if (names.empty()) return "none";
    std::string text;
    const std::size_t shown = std::min(names.size(), most);
    for (std::size_t i = 0; i < shown; ++i) {
        if (i > 0) text += i + 1 == names.size() ? " or " : ", ";
        text += names[i];
    }
    if (shown < names.size()) text += ", ...";
    return text;
}

}  // namespace assay
