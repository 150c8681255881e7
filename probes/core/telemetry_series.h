#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "probes/core/metric.h"
#include "probes/core/unit.h"

namespace assay {

/// One thing that a device told of itself while a case ran: "power", "power_limit", "default_power_limit"
/// (watt), "temperature", "memory_temperature" (celsius), "clock", "maximum_clock", "memory_clock" (hertz),
/// "utilisation" (ratio), "memory_used" (byte), "ecc_corrected", "ecc_uncorrected" (count, since the driver
/// was loaded), "xid" (count: the critical error's number) and "throttled" (ratio: 1 while the clock was held
/// down). "measuring" (ratio: 1 while samples were taken) is assay's own, so that idling beside them thins
/// nothing out.
struct TelemetrySeries {
    std::string name;
    Unit unit = Unit::count;
    /// Seconds since the case began. A value holds from the point before to its own; points between equal
    /// ones are left out.
    std::vector<SeriesPoint> points;
    /// Of "throttled": what held the clock down; empty: anything at all, told by whoever tells reasons.
    std::string reason = {};
};

/// The series of that name (and without a reason); null when the device told none.
const TelemetrySeries* find_series(const std::vector<TelemetrySeries>& telemetry, std::string_view name);

/// Mean over the time `within`; of a series that tells nothing of it its last value.
double mean_over_time(const TelemetrySeries& series, const std::vector<Interval>& within);
double greatest_value(const TelemetrySeries& series);

/// The series "measuring" of these spans, in seconds since the case began, in order.
TelemetrySeries measuring_series(const std::vector<Interval>& spans);
/// The spans in which samples were taken: of a case that told none, all of its time.
std::vector<Interval> measuring_spans(const std::vector<TelemetrySeries>& telemetry);
/// What of them lies in the last third of the time from their begin to their end.
std::vector<Interval> last_third(const std::vector<Interval>& spans);

/// What held a device's clock down in some spans of the time.
struct ClockLimits {
    std::vector<std::pair<std::string, double>> reasons;  ///< with their share of the time, most first
    double held_down = 0;                                 ///< share of the time with any reason
    /// The same without the power limit that the card comes with: drawing all that it may is how a card is
    /// meant to run, and its datasheet's figures hold at that limit.
    double hindered = 0;
    std::vector<Interval> hindered_spans;       ///< of the whole case, in seconds since it began
    std::optional<double> power_limit;          ///< watt, the least while the case ran
    std::optional<double> default_power_limit;  ///< watt
    bool power_limit_lowered() const;           ///< below the one that the card comes with
    /// "software power cap (97 % of the time), power limit 500 W of 700 W"; empty: the clock was free.
    std::string in_words() const;
};
/// Of the time in which samples were taken. Nothing where the device tells no reasons.
std::optional<ClockLimits> clock_limits(const std::vector<TelemetrySeries>& telemetry);
/// Of these spans of the time.
std::optional<ClockLimits> clock_limits(const std::vector<TelemetrySeries>& telemetry,
                                        const std::vector<Interval>& within);

}  // namespace assay
