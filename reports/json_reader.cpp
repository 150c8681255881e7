#include "reports/json_reader.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "probes/core/case.h"

namespace assay {

namespace {

std::string pointer_token(std::string_view key) {
    std::string token;
    for (const char character : key) {
        if (character == '~') {
            token += "~0";
        } else if (character == '/') {
            token += "~1";
        } else {
            token += character;
        }
    }
    return token;
}

/// What stands there, short enough for one line.
std::string description(const nlohmann::json& value) {
    constexpr std::size_t longest = 40;
    if (value.is_object()) return "an object";
    if (value.is_array()) return fmt::format("an array of {}", value.size());
    std::string written = value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    if (written.size() > longest) {
        // Cut between characters, not inside one.
        std::size_t end = longest;
        while (end > 0 && (static_cast<unsigned char>(written[end]) & 0xC0) == 0x80) --end;
        written = written.substr(0, end) + "...";
    }
    return written;
}

}  // namespace

std::string JsonNode::where() const {
    if (parent_ == nullptr) return std::string(key_);
    return parent_->where() + "/" + (is_element_ ? std::to_string(index_) : pointer_token(key_));
}

void JsonNode::fail(std::string_view message) const {
    throw InputError(fmt::format("{}: {}", where(), message));
}

void JsonNode::expected(std::string_view accepted) const {
    fail(fmt::format("expected {}, not {}", accepted, description(*value_)));
}

JsonNode JsonNode::required(std::string_view key) const& {
    expect_object();
    const nlohmann::json::const_iterator found = value_->find(key);
    if (found == value_->end()) fail(fmt::format("the key \"{}\" is missing", key));
    return JsonNode(*found, *this, key);
}

std::optional<JsonNode> JsonNode::find(std::string_view key) const& {
    expect_object();
    const nlohmann::json::const_iterator found = value_->find(key);
    if (found == value_->end() || found->is_null()) return std::nullopt;
    return JsonNode(*found, *this, key);
}

JsonNode JsonNode::element(std::size_t index) const& {
    return JsonNode((*value_)[index], *this, index);
}

void JsonNode::expect_object() const {
    if (!value_->is_object()) expected("an object");
}

std::size_t JsonNode::expect_array() const {
    if (!value_->is_array()) expected("an array");
    return value_->size();
}

void JsonNode::only_keys(std::initializer_list<std::string_view> accepted) const {
    expect_object();
    for (const auto& [key, ignored] : value_->items()) {
        if (std::find(accepted.begin(), accepted.end(), key) != accepted.end()) continue;
        fail(fmt::format("unknown key \"{}\"; accepted: {}", key, fmt::join(accepted, ", ")));
    }
}

std::string JsonNode::text() const {
    if (!value_->is_string()) expected("a string");
    return value_->get<std::string>();
}

std::string JsonNode::text_or_empty() const {
    return value_->is_null() ? std::string() : text();
}

bool JsonNode::boolean() const {
    if (!value_->is_boolean()) expected("true or false");
    return value_->get<bool>();
}

double JsonNode::number() const {
    if (!value_->is_number()) expected("a number");
    const double number = value_->get<double>();
    if (!std::isfinite(number)) expected("a finite number");
    return number;
}

double JsonNode::number_or_nan() const {
    if (value_->is_null()) return std::numeric_limits<double>::quiet_NaN();
    return number();
}

std::uint64_t JsonNode::whole_number() const {
    if (!value_->is_number_unsigned()) expected("a whole number, 0 or more");
    return value_->get<std::uint64_t>();
}

}  // namespace assay
