#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "suites/journal.h"
#include "suites/plan.h"

namespace assay {

/// What the runner tells while it works; the command line draws it.
struct RunEvent {
    enum class Kind { case_started, case_progress, case_finished } kind;
    std::size_t index = 0;  ///< of the plan, from 0
    std::size_t count = 0;
    const PlannedCase* planned = nullptr;
    std::string stage;  ///< of case_progress
    double share = 0;   ///< of case_progress, 0..1
    double elapsed_seconds = 0;
    const Outcome* outcome = nullptr;  ///< of case_finished
};

struct RunnerOptions {
    std::filesystem::path program;  ///< the assay binary whose `probe` command runs the cases
    std::filesystem::path scratch;  ///< folder in which the run's shared file is made
    bool keep_files = false;
    bool quick = false;
    std::function<void(const RunEvent&)> on_event;
    const std::atomic<bool>* interrupted = nullptr;
};

/// Runs the plan's cases that `done` does not hold, each in its own child (`assay probe ... --json`), and
/// appends each outcome to the journal. Returns false when interrupted.
bool run_plan(const Plan& plan, const std::vector<Outcome>& done, JournalWriter& journal,
              const RunnerOptions& options);

}  // namespace assay
