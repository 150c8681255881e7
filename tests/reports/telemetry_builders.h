#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "tests/reports/outcome_builders.h"

// A card under lasting load.
namespace assay::building {

/// Telemetry of a card that draws its 700 W, grows hot within two minutes and slows down by heat from second
/// 80 to 130, read twice a second.
inline std::vector<TelemetrySeries> heated_card() {
    TelemetrySeries power{"power", Unit::watt, {}}, temperature{"temperature", Unit::celsius, {}},
        memory{"memory_temperature", Unit::celsius, {}}, clock{"clock", Unit::hertz, {}},
        power_cap{"throttled", Unit::ratio, {}, "software power cap"},
        heat{"throttled", Unit::ratio, {}, "software thermal slowdown"}, any{"throttled", Unit::ratio, {}};
    for (int i = 0; i <= 300; ++i) {
        const double at = i * 0.5, swing = std::sin(at * 2.3);
        const bool busy = at > 4, slowed = at > 80 && at <= 130;
        power.points.push_back({at, busy ? (slowed ? 610 : 694) + 4 * swing : 74 + swing});
        temperature.points.push_back({at, busy ? std::round(88 - 50 * std::exp(-at / 30)) : 38});
        memory.points.push_back({at, busy ? std::round(95 - 50 * std::exp(-at / 40)) : 45});
        clock.points.push_back({at, busy ? (slowed ? 1.35e9 : 1.74e9) + 1.5e7 * swing : 1.98e9});
        power_cap.points.push_back({at, busy && !slowed ? 1.0 : 0.0});
        heat.points.push_back({at, slowed ? 1.0 : 0.0});
        any.points.push_back({at, busy ? 1.0 : 0.0});
    }
    const TelemetrySeries limit{"power_limit", Unit::watt, {{0, 700}, {150, 700}}};
    const TelemetrySeries own{"default_power_limit", Unit::watt, {{0, 700}, {150, 700}}};
    const TelemetrySeries highest{"maximum_clock", Unit::hertz, {{0, 1.98e9}, {150, 1.98e9}}};
    return {power, limit, own, temperature, memory, clock, highest, any, power_cap, heat};
}

/// A product on that card.
inline Outcome heated_product() {
    Outcome outcome =
        outcome_of("gemm.throughput", {{"device", "cuda:0"}, {"precision", "bf16"}, {"n", "8192"}});
    outcome.duration_seconds = 150;
    Metric metric = sampled("gemm.throughput", 690e12, Interval{685e12, 695e12}, {}, Unit::flop_per_second);
    for (int i = 0; i < 140; ++i) {
        metric.series.push_back(
            {i + 1.0, (i >= 76 && i < 126 ? 560e12 : 700e12) * (1 + 0.004 * std::sin(i))});
        metric.samples.push_back(metric.series.back().value);
    }
    metric.summary.sustained = 577e12;
    outcome.metrics = {metric};
    outcome.telemetry = heated_card();
    outcome.conditions.device_throttled = 1.0 / 3;
    return outcome;
}

}  // namespace assay::building
