#include "probes/core/bytes_in_words.h"

#include <array>
#include <utility>

#include <fmt/format.h>

namespace assay {

std::string bytes_in_words(std::uint64_t bytes) {
    static constexpr std::array<std::pair<int, const char*>, 3> units = {
        {{40, "TiB"}, {30, "GiB"}, {20, "MiB"}}};
    const std::string exact = counted(bytes, "byte", "bytes");
    for (const auto& [shift, unit] : units) {
        const std::uint64_t one = std::uint64_t{1} << shift;
        if (bytes < one) continue;
        if (bytes % one == 0) return fmt::format("{} ({} {})", exact, bytes / one, unit);
        return fmt::format("{} ({:.1f} {})", exact, static_cast<double>(bytes) / static_cast<double>(one),
                           unit);
    }
    return exact;
}

std::string counted(std::uint64_t count, std::string_view one, std::string_view many) {
    return fmt::format("{} {}", count, count == 1 ? one : many);
}

}  // namespace assay
