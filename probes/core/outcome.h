#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "probes/core/case.h"
#include "probes/core/metric.h"
#include "probes/core/telemetry_series.h"

namespace assay {

/// What became of a case. Probes report measured, skipped and failed; the runner adds the other two.
enum class Status { measured, skipped, failed, timed_out, crashed };
std::string_view to_string(Status status);
std::optional<Status> status_from_string(std::string_view name);

/// Something that must hold for the figures to be worth anything: the result against its reference, bytes
/// against the device's own counter.
struct Check {
    std::string name;
    bool passed = false;
    std::optional<double> error;  ///< how far off, where that is a number
    std::string detail;           ///< "largest relative error 3e-7, allowed 1e-5"
};

/// What else the machine was doing around a case; absent where the system does not tell. Shares are 0..1.
struct Conditions {
    std::optional<double> cpu_steal;  ///< share of CPU time taken by the hypervisor
    std::optional<double>
        pressure;  ///< share of time in which others' tasks stalled for CPU, memory or I/O (PSI), the worst
    std::optional<double>
        throttled;  ///< share of periods in which the cgroup's CPU quota or the CPU's heat throttled us
    std::optional<double>
        foreign_io;  ///< bytes that others moved on block devices, as a share of all bytes moved
    std::optional<double> foreign_cpu;  ///< CPU time that other processes used, as a share of the machine's
    /// Share of the time in which something held the clock of the case's device down, but for the power limit
    /// that it comes with.
    std::optional<double> device_throttled = {};
};

struct Outcome {
    Case the_case;
    std::map<std::string, std::string>
        resolved;  ///< what was settled at run time: isa, engine, flags, threads
    Status status = Status::measured;
    std::string reason;  ///< why it is not measured; empty when measured
    std::vector<Metric> metrics;
    std::vector<Check> checks;
    Conditions conditions;
    std::vector<TelemetrySeries> telemetry;  ///< what the case's device told of itself; empty: nothing
    std::vector<std::string> notes;          ///< method, and whatever a reader must know
    std::string started_at;                  ///< ISO 8601, UTC
    double duration_seconds = 0;
};

/// Shorthand for a case that cannot be run here; probes return it.
Outcome skipped(const Case& the_case, std::string reason);
/// Shorthand for a case whose figures are worth nothing.
Outcome failed(const Case& the_case, std::string reason);

}  // namespace assay
