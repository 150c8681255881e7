#include "reports/disturbance.h"

#include <array>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "probes/core/telemetry_series.h"

namespace assay {

namespace {

struct ConditionLimit {
    std::optional<double> Conditions::*share;
    double limit;
    std::string_view probes;  ///< only probes whose name begins so; empty: all
    std::string_view id;
    std::string_view what;  ///< "... % of <what>"
};

// The sampler narrows an interval to 1 % of its figure, and two runs on a quiet machine agree within 2 %. A
// condition that can move a figure by several times that makes the interval a statement about something else.
//   cpu_steal    takes its share off every figure that the CPU makes: 5 % is five widths of the interval.
//   throttled    the same, but in whole periods, and it means that the clock was not the machine's own.
//   device_throttled  as much of the device's time with its clock held down by heat, a lowered power limit or
//                the like. The power limit that a card comes with is left out: its datasheet holds there.
//   foreign_cpu  other processes first fill idle CPUs and only then take ours: twice as much is let through.
//   pressure     time in which tasks waited, not work that was lost; some of it is ordinary on a busy system.
//   foreign_io   shares the device with us, so it takes its share off storage figures and off nothing else.
constexpr std::array<ConditionLimit, 6> limits{{
    {&Conditions::cpu_steal, 0.05, "", "cpu_steal", "the CPU time went to the hypervisor"},
    {&Conditions::throttled, 0.05, "", "throttled", "the time the CPU was throttled"},
    {&Conditions::device_throttled, 0.05, "", "device_throttled",
     "the time the device's clock was held down"},
    {&Conditions::foreign_cpu, 0.10, "", "foreign_cpu", "the machine's CPU time went to other processes"},
    {&Conditions::pressure, 0.20, "", "pressure", "the time other tasks were stalled for CPU, memory or I/O"},
    {&Conditions::foreign_io, 0.05, "storage.", "foreign_io", "the bytes on the disks were moved by others"},
}};

}  // namespace

std::optional<Disturbance> disturbance_of(const Outcome& outcome) {
    for (const ConditionLimit& limit : limits) {
        if (!outcome.the_case.probe.starts_with(limit.probes)) continue;
        const std::optional<double>& share = outcome.conditions.*limit.share;
        if (!share || *share <= limit.limit) continue;
        std::string reason = fmt::format("{:.1f} % of {}; up to {:.0f} % is accepted", *share * 100,
                                         limit.what, limit.limit * 100);
        if (limit.share == &Conditions::device_throttled) {
            const std::optional<ClockLimits> limits_told = clock_limits(outcome.telemetry);
            if (limits_told) reason += ": " + limits_told->in_words();
        }
        return Disturbance{std::move(reason), std::string(limit.id)};
    }
    return std::nullopt;
}

std::string clock_remark(const Outcome& outcome) {
    const std::optional<ClockLimits> limits_told = clock_limits(outcome.telemetry);
    const std::string words = limits_told ? limits_told->in_words() : "";
    return words.empty() ? "" : "the device's clock was limited: " + words;
}

}  // namespace assay
