#include "reports/telemetry_text.h"

#include <optional>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "probes/core/telemetry_series.h"
#include "reports/texts.h"

namespace assay {

namespace {

std::string clock_words(const ClockLimits& limits, Language language) {
    std::vector<std::string> words;
    for (const auto& [reason, share] : limits.reasons) {
        const std::optional<std::string_view> known = find_phrase(language, "throttle." + reason);
        words.push_back(phrase_with(language, "telemetry.reason_share", known.value_or(reason),
                                    fmt::format("{:.0f} %", share * 100)));
    }
    std::string text =
        words.empty() ? std::string(phrase(language, "telemetry.free"))
                      : phrase_with(language, "telemetry.held_down",
                                    fmt::format("{}", fmt::join(words, phrase(language, "list_separator"))));
    if (limits.power_limit_lowered()) {
        text += " · " + phrase_with(language, "telemetry.lowered",
                                    format_quantity(*limits.power_limit, Unit::watt, language),
                                    format_quantity(*limits.default_power_limit, Unit::watt, language));
    }
    return text;
}

}  // namespace

std::string telemetry_line(const Outcome& outcome, Language language) {
    std::vector<std::string> parts;
    // Means of the time in which samples were taken: a card that waits for its data idles.
    const std::vector<Interval> measuring = measuring_spans(outcome.telemetry);
    const auto told = [&](double value, Unit unit) { return format_quantity(value, unit, language); };
    if (const TelemetrySeries* power = find_series(outcome.telemetry, "power")) {
        parts.push_back(phrase_with(language, "telemetry.power_line",
                                    told(mean_over_time(*power, measuring), Unit::watt),
                                    told(greatest_value(*power), Unit::watt)));
    }
    for (const std::string_view name : {"temperature", "memory_temperature"}) {
        if (const TelemetrySeries* heat = find_series(outcome.telemetry, name))
            parts.push_back(phrase_with(language, fmt::format("telemetry.{}_line", name),
                                        told(greatest_value(*heat), Unit::celsius)));
    }
    if (const TelemetrySeries* clock = find_series(outcome.telemetry, "clock")) {
        parts.push_back(phrase_with(language, "telemetry.clock_line",
                                    told(mean_over_time(*clock, measuring), Unit::hertz)));
    }
    if (const std::optional<ClockLimits> limits = clock_limits(outcome.telemetry))
        parts.push_back(clock_words(*limits, language));
    return fmt::format("{}", fmt::join(parts, " · "));
}

}  // namespace assay
