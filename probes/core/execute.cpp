#include <cmath>
#include <ctime>
#include <exception>
#include <new>
#include <optional>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "kernels/device/accelerator.h"
#include "probes/core/device_watch.h"
#include "probes/core/lasting_load.h"
#include "probes/core/os/conditions.h"
#include "probes/core/probe.h"

namespace assay {
namespace {

std::string utc_now() {
    timespec time{};
    ::clock_gettime(CLOCK_REALTIME, &time);
    std::tm parts{};
    ::gmtime_r(&time.tv_sec, &parts);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", parts.tm_year + 1900, parts.tm_mon + 1,
                       parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, time.tv_nsec / 1'000'000);
}

/// Runs the probe and turns whatever it throws into an outcome. The one place where a case's exceptions end.
Outcome run_caught(const Probe& probe, const Case& the_case, Context& context) {
    try {
        return probe.run(the_case, context);
    } catch (const std::bad_alloc&) {
        return failed(the_case, "out of memory: an allocation was refused");
    } catch (const std::exception& error) {
        return failed(the_case, error.what());
    } catch (...) {
        return failed(the_case, "an exception of unknown type was thrown");
    }
}

/// The first thing that is wrong with a measured outcome; empty when all is well.
std::string objection(const Probe& probe, const Outcome& outcome) {
    for (const Check& check : outcome.checks) {
        if (check.passed) continue;
        return fmt::format("check failed: {}{}{}", check.name, check.detail.empty() ? "" : ": ",
                           check.detail);
    }
    for (const Metric& metric : outcome.metrics) {
        bool declared = false;
        for (const MetricDeclaration& declaration : probe.metrics) {
            declared =
                declared || (declaration.name == metric.name && comparable(declaration.unit, metric.unit));
        }
        if (!declared) {
            return fmt::format("the probe reported {} in {}, which it does not declare", metric.name,
                               to_string(metric.unit));
        }
        const bool is_number = metric.unit != Unit::version && metric.unit != Unit::text;
        if (is_number && !std::isfinite(metric.value)) {
            return fmt::format("{} is not a finite number", metric.name);
        }
    }
    return {};
}

/// The id in the case's `device` parameter; empty where the probe has none.
std::string device_of(const Probe& probe, const Case& the_case) {
    for (const Parameter& parameter : probe.parameters) {
        if (parameter.kind == ParameterKind::device && parameter.name == "device")
            return the_case.text("device");
    }
    return {};
}

/// Runs the probe with its device watched.
Outcome run_watched(const Probe& probe, const Case& the_case, Context& context) {
    Accelerator* const accelerator = context.device != nullptr ? context.device->accelerator() : nullptr;
    if (accelerator == nullptr) return run_caught(probe, the_case, context);
    Telemetry* telemetry = nullptr;
    std::optional<DeviceWatch> watch;
    std::string unwatched;
    try {
        telemetry = accelerator->telemetry();
        if (telemetry != nullptr) watch.emplace(*telemetry);
    } catch (const std::exception& error) {
        unwatched = fmt::format("no telemetry: {}", error.what());
    }
    std::vector<Interval> measuring;
    const std::function<SampleSet(const SamplingPolicy&, const std::function<double()>&)> take_samples =
        context.sample;
    if (watch) {
        context.sample = [&](const SamplingPolicy& policy, const std::function<double()>& take) {
            const double from = watch->seconds();
            SampleSet set = take_samples(policy, take);
            measuring.push_back({from, watch->seconds()});
            return set;
        };
    }
    Outcome outcome = run_caught(probe, the_case, context);
    context.sample = take_samples;
    if (outcome.status == Status::skipped) return outcome;
    if (watch) {
        outcome.telemetry = watch->finish();
        if (!measuring.empty()) outcome.telemetry.push_back(measuring_series(measuring));
        outcome.resolved["telemetry"] = telemetry->source();
        if (const std::string remark = telemetry->remark(); !remark.empty()) outcome.notes.push_back(remark);
    } else if (!unwatched.empty()) {
        outcome.notes.push_back(unwatched);
    } else if (accelerator->is_card()) {
        const std::variant<std::unique_ptr<Telemetry>, Absent> found = find_telemetry(accelerator->info());
        if (const Absent* absent = std::get_if<Absent>(&found)) outcome.notes.push_back(absent->reason);
    }
    return outcome;
}

}  // namespace

Outcome execute(const Probe& probe, const Case& the_case, Context& context) {
    // A copy, so that the caller's context never points at a device that is gone.
    Context own = context;
    if (!own.sample) {
        own.sample = [&own](const SamplingPolicy& policy, const std::function<double()>& take) {
            return sample(policy, own.clock, take);
        };
    }
    if (!own.progress) own.progress = [](std::string_view, double) {};

    const std::string started_at = utc_now();
    const Nanoseconds started = own.clock.now();
    os::ConditionsWatch watch;

    std::unique_ptr<Device> device;
    std::string absent = refused_device(probe, the_case);
    std::string broken;
    const std::string device_id = device_of(probe, the_case);
    if (absent.empty() && !device_id.empty() && own.device == nullptr) {
        try {
            std::variant<std::unique_ptr<Device>, Absent> opened = open_device(device_id);
            if (Absent* reason = std::get_if<Absent>(&opened)) {
                absent =
                    reason->reason.empty() ? fmt::format("{} is not present", device_id) : reason->reason;
            } else {
                device = std::move(std::get<std::unique_ptr<Device>>(opened));
                own.device = device.get();
            }
        } catch (const std::exception& error) {
            broken = fmt::format("{} could not be opened: {}", device_id, error.what());
        }
    }

    Outcome outcome = !broken.empty()   ? failed(the_case, broken)
                      : !absent.empty() ? skipped(the_case, absent)
                                        : run_watched(probe, the_case, own);
    outcome.the_case = the_case;
    outcome.conditions = watch.finish();
    judge_telemetry(outcome);
    if (own.device != nullptr && own.device->accelerator() != nullptr) {
        note_falls(outcome);
        // A run draws one for each such case; with it the case can be measured again as it was.
        outcome.resolved["seed"] = fmt::format("{}", own.seed);
    }
    if (outcome.status == Status::measured) {
        const std::string wrong = objection(probe, outcome);
        if (!wrong.empty()) {
            outcome.status = Status::failed;
            outcome.reason = wrong;
        }
    }
    for (Metric& metric : outcome.metrics) {
        // What the probe set itself stands: insert() keeps an axis of the same name.
        metric.labels.insert(the_case.parameters.begin(), the_case.parameters.end());
    }
    outcome.started_at = started_at;
    outcome.duration_seconds = seconds_of(own.clock.now() - started);
    return outcome;
}

}  // namespace assay
