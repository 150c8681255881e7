#include "probes/core/lasting_load.h"

#include <array>
#include <cmath>
#include <vector>

#include <fmt/format.h>

#include "probes/core/statistics.h"
#include "probes/core/telemetry_series.h"

namespace assay {

namespace {

struct Xid {
    int number;
    std::string_view meaning;
};
// As NVIDIA's list of Xid errors describes them; those that a buyer may meet.
constexpr std::array<Xid, 15> xids{{
    {13, "exception in the graphics engine"},
    {31, "page fault of a kernel"},
    {43, "the GPU stopped a program"},
    {45, "a program was cleaned up"},
    {48, "double-bit error of the memory"},
    {62, "the microcontroller halted"},
    {63, "a row or page of the memory was replaced"},
    {64, "a row or page of the memory could not be replaced"},
    {74, "error of NVLink"},
    {79, "the GPU has fallen off the bus"},
    {92, "many single-bit errors of the memory"},
    {94, "contained error of the memory"},
    {95, "uncontained error of the memory"},
    {119, "the GPU's firmware does not answer"},
    {120, "error of the GPU's firmware"},
}};

std::string xids_in_words(const TelemetrySeries& series) {
    std::string words;
    for (const SeriesPoint& point : series.points) {
        std::string one = fmt::format("Xid {:.0f}", point.value);
        for (const Xid& known : xids)
            if (known.number == point.value) one += fmt::format(" ({})", known.meaning);
        words += (words.empty() ? "" : ", ") + fmt::format("{} after {:.1f} s", one, point.at);
    }
    return words;
}

void check_memory(Outcome& outcome) {
    const TelemetrySeries* const errors = find_series(outcome.telemetry, "ecc_uncorrected");
    if (errors == nullptr) return;
    const double before = errors->points.front().value, after = errors->points.back().value;
    outcome.checks.push_back(
        {"no uncorrected error of the device's memory",
         after <= before,
         {},
         after <= before ? "" : fmt::format("its ECC counted {:.0f} while the case ran", after - before)});
    const TelemetrySeries* const corrected = find_series(outcome.telemetry, "ecc_corrected");
    if (corrected == nullptr || corrected->points.back().value <= corrected->points.front().value) return;
    outcome.notes.push_back(
        fmt::format("the device's ECC corrected {:.0f} errors of its memory while the case ran",
                    corrected->points.back().value - corrected->points.front().value));
}

void check_driver(Outcome& outcome) {
    const TelemetrySeries* const told = find_series(outcome.telemetry, "xid");
    if (told == nullptr) return;
    const std::string words = xids_in_words(*told);
    outcome.checks.push_back({"no critical error of the driver", false, {}, words});
    // Why the case broke off.
    if (outcome.status == Status::failed) outcome.reason += "; the driver reported " + words;
}

void note_limits(Outcome& outcome, const std::optional<ClockLimits>& limits) {
    const std::string words = limits ? limits->in_words() : "";
    if (!words.empty()) outcome.notes.push_back("what limited the device's clock: " + words);
}

std::vector<double> first_third(const std::vector<SeriesPoint>& series) {
    const double end = series.front().at + (series.back().at - series.front().at) / 3;
    std::vector<double> values;
    for (const SeriesPoint& point : series)
        if (point.at <= end) values.push_back(point.value);
    return values;
}

}  // namespace

void judge_telemetry(Outcome& outcome) {
    if (outcome.telemetry.empty()) return;
    const std::optional<ClockLimits> limits = clock_limits(outcome.telemetry);
    if (limits) outcome.conditions.device_throttled = limits->hindered;
    note_limits(outcome, limits);
    check_memory(outcome);
    check_driver(outcome);
}

void note_falls(Outcome& outcome) {
    constexpr double fall_that_matters = 0.03;
    constexpr std::size_t fewest_samples = 9;
    for (const Metric& metric : outcome.metrics) {
        const Summary& summary = metric.summary;
        if (!summary.sustained || !summary.sustained_ci95 || metric.direction == Direction::none) continue;
        if (metric.series.size() < fewest_samples || metric.series.size() != summary.samples) continue;
        const std::vector<double> first = first_third(metric.series);
        if (first.size() < 2) continue;
        const double before = mean_of(first);
        if (!(before > 0)) continue;
        const bool higher = metric.direction == Direction::higher;
        const double fall = higher ? 1 - *summary.sustained / before : *summary.sustained / before - 1;
        const Interval scatter = mean_interval(first);
        const bool apart =
            higher ? summary.sustained_ci95->high < scatter.low : summary.sustained_ci95->low > scatter.high;
        if (fall <= fall_that_matters || !apart) continue;
        const std::optional<ClockLimits> limits =
            clock_limits(outcome.telemetry, last_third(measuring_spans(outcome.telemetry)));
        std::string why = limits ? limits->in_words() : "";
        if (why.empty()) why = "no throttle reason was told";
        if (const TelemetrySeries* heat = find_series(outcome.telemetry, "temperature"))
            why += fmt::format("; {:.0f} °C at first, {:.0f} °C at most", heat->points.front().value,
                               greatest_value(*heat));
        outcome.notes.push_back(
            fmt::format("{} fell under lasting load: its last third is {:.1f} % worse "
                        "than its first ({})",
                        metric.name, fall * 100, why));
    }
}

}  // namespace assay
