#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace assay {

/// A value of a JSON document together with where it stands. Every reader throws InputError "ROOT/pointer:
/// what stands there, what would be accepted". The pointer is put together only when it is needed, so that
/// reading long sample arrays costs nothing extra. A child refers to its parent, which must outlive it.
class JsonNode {
  public:
    /// `root` stands before the pointer: "outcome#", "poc.json#/requirements/3". Both must outlive the node.
    JsonNode(const nlohmann::json& value, std::string_view root) : value_(&value), key_(root) {}

    const nlohmann::json& value() const { return *value_; }
    std::string where() const;
    [[noreturn]] void fail(std::string_view message) const;
    /// fail("expected <accepted>, not <what stands there>")
    [[noreturn]] void expected(std::string_view accepted) const;

    /// The member of an object; an error names it when it is missing.
    JsonNode required(std::string_view key) const&;
    JsonNode required(std::string_view key) const&& = delete;
    /// Nothing when it is missing or null.
    std::optional<JsonNode> find(std::string_view key) const&;
    std::optional<JsonNode> find(std::string_view key) const&& = delete;
    /// The element of an array that is known to be one and long enough.
    JsonNode element(std::size_t index) const&;
    JsonNode element(std::size_t index) const&& = delete;

    void expect_object() const;
    std::size_t expect_array() const;  ///< its length
    void only_keys(std::initializer_list<std::string_view> accepted) const;

    std::string text() const;
    std::string text_or_empty() const;  ///< null counts as empty
    bool boolean() const;
    double number() const;         ///< finite
    double number_or_nan() const;  ///< null is how a number that is not finite was written
    std::uint64_t whole_number() const;

  private:
    JsonNode(const nlohmann::json& value, const JsonNode& parent, std::string_view key)
        : value_(&value), parent_(&parent), key_(key) {}
    JsonNode(const nlohmann::json& value, const JsonNode& parent, std::size_t index)
        : value_(&value), parent_(&parent), index_(index), is_element_(true) {}

    const nlohmann::json* value_;
    const JsonNode* parent_ = nullptr;
    std::string_view key_;
    std::size_t index_ = 0;
    bool is_element_ = false;
};

}  // namespace assay
