#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>

namespace assay {

/// Share (0..1) of resident memory in [begin, begin + bytes) that huge pages back, as /proc/self/smaps tells
/// it of the mappings there; nothing where it does not. What was asked for is not always what was given.
std::optional<double> huge_page_share(const void* begin, std::size_t bytes,
                                      const std::filesystem::path& smaps = "/proc/self/smaps");

}  // namespace assay
