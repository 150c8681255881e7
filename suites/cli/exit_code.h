#pragma once

#include "probes/core/outcome.h"
#include "reports/report.h"

namespace assay::cli {

/// What the program's end tells its caller.
enum ExitCode {
    exit_passed = 0,          ///< every requirement passed; of `probe`: measured
    exit_failed = 1,          ///< a requirement failed; of `probe`: failed, timed out or crashed
    exit_unusable_input = 2,  ///< one line on standard error says what, where and what would be accepted
    exit_incomplete = 3,      ///< something that counts is not known; of `probe`: skipped
    exit_broken = 4,          ///< assay could not do its own work
    exit_interrupted = 130,   ///< the journal holds what was done
};

ExitCode exit_code_of(RunVerdict verdict);
ExitCode exit_code_of(Status status);

}  // namespace assay::cli
