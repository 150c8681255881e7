#pragma once

#include <map>
#include <optional>
#include <vector>

namespace assay::storage {

/// The depths that a latency curve begins with: 1, 2, 4 ... up to `most`, and `most` itself.
std::vector<int> coarse_depths(int most);

/// The depth to measure next in search of the largest one within a bound, by bisection between the deepest
/// that is within and the shallowest beyond it that is not. Nothing when these are neighbours, or one of them
/// is missing.
std::optional<int> next_depth(const std::map<int, bool>& within);

}  // namespace assay::storage
