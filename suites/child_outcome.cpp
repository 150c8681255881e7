#include <csignal>
#include <cstring>

#include <fmt/format.h>

#include "suites/journal_json.h"
#include "suites/runner.h"

namespace assay {
namespace {

// The exit codes of `assay probe`.
constexpr int exit_measured = 0, exit_failed = 1, exit_unusable_input = 2, exit_skipped = 3;

std::string signal_name(int number) {
    const char* const abbreviation = ::sigabbrev_np(number);
    const char* const description = ::sigdescr_np(number);
    if (abbreviation == nullptr || description == nullptr) return fmt::format("signal {}", number);
    return fmt::format("SIG{} ({})", abbreviation, description);
}

/// The first bytes of what a child printed, as they may stand in a reason.
std::string quoted_start(const std::string& output) {
    constexpr std::size_t most = 60;
    std::string text = "\"";
    for (const char character : output.substr(0, most)) {
        const unsigned char byte = static_cast<unsigned char>(character);
        if (character == '\n')
            text += "\\n";
        else if (character == '"' || character == '\\')
            text += std::string("\\") + character;
        else if (byte < 0x20 || byte >= 0x7f)
            text += fmt::format("\\x{:02x}", byte);
        else
            text += character;
    }
    return text + (output.size() > most ? "...\"" : "\"");
}

std::string with_last_words(std::string reason, const std::string& last_words) {
    return last_words.empty() ? reason : fmt::format("{}; it said last: {}", reason, last_words);
}

int expected_exit_code(Status status) {
    switch (status) {
        case Status::measured:
            return exit_measured;
        case Status::skipped:
            return exit_skipped;
        case Status::failed:
        case Status::timed_out:
        case Status::crashed:
            return exit_failed;
    }
    return exit_failed;
}

Outcome without_figures(const PlannedCase& planned, Status status, std::string reason) {
    Outcome outcome;
    outcome.the_case = planned.the_case;
    outcome.status = status;
    outcome.reason = std::move(reason);
    return outcome;
}

Outcome printed_outcome(const PlannedCase& planned, const os::ChildExit& exit,
                        const std::string& last_words) {
    const auto unreadable = [&](const std::string& why) {
        return without_figures(planned, Status::crashed,
                               with_last_words("its output is unreadable: " + why, last_words));
    };
    if (exit.output_truncated)
        return unreadable(fmt::format("more than {} bytes, beginning with {}", exit.output.size(),
                                      quoted_start(exit.output)));
    if (exit.output.empty())
        return unreadable(fmt::format("it exited with {} and printed nothing", exit.exit_code));
    Outcome outcome;
    try {
        outcome = outcome_from_line(exit.output);
    } catch (const InputError&) {
        return unreadable(fmt::format("it exited with {} and printed {}, which is no outcome", exit.exit_code,
                                      quoted_start(exit.output)));
    }
    if (!(outcome.the_case == planned.the_case))
        return unreadable(fmt::format("it is the outcome of another case, {}", case_name(outcome.the_case)));
    if (exit.exit_code != expected_exit_code(outcome.status))
        return unreadable(
            fmt::format("it says {} but exited with {}", to_string(outcome.status), exit.exit_code));
    return outcome;
}

}  // namespace

Outcome outcome_of_child(const PlannedCase& planned, const os::ChildExit& exit,
                         const std::string& last_words) {
    if (exit.timed_out)
        return without_figures(planned, Status::timed_out,
                               with_last_words(fmt::format("no result within {:g} s, the case's time limit",
                                                           planned.time_limit_seconds),
                                               last_words));
    if (exit.out_of_memory)
        return without_figures(
            planned, Status::crashed,
            fmt::format("ended by the kernel's out-of-memory killer while it used {:.0f} MiB",
                        static_cast<double>(exit.peak_memory_bytes) / (1 << 20)));
    if (exit.signal != 0)
        return without_figures(planned, Status::crashed,
                               with_last_words("ended by signal " + signal_name(exit.signal), last_words));
    if (exit.exit_code == exit_unusable_input && exit.output.empty())
        return without_figures(
            planned, Status::failed,
            last_words.empty() ? "its input was refused" : "its input was refused: " + last_words);
    return printed_outcome(planned, exit, last_words);
}

}  // namespace assay
