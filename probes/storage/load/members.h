#pragma once

#include <vector>

#include "probes/core/outcome.h"
#include "probes/storage/load/recording.h"

namespace assay::storage {

/// The work that every one of several targets has done in the measured time, and when the fastest and the
/// slowest of them had done it: equal targets give equal times.
struct SharedWork {
    double operations = 0;  ///< of the slowest target
    double first_done = 0;  ///< seconds
    double last_done = 0;   ///< seconds
};
SharedWork shared_work(const std::vector<LoadSlice>& slices);

/// A metric for each target, told apart by the label `member`.
void add_member_rates(const MetricDeclaration& declaration, const LoadOptions& options,
                      const Recording& recording, double factor, Outcome& outcome);

}  // namespace assay::storage
