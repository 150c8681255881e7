#include "probes/storage/load/members.h"

#include <algorithm>
#include <limits>

namespace assay::storage {
namespace {

/// When a target had done so many operations, linear within a slice.
double time_of(const std::vector<LoadSlice>& slices, std::size_t target, double operations) {
    double time = 0;
    double done = 0;
    for (const LoadSlice& slice : slices) {
        const double more = slice.target_rates[target] * slice.seconds;
        if (done + more >= operations && more > 0) return time + (operations - done) / more * slice.seconds;
        done += more;
        time += slice.seconds;
    }
    return time;
}

}  // namespace

SharedWork shared_work(const std::vector<LoadSlice>& slices) {
    SharedWork work;
    if (slices.empty()) return work;
    const std::size_t targets = slices.front().target_rates.size();
    work.operations = std::numeric_limits<double>::infinity();
    for (std::size_t target = 0; target < targets; ++target) {
        double done = 0;
        for (const LoadSlice& slice : slices) done += slice.target_rates[target] * slice.seconds;
        work.operations = std::min(work.operations, done);
    }
    work.first_done = std::numeric_limits<double>::infinity();
    for (std::size_t target = 0; target < targets; ++target) {
        const double time = time_of(slices, target, work.operations);
        work.first_done = std::min(work.first_done, time);
        work.last_done = std::max(work.last_done, time);
    }
    return work;
}

void add_member_rates(const MetricDeclaration& declaration, const LoadOptions& options,
                      const Recording& recording, double factor, Outcome& outcome) {
    for (std::size_t target = 0; target < options.targets.size(); ++target) {
        SampleSet set = recording.rates;
        for (std::size_t i = 0; i < set.values.size(); ++i) {
            set.values[i] = recording.slices[i].target_rates[target] * factor;
        }
        outcome.metrics.push_back(
            make_metric(declaration, set, Statistic::median, {{"member", options.targets[target].name}}));
    }
}

}  // namespace assay::storage
