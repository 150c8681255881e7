#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace assay::os {

/// A small file of /proc or /sys without the trailing newline; nothing when it is absent or unreadable.
std::optional<std::string> read_text(const std::filesystem::path& path);
std::optional<std::int64_t> read_integer(const std::filesystem::path& path);

}  // namespace assay::os
