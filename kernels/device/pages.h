#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>

namespace assay {

/// Share (0..1) of resident memory in [begin, begin + bytes) that huge pages back, as /proc/self/smaps tells
/// it of the mappings there; nothing where it does not. What was asked for is not always what was given.
std::optional<double> huge_page_share(const void* begin, std::size_t bytes,
                                      const std::filesystem::path& smaps = "/proc/self/smaps");

/// Who gets transparent huge pages: everyone, who asks (madvise), or nobody (also where the kernel has none).
enum class HugePages { unasked, on_request, none };
HugePages huge_pages_given(const std::filesystem::path& file = "/sys/kernel/mm/transparent_hugepage/enabled");

}  // namespace assay
