#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "reports/texts.h"

namespace assay {

namespace {

constexpr int usual_digits = 3;
constexpr int most_digits = 9;
constexpr std::string_view no_value = "–";

std::string grouped(std::int64_t value) {
    std::string digits = std::to_string(value);
    const std::size_t first = value < 0 ? 1 : 0;
    for (std::size_t at = digits.size(); at > first + 3;) digits.insert(at -= 3, ",");
    return digits;
}

/// Decimals after the point that give `digits` significant ones.
int decimals_for(double value, int digits) {
    if (value == 0) return 0;
    const int exponent = static_cast<int>(std::floor(std::log10(std::abs(value))));
    int decimals = std::max(0, digits - 1 - exponent);
    // 9.996 has two decimals by its own exponent, but rounds to 10.0.
    const double step = std::pow(10.0, -decimals);
    const double rounded = std::round(value / step) * step;
    if (decimals > 0 && std::abs(rounded) >= std::pow(10.0, exponent + 1) * (1 - 1e-12)) --decimals;
    return decimals;
}

/// One value in a scale that is chosen already.
std::string significant(double scaled, Unit unit, int digits) {
    if (unit == Unit::count && std::abs(scaled) < 1e15 && scaled == std::round(scaled)) {
        return grouped(static_cast<std::int64_t>(scaled));
    }
    if (scaled != 0 && std::abs(scaled) < 1e-3) return fmt::format("{:.{}e}", scaled, digits - 1);
    if (std::abs(scaled) >= 1e7) return fmt::format("{:.{}e}", scaled, digits - 1);
    return fmt::format("{:.{}f}", scaled, decimals_for(scaled, digits));
}

/// A bound's own digits: chosen by people, so as short as it is exact.
std::string shortest(double scaled, Unit unit) {
    if (unit == Unit::count) return significant(scaled, unit, usual_digits);
    const double tidy = std::stod(fmt::format("{:.9g}", scaled));
    if (tidy != 0 && (std::abs(tidy) < 1e-3 || std::abs(tidy) >= 1e7)) return fmt::format("{:g}", tidy);
    std::string text = fmt::format("{:.9f}", tidy);
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
    return text;
}

std::string with_unit(std::string number, const QuantityScale& scale) {
    return scale.unit.empty() ? number : number + " " + scale.unit;
}

bool is_textual(Unit unit) {
    return unit == Unit::version || unit == Unit::text;
}

std::string_view sign_of(Comparison comparison) {
    switch (comparison) {
        case Comparison::at_least:
            return "≥ ";
        case Comparison::above:
            return "> ";
        case Comparison::at_most:
            return "≤ ";
        case Comparison::below:
            return "< ";
        case Comparison::equals:
            return "= ";
        case Comparison::between:
            return "";
    }
    return "";
}

/// Whether a number meets the bound; both already in one scale. Dividing by a scale leaves rounding errors.
bool meets(const Bound& bound, double value, double factor) {
    const double low = bound.low / factor;
    const double high = bound.high / factor;
    const auto same = [](double left, double right) {
        return std::abs(left - right) <= 1e-12 * std::max(std::abs(left), std::abs(right));
    };
    switch (bound.comparison) {
        case Comparison::at_least:
            return value > low || same(value, low);
        case Comparison::above:
            return value > low && !same(value, low);
        case Comparison::at_most:
            return value < low || same(value, low);
        case Comparison::below:
            return value < low && !same(value, low);
        case Comparison::equals:
            return same(value, low);
        case Comparison::between:
            return (value > low || same(value, low)) && (value < high || same(value, high));
    }
    return false;
}

double magnitude_of(const Bound& bound) {
    return bound.comparison == Comparison::between ? std::max(std::abs(bound.low), std::abs(bound.high))
                                                   : std::abs(bound.low);
}

/// The bound's scale where the value reads well in it, else the value's own.
QuantityScale scale_beside(double value, const Requirement& requirement, Language language) {
    const QuantityScale of_bound = scale_for(magnitude_of(requirement.bound), requirement.unit, language);
    const double scaled = std::abs(value) / of_bound.factor;
    if (value == 0 || (scaled >= 0.1 && scaled < 10000)) return of_bound;
    return scale_for(value, requirement.unit, language);
}

std::string interval_in(const Interval& interval, const QuantityScale& scale, Unit unit) {
    const double low = interval.low / scale.factor;
    const double high = interval.high / scale.factor;
    if (!std::isfinite(low) || !std::isfinite(high) || low > high) return std::string(no_value);
    const double largest = std::max(std::abs(low), std::abs(high));
    if (low == high || (unit == Unit::count && low == std::round(low) && high == std::round(high))) {
        const std::string first = significant(low, unit, usual_digits);
        return with_unit(low == high ? first : first + "–" + significant(high, unit, usual_digits), scale);
    }
    if (largest < 1e-3 || largest >= 1e7) {
        return with_unit(significant(low, unit, usual_digits) + "–" + significant(high, unit, usual_digits),
                         scale);
    }
    // Two digits of the interval's width, unless that would be more than four of the value.
    const int of_width = 1 - static_cast<int>(std::floor(std::log10(high - low)));
    int decimals = std::clamp(of_width, decimals_for(largest, usual_digits), decimals_for(largest, 4));
    std::string first, second;
    do {
        first = fmt::format("{:.{}f}", low, decimals);
        second = fmt::format("{:.{}f}", high, decimals);
    } while (first == second && ++decimals < most_digits);
    return with_unit(first + (low < 0 ? " … " : "–") + second, scale);
}

}  // namespace

QuantityScale scale_for(double magnitude, Unit unit, Language language) {
    static const std::vector<std::pair<double, std::string_view>> times = {
        {1, "s"}, {1e-3, "ms"}, {1e-6, "µs"}, {1e-9, "ns"}};
    static const std::vector<std::pair<double, std::string_view>> symbols = {
        {1e15, "P"}, {1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e3, "k"}, {1, ""}};
    // Rounded to three digits, 999.7 is the next scale's 1.00.
    const double least = 0.9995;
    const double size = std::abs(magnitude);
    const auto prefixed = [&](std::string_view name, bool spaced) {
        for (const auto& [factor, prefix] : symbols) {
            if (size < least * factor && factor > 1) continue;
            if (prefix.empty()) return QuantityScale{factor, std::string(name)};
            if (spaced)
                return QuantityScale{factor, fmt::format("{} {}", prefix == "k" ? "K" : prefix, name)};
            return QuantityScale{factor, fmt::format("{}{}", prefix, name)};
        }
        return QuantityScale{1, std::string(name)};
    };
    switch (unit) {
        case Unit::second:
            for (const auto& [factor, name] : times) {
                if (size >= least * factor) return {factor, std::string(name)};
            }
            return size == 0 ? QuantityScale{1, "s"} : QuantityScale{1e-9, "ns"};
        case Unit::hertz:
            return prefixed("Hz", false);
        case Unit::byte:
            return prefixed("B", false);
        case Unit::bit_per_second:
            return prefixed("bit/s", false);
        case Unit::byte_per_second:
            return prefixed("B/s", false);
        case Unit::flop_per_second:
            return prefixed("FLOP/s", false);
        case Unit::operation:
            return prefixed(phrase(language, "unit.operation"), true);
        case Unit::operation_per_second:
            return prefixed(phrase(language, "unit.operation_per_second"), true);
        case Unit::token_per_second:
            return prefixed(phrase(language, "unit.token_per_second"), true);
        case Unit::request_per_second:
            return prefixed(phrase(language, "unit.request_per_second"), true);
        case Unit::watt:
            return prefixed("W", false);
        case Unit::joule:
            return prefixed("J", false);
        case Unit::byte_per_operation:
            return {1, std::string(phrase(language, "unit.byte_per_operation"))};
        case Unit::celsius:
            return {1, "°C"};
        case Unit::ratio:
        case Unit::count:
        case Unit::version:
        case Unit::text:
            return {1, ""};
    }
    return {1, ""};
}

std::string format_quantity(double value, Unit unit, Language language) {
    if (!std::isfinite(value)) return std::string(no_value);
    const QuantityScale scale = scale_for(value, unit, language);
    return with_unit(significant(value / scale.factor, unit, usual_digits), scale);
}

std::string format_interval(const Interval& interval, Unit unit, Language language) {
    const QuantityScale scale =
        scale_for(std::max(std::abs(interval.low), std::abs(interval.high)), unit, language);
    return interval_in(interval, scale, unit);
}

std::string format_bound(const Requirement& requirement, Language language) {
    const Bound& bound = requirement.bound;
    const std::string sign(sign_of(bound.comparison));
    if (is_textual(requirement.unit)) return sign + bound.text;
    const QuantityScale scale = scale_for(magnitude_of(bound), requirement.unit, language);
    const std::string low = shortest(bound.low / scale.factor, requirement.unit);
    if (bound.comparison != Comparison::between) return with_unit(sign + low, scale);
    return with_unit(low + "–" + shortest(bound.high / scale.factor, requirement.unit), scale);
}

std::string format_measured(const JudgedRequirement& judged, Language language) {
    const Requirement& requirement = judged.requirement;
    if (is_textual(requirement.unit)) {
        return judged.measured_text.empty() ? std::string(no_value) : judged.measured_text;
    }
    if (!judged.measured || !std::isfinite(*judged.measured)) return std::string(no_value);
    const QuantityScale scale = scale_beside(*judged.measured, requirement, language);
    const double scaled = *judged.measured / scale.factor;
    const bool met = meets(requirement.bound, scaled, scale.factor);
    std::string text;
    for (int digits = usual_digits; digits <= most_digits; ++digits) {
        text = significant(scaled, requirement.unit, digits);
        if (requirement.unit == Unit::count && text.find(',') != std::string::npos) break;
        if (meets(requirement.bound, std::stod(text), scale.factor) == met) break;
    }
    return with_unit(text, scale);
}

std::string format_measured_interval(const JudgedRequirement& judged, Language language) {
    if (!judged.ci95 || is_textual(judged.requirement.unit)) return "";
    const double value = judged.measured.value_or(judged.ci95->high);
    return interval_in(*judged.ci95, scale_beside(value, judged.requirement, language),
                       judged.requirement.unit);
}

}  // namespace assay
