#pragma once

#include <optional>
#include <string>
#include <vector>

#include "kernels/device/device.h"
#include "suites/suite.h"

namespace assay {

/// What a run is asked for besides its suite.
struct RunOptions {
    bool quick = false;
    std::vector<std::string> only;                                  ///< probe names, or domains; empty: all
    std::map<std::string, std::map<std::string, std::string>> set;  ///< probe -> parameter -> value
    std::string device = {};  ///< the one that each:gpu stands for; empty: the machine's GPUs
};

struct PlannedCase {
    Case the_case;
    bool required = true;
    std::optional<std::string>
        skip_reason;  ///< settled at planning: no such device, no such probe in this version
    double expected_seconds = 0;
    double time_limit_seconds = 0;
    std::uint64_t written_bytes = 0;
};

struct Plan {
    std::vector<PlannedCase> cases;
    double expected_seconds() const;
    std::uint64_t written_bytes() const;  ///< the cases share one scratch file, so the largest counts
};

/// Pure: the suite's entries on this machine's devices, each:gpu multiplied out. Throws InputError for an
/// unknown name or a bad value in `options`.
Plan expand(const Suite& suite, const DeviceSurvey& survey, const Catalogue& catalogue,
            const RunOptions& options, const Context& context);

}  // namespace assay
