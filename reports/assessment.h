#pragma once

#include <optional>
#include <string>
#include <vector>

#include "reports/report.h"

namespace assay {

/// What a run says of a requirement, before asking whether it counts and whether it was waived.
struct Assessment {
    VerdictStatus status = VerdictStatus::not_measured;
    std::optional<double> measured;
    std::string measured_text;
    std::optional<Interval> ci95;
    std::optional<double> margin;
    std::string metric;
    std::string reason;
    std::string reason_id;
    std::vector<std::string> notes;
};

/// What a run has to judge by.
struct Evidence {
    const std::vector<Outcome>& outcomes;
    const std::vector<Case>& missing;       ///< cases that were planned and have no outcome
    const std::vector<RunDevice>& devices;  ///< which tell what is a GPU
};

/// Holds a requirement against everything that the run measured.
Assessment assess(const Requirement& requirement, const Evidence& evidence);

}  // namespace assay
