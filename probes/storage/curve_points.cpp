#include "probes/storage/curve_points.h"

namespace assay::storage {

std::vector<int> coarse_depths(int most) {
    std::vector<int> depths;
    for (int depth = 1; depth < most; depth *= 2) depths.push_back(depth);
    depths.push_back(most);
    return depths;
}

std::optional<int> next_depth(const std::map<int, bool>& within) {
    std::optional<int> inside;
    for (const auto& [depth, is_within] : within) {
        if (is_within) inside = depth;
    }
    if (!inside) return std::nullopt;
    const std::map<int, bool>::const_iterator beyond = within.upper_bound(*inside);
    if (beyond == within.end() || beyond->first == *inside + 1) return std::nullopt;
    return *inside + (beyond->first - *inside) / 2;
}

}  // namespace assay::storage
