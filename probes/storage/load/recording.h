#pragma once

#include <optional>
#include <vector>

#include "probes/core/probe.h"
#include "probes/storage/load/load.h"
#include "probes/storage/load/steady_state.h"

namespace assay::storage {

/// What was sampled of a load while it ran; index for index the sampler's values, warm-up left out.
struct Recording {
    SampleSet rates;  ///< operations a second, a time slice each
    std::vector<LoadSlice> slices;
    std::vector<double> cpu_per_operation;  ///< seconds of the whole process, its kernel workers too
    std::vector<SeriesPoint> before;        ///< rates before the measured window, at negative times
    Verification verification;
    std::optional<SteadyState> steady_state;  ///< of the measured window, where it was waited for
    std::vector<std::string> engine_flags;
    std::vector<std::string> engine_refused;
};

/// How long to record.
struct RecordingPlan {
    double seconds = 10;      ///< the measured window
    double most_seconds = 0;  ///< 0: one window, whatever it is like. Else windows until one is steady by the
                              ///< SNIA's rule, or so long; the last one counts
    Seconds maximum_warm_up{2};
    std::string_view stage = "reading";
};

/// A time slice is one sample: 100 ms, finer where that would give fewer than 30 samples, coarser where it
/// would give more than 300.
Seconds slice_of(double seconds);

/// Runs a load and samples it.
Recording record(const LoadOptions& options, const RecordingPlan& plan, Context& context);

/// CPU time of this process so far, user and system, in seconds.
double process_cpu_seconds();

}  // namespace assay::storage
