#pragma once

#include <array>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "probes/core/outcome.h"
#include "reports/json_reader.h"
#include "reports/requirement.h"

namespace assay {

/// Every value of the enumerations that stand in JSON by name, for reading and for saying what is accepted.
template <typename Enumeration>
struct Names;
template <>
struct Names<Unit> {
    static constexpr std::string_view what = "unit";
    static constexpr Unit last = Unit::text;
};
template <>
struct Names<Direction> {
    static constexpr std::string_view what = "direction";
    static constexpr Direction last = Direction::none;
};
template <>
struct Names<Statistic> {
    static constexpr std::string_view what = "statistic";
    static constexpr Statistic last = Statistic::sustained;
};
template <>
struct Names<Status> {
    static constexpr std::string_view what = "status";
    static constexpr Status last = Status::crashed;
};
template <>
struct Names<Comparison> {
    static constexpr std::string_view what = "comparison";
    static constexpr Comparison last = Comparison::equals;
};

template <typename Enumeration>
std::vector<std::string_view> all_names() {
    std::vector<std::string_view> names;
    for (int i = 0; i <= static_cast<int>(Names<Enumeration>::last); ++i) {
        names.push_back(to_string(static_cast<Enumeration>(i)));
    }
    return names;
}

/// The value that a string names; an error lists what is accepted.
template <typename Enumeration>
Enumeration read_name(const JsonNode& node) {
    const std::string name = node.text();
    const std::vector<std::string_view> names = all_names<Enumeration>();
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (names[i] == name) return static_cast<Enumeration>(i);
    }
    node.fail(fmt::format("unknown {} \"{}\"; accepted: {}", Names<Enumeration>::what, name,
                          fmt::join(names, ", ")));
}

}  // namespace assay
