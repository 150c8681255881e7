#include "suites/runner.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>

#include "probes/core/clock.h"
#include "probes/core/os/scratch_file.h"
#include "suites/allow_destroy.h"
#include "suites/timestamp.h"

namespace assay {
namespace {

constexpr std::string_view progress_word = "progress ";

bool holds(const std::vector<Outcome>& outcomes, const Case& the_case) {
    return std::any_of(outcomes.begin(), outcomes.end(),
                       [&](const Outcome& outcome) { return outcome.the_case == the_case; });
}

bool will_write(const Plan& plan, const std::vector<Outcome>& done) {
    return std::any_of(plan.cases.begin(), plan.cases.end(), [&](const PlannedCase& planned) {
        return planned.written_bytes > 0 && !planned.skip_reason && !holds(done, planned.the_case);
    });
}

/// What runs on an accelerator meets data that no run before left in its memory. The host's cases keep one
/// seed, so that two runs of accuracies are of the same data.
std::optional<std::uint64_t> fresh_seed(const Case& the_case) {
    const std::map<std::string, std::string>::const_iterator device = the_case.parameters.find("device");
    if (device == the_case.parameters.end() || device->second.starts_with("cpu:")) return std::nullopt;
    return std::random_device{}();
}

std::vector<std::string> child_arguments(const PlannedCase& planned, const RunnerOptions& options,
                                         const std::filesystem::path& scratch) {
    std::vector<std::string> arguments = {
        options.program.string(), "probe", planned.the_case.probe, "--json", "--scratch", scratch.string()};
    if (options.quick) arguments.emplace_back("--quick");
    if (const std::optional<std::uint64_t> seed = fresh_seed(planned.the_case)) {
        arguments.emplace_back("--seed");
        arguments.push_back(fmt::format("{}", *seed));
    }
    for (const std::filesystem::path& path : options.allow_destroy) {
        if (!names_as_target(planned.the_case, path)) continue;
        arguments.emplace_back("--allow-destroy");
        arguments.push_back(path.string());
    }
    for (const auto& [name, value] : planned.the_case.parameters) {
        arguments.emplace_back("--set");
        arguments.push_back(fmt::format("{}={}", name, value));
    }
    return arguments;
}

class Runner {
  public:
    Runner(const Plan& plan, const std::vector<Outcome>& done, JournalWriter& journal,
           const RunnerOptions& options)
        : plan_(plan), done_(done), journal_(journal), options_(options) {}

    bool run() {
        if (will_write(plan_, done_)) shared_ = make_shared_file(options_.scratch, options_.keep_files);
        for (std::size_t i = 0; i < plan_.cases.size(); ++i) {
            if (is_interrupted()) return false;
            if (holds(done_, plan_.cases[i].the_case)) continue;
            if (!run_case(i)) return false;
        }
        return true;
    }

  private:
    bool is_interrupted() const { return options_.interrupted != nullptr && *options_.interrupted; }

    void tell(RunEvent event, std::size_t index) {
        if (!options_.on_event) return;
        event.index = index;
        event.count = plan_.cases.size();
        event.planned = &plan_.cases[index];
        options_.on_event(event);
    }

    /// False when interrupted; then the case has no outcome, and a resumed run does it again.
    bool run_case(std::size_t index) {
        const PlannedCase& planned = plan_.cases[index];
        tell({.kind = RunEvent::Kind::case_started}, index);
        const std::string started_at = utc_now();
        Outcome outcome;
        double elapsed = 0;
        if (planned.skip_reason) {
            outcome = skipped(planned.the_case, *planned.skip_reason);
        } else {
            std::string last_words;
            const os::ChildExit exit = run_in_child(index, last_words);
            if (exit.interrupted) return false;
            elapsed = exit.elapsed.count();
            outcome = outcome_of_child(planned, exit, last_words);
        }
        if (outcome.started_at.empty()) {
            outcome.started_at = started_at;
            outcome.duration_seconds = elapsed;
        }
        journal_.append(outcome);
        tell({.kind = RunEvent::Kind::case_finished, .elapsed_seconds = elapsed, .outcome = &outcome}, index);
        return true;
    }

    os::ChildExit run_in_child(std::size_t index, std::string& last_words) {
        const PlannedCase& planned = plan_.cases[index];
        SteadyClock clock;
        const Nanoseconds started = clock.now();
        Progress progress;
        const auto tell_progress = [&] {
            tell({.kind = RunEvent::Kind::case_progress,
                  .stage = progress.stage,
                  .share = progress.share,
                  .elapsed_seconds = seconds_of(clock.now() - started)},
                 index);
        };
        os::ChildOptions child;
        child.time_limit = std::chrono::duration<double>(planned.time_limit_seconds);
        std::filesystem::path scratch = options_.scratch;
        if (shared_.file) {
            child.inherited.push_back(shared_.file.get());
            scratch = os::path_of(shared_.file);
        }
        child.on_error_line = [&](std::string_view line) {
            if (const std::optional<Progress> told = progress_from_line(line)) {
                progress = *told;
                tell_progress();
            } else if (!line.empty()) {
                last_words = line;
            }
        };
        child.should_stop = [&] {
            tell_progress();
            return is_interrupted();
        };
        return os::run_child(child_arguments(planned, options_, scratch), child);
    }

    const Plan& plan_;
    const std::vector<Outcome>& done_;
    JournalWriter& journal_;
    const RunnerOptions& options_;
    SharedFile shared_;
};

}  // namespace

std::string progress_line(std::string_view stage, double share) {
    return fmt::format("{}{:.3f} {}", progress_word, share, stage);
}

std::optional<Progress> progress_from_line(std::string_view line) {
    if (!line.starts_with(progress_word)) return std::nullopt;
    line.remove_prefix(progress_word.size());
    Progress progress;
    const std::from_chars_result read =
        std::from_chars(line.data(), line.data() + line.size(), progress.share);
    const std::size_t used = static_cast<std::size_t>(read.ptr - line.data());
    if (read.ec != std::errc() || !(progress.share >= 0 && progress.share <= 1)) return std::nullopt;
    if (used < line.size() && line[used] != ' ') return std::nullopt;
    if (used < line.size()) progress.stage = line.substr(used + 1);
    return progress;
}

SharedFile make_shared_file(const std::filesystem::path& folder, bool keep) {
    SharedFile shared;
    if (!keep) {
        shared.file = os::make_nameless_file(folder);
        return shared;
    }
    shared.path = folder / fmt::format("assay-{}-{}.scratch", utc_for_names(), ::getpid());
    shared.file = os::open_file(shared.path, O_RDWR | O_CREAT | O_EXCL, 0600);
    return shared;
}

bool run_plan(const Plan& plan, const std::vector<Outcome>& done, JournalWriter& journal,
              const RunnerOptions& options) {
    return Runner(plan, done, journal, options).run();
}

}  // namespace assay
