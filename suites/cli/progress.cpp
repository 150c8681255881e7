#include "suites/cli/progress.h"

#include <cmath>
#include <cstdio>

#include <fmt/format.h>

namespace assay::cli {
namespace {

std::string short_seconds(double seconds) {
    return fmt::format("{:.0f} s", std::ceil(seconds));
}

/// Where the case stands in the plan: "[ 3/12]".
std::string place(const RunEvent& event) {
    const std::string count = fmt::format("{}", event.count);
    return fmt::format("[{:>{}}/{}]", event.index + 1, count.size(), count);
}

/// `told` is the reason of the last case that was skipped: many often share it.
std::string finished_line(const RunEvent& event, const std::string& name, const std::string& told) {
    const Outcome& outcome = *event.outcome;
    const std::string head = fmt::format("{} {}: {}", place(event), name, to_string(outcome.status));
    if (outcome.status == Status::skipped)
        return fmt::format("{}: {}", head, outcome.reason == told ? "as before" : outcome.reason);
    if (outcome.reason.empty()) return fmt::format("{}, {:.1f} s", head, event.elapsed_seconds);
    return fmt::format("{} after {:.1f} s: {}", head, event.elapsed_seconds, outcome.reason);
}

std::vector<SuiteCase> cases_of(const Plan& plan) {
    std::vector<SuiteCase> cases;
    for (const PlannedCase& planned : plan.cases) cases.push_back({planned.the_case, planned.required});
    return cases;
}

}  // namespace

std::string about(double seconds) {
    if (seconds < 120) return fmt::format("about {}", short_seconds(seconds));
    return fmt::format("about {:.0f} min", std::ceil(seconds / 60));
}

ProgressView::ProgressView(const Plan& plan, ErrorStream stream)
    : names_(cases_of(plan), {}), stream_(stream) {}

void ProgressView::clear_line() {
    if (!drawn_) return;
    fmt::print(stderr, "\r\033[K");
    std::fflush(stderr);
    drawn_ = false;
}

void ProgressView::draw(const std::string& text) {
    fmt::print(stderr, "\r\033[K{}", cut_to(text, stream_.columns - 1));
    std::fflush(stderr);
    drawn_ = true;
}

void ProgressView::line(const std::string& text) {
    clear_line();
    print_error_line(text);
}

void ProgressView::show(const RunEvent& event) {
    const std::string name = names_(event.planned->the_case);
    switch (event.kind) {
        case RunEvent::Kind::case_started:
            if (event.planned->skip_reason) return;
            if (stream_.live)
                draw(fmt::format("{} {}", place(event), name));
            else
                line(fmt::format("{} {}: {}", place(event), name, about(event.planned->expected_seconds)));
            return;
        case RunEvent::Kind::case_progress:
            if (!stream_.live) return;
            draw(fmt::format("{} {}  {} of {}{}", place(event), name, short_seconds(event.elapsed_seconds),
                             about(event.planned->expected_seconds),
                             event.stage.empty() ? "" : fmt::format("  {}", event.stage)));
            return;
        case RunEvent::Kind::case_finished:
            line(finished_line(event, name, last_skip_));
            if (event.outcome->status == Status::skipped) last_skip_ = event.outcome->reason;
            return;
    }
}

}  // namespace assay::cli
