#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace assay::os {

/// The parts between separators, empty ones left out.
std::vector<std::string_view> split(std::string_view text, char separator);

/// A whole decimal number, nothing else around it.
std::optional<std::uint64_t> parse_number(std::string_view text);

/// A kernel's list of CPUs or nodes, "0-3,8": {0, 1, 2, 3, 8}. What is no number is left out.
std::vector<int> parse_cpu_list(std::string_view text);

/// A path as /proc writes it: space, tab, newline and backslash stand there as \040, \011, \012 and \134.
std::string unescape_octal(std::string_view text);

/// The number after `key` on the line of a kernel's key-value file that begins with it ("oom_kill 3").
std::optional<std::uint64_t> value_of(std::string_view text, std::string_view key);

}  // namespace assay::os
