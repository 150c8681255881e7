#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "probes/core/outcome.h"

namespace assay {

/// Skipped cases that share their reason: on a machine without a GPU, all that would run on one.
struct SkipGroup {
    std::vector<const Outcome*> outcomes;  ///< two or more, in their order

    bool begins_with(const Outcome& outcome) const { return outcomes.front() == &outcome; }
    /// "gemm.throughput (4), memory.capacity": its probes, and how many cases of each.
    std::string probes(std::string_view separator) const;
};

/// Pure. Good for as long as the outcomes are.
std::vector<SkipGroup> skip_groups(const std::vector<Outcome>& outcomes);
/// The group that holds the outcome; null where it stands alone.
const SkipGroup* group_of(const Outcome& outcome, const std::vector<SkipGroup>& groups);

}  // namespace assay
