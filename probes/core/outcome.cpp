#include "probes/core/outcome.h"

#include <array>
#include <utility>

namespace assay {
namespace {

constexpr std::array<std::pair<Status, std::string_view>, 5> statuses{{
    {Status::measured, "measured"},
    {Status::skipped, "skipped"},
    {Status::failed, "failed"},
    {Status::timed_out, "timed_out"},
    {Status::crashed, "crashed"},
}};

Outcome unmeasured(const Case& the_case, Status status, std::string reason) {
    Outcome outcome;
    outcome.the_case = the_case;
    outcome.status = status;
    outcome.reason = std::move(reason);
    return outcome;
}

}  // namespace

std::string_view to_string(Status status) {
    for (const auto& [value, name] : statuses) {
        if (value == status) return name;
    }
    return "?";
}

std::optional<Status> status_from_string(std::string_view name) {
    for (const auto& [value, known] : statuses) {
        if (known == name) return value;
    }
    return std::nullopt;
}

Outcome skipped(const Case& the_case, std::string reason) {
    return unmeasured(the_case, Status::skipped, std::move(reason));
}

Outcome failed(const Case& the_case, std::string reason) {
    return unmeasured(the_case, Status::failed, std::move(reason));
}

}  // namespace assay
