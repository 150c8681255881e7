#include "suites/cli/exit_code.h"

namespace assay::cli {

ExitCode exit_code_of(RunVerdict verdict) {
    switch (verdict) {
        case RunVerdict::pass:
            return exit_passed;
        case RunVerdict::fail:
            return exit_failed;
        case RunVerdict::incomplete:
            return exit_incomplete;
    }
    return exit_broken;
}

ExitCode exit_code_of(Status status) {
    switch (status) {
        case Status::measured:
            return exit_passed;
        case Status::skipped:
            return exit_incomplete;
        case Status::failed:
        case Status::timed_out:
        case Status::crashed:
            return exit_failed;
    }
    return exit_broken;
}

}  // namespace assay::cli
