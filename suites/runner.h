#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "probes/core/os/child_process.h"
#include "probes/core/os/file_descriptor.h"
#include "suites/journal.h"
#include "suites/plan.h"

namespace assay {

/// What the runner tells while it works; the command line draws it.
struct RunEvent {
    enum class Kind { case_started, case_progress, case_finished } kind;
    std::size_t index = 0;  ///< of the plan, from 0
    std::size_t count = 0;
    const PlannedCase* planned = nullptr;
    std::string stage = {};  ///< of case_progress
    double share = 0;        ///< of case_progress, 0..1
    double elapsed_seconds = 0;
    const Outcome* outcome = nullptr;  ///< of case_finished
};

struct RunnerOptions {
    std::filesystem::path program;  ///< the assay binary whose `probe` command runs the cases
    std::filesystem::path scratch;  ///< folder in which the run's shared file is made
    bool keep_files = false;        ///< the shared file gets a name, and stays
    bool quick = false;
    std::vector<std::filesystem::path> allow_destroy = {};  ///< handed to the cases whose target it is
    std::function<void(const RunEvent&)> on_event;
    const std::atomic<bool>* interrupted = nullptr;
};

/// How a child tells its progress: a line of its standard error, `progress 0.42 preparing`.
std::string progress_line(std::string_view stage, double share);
struct Progress {
    std::string stage;
    double share = 0;
};
std::optional<Progress> progress_from_line(std::string_view line);

/// The file that a run's cases share, open for reading and writing. It has no name, so that nothing is left
/// behind however the run ends; with `keep` it has one, in `path`.
struct SharedFile {
    os::FileDescriptor file;
    std::filesystem::path path;
};
SharedFile make_shared_file(const std::filesystem::path& folder, bool keep);

/// What became of a case whose child ended so: the outcome that it printed, or the reason why there is none.
/// `last_words` is the last line of its standard error that was no progress.
Outcome outcome_of_child(const PlannedCase& planned, const os::ChildExit& exit,
                         const std::string& last_words);

/// Runs the plan's cases that `done` does not hold, each in its own child (`assay probe ... --json`), and
/// appends each outcome to the journal. Returns false when interrupted.
bool run_plan(const Plan& plan, const std::vector<Outcome>& done, JournalWriter& journal,
              const RunnerOptions& options);

}  // namespace assay
