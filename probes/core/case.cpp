#include "probes/core/case.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "probes/core/probe.h"

namespace assay {
namespace {

/// A value as it may stand in a one-line message.
std::string in_quotes(std::string_view value) {
    std::string line = "'";
    for (const char character : value.substr(0, 200)) {
        const bool control = static_cast<unsigned char>(character) < 0x20 || character == 0x7f;
        line += control ? '?' : character;
    }
    return line + (value.size() > 200 ? "...'" : "'");
}

std::string decimal(double value) {
    std::array<char, 400> buffer{};
    const std::to_chars_result end =
        std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::fixed);
    return {buffer.data(), end.ptr};
}

std::optional<double> parse_real(std::string_view text) {
    double value = 0;
    const std::from_chars_result end = std::from_chars(text.data(), text.data() + text.size(), value);
    if (end.ec != std::errc() || end.ptr != text.data() + text.size() || !std::isfinite(value)) {
        return std::nullopt;
    }
    return value == 0 ? 0.0 : value;  // no negative zero in a name
}

std::string_view kind_name(ParameterKind kind) {
    switch (kind) {
        case ParameterKind::integer:
            return "a whole number";
        case ParameterKind::bytes:
            return "bytes such as 4096, 4K, 2M, 1G (powers of 1024) or 2GB (powers of 1000)";
        case ParameterKind::seconds:
            return "seconds such as 2.5, 2.5s or 100ms";
        case ParameterKind::real:
            return "a number";
        case ParameterKind::choice:
        case ParameterKind::text:
            return "text";
        case ParameterKind::device:
            return "a device: cpu:N, opencl:N or cuda:N";
    }
    return "text";
}

std::string accepted(const Parameter& parameter) {
    if (parameter.kind == ParameterKind::choice) {
        return fmt::format("one of {}", fmt::join(parameter.choices, ", "));
    }
    std::string line(kind_name(parameter.kind));
    const bool number = parameter.kind != ParameterKind::text && parameter.kind != ParameterKind::device;
    if (number && parameter.maximum > 0) {
        line += fmt::format(", {} to {}", decimal(parameter.minimum), decimal(parameter.maximum));
    } else if (number) {
        line += fmt::format(", at least {}", decimal(parameter.minimum));
    }
    if (parameter.fallback == "auto") line += ", or auto";
    return line;
}

[[noreturn]] void refuse(const Parameter& parameter, std::string_view value, std::string_view where) {
    throw InputError(
        fmt::format("{}: {} is not accepted; accepted: {}", where, in_quotes(value), accepted(parameter)));
}

bool in_range(const Parameter& parameter, double value) {
    return value >= parameter.minimum && (parameter.maximum <= 0 || value <= parameter.maximum);
}

std::optional<double> parse_seconds(std::string_view text) {
    struct Suffix {
        std::string_view name;
        double factor;
    };
    // The longer names first: "ms" also ends in "s".
    constexpr std::array<Suffix, 4> suffixes{{{"ms", 1e3}, {"us", 1e6}, {"min", 1.0 / 60}, {"s", 1}}};
    for (const Suffix& suffix : suffixes) {
        if (!text.ends_with(suffix.name)) continue;
        const std::optional<double> value = parse_real(text.substr(0, text.size() - suffix.name.size()));
        if (!value) return std::nullopt;
        return suffix.factor < 1 ? *value * 60 : *value / suffix.factor;
    }
    return parse_real(text);
}

bool is_device(std::string_view text) {
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos) return false;
    const std::string_view kind = text.substr(0, colon);
    const std::string_view number = text.substr(colon + 1);
    if (kind != "cpu" && kind != "opencl" && kind != "cuda") return false;
    if (number.empty() || number.size() > 4 || (number.size() > 1 && number.front() == '0')) return false;
    return std::all_of(number.begin(), number.end(), [](char digit) { return digit >= '0' && digit <= '9'; });
}

/// Bytes, or nothing where the text is none or does not fit 64 bits.
std::optional<std::uint64_t> bytes_of(std::string_view text) {
    std::uint64_t whole = 0;
    const char* const last = text.data() + text.size();
    const std::from_chars_result end = std::from_chars(text.data(), last, whole);
    if (end.ec != std::errc() || end.ptr == text.data()) return std::nullopt;
    std::string_view rest(end.ptr, static_cast<std::size_t>(last - end.ptr));

    // A fraction of up to three digits: 1.5G, as long as it comes out whole.
    std::uint64_t fraction = 0;
    std::uint64_t fraction_scale = 1;
    if (rest.starts_with('.')) {
        rest.remove_prefix(1);
        while (!rest.empty() && rest.front() >= '0' && rest.front() <= '9') {
            if (fraction_scale == 1000) return std::nullopt;
            fraction = fraction * 10 + static_cast<std::uint64_t>(rest.front() - '0');
            fraction_scale *= 10;
            rest.remove_prefix(1);
        }
        if (fraction_scale == 1) return std::nullopt;
    }

    std::uint64_t factor = 1;
    if (!rest.empty() && rest != "B") {
        constexpr std::string_view letters = "KMGTP";
        const char letter = rest.front() == 'k' ? 'K' : rest.front();
        const std::size_t power = letters.find(letter);
        if (power == std::string_view::npos) return std::nullopt;
        const std::string_view tail = rest.substr(1);
        if (!tail.empty() && tail != "B" && tail != "i" && tail != "iB") return std::nullopt;
        const std::uint64_t base = tail == "B" ? 1000 : 1024;
        for (std::size_t i = 0; i <= power; ++i) factor *= base;
    }
    if (fraction * factor % fraction_scale != 0) return std::nullopt;
    const std::uint64_t more = fraction * factor / fraction_scale;
    if (whole > (std::numeric_limits<std::uint64_t>::max() - more) / factor) return std::nullopt;
    return whole * factor + more;
}

}  // namespace

std::uint64_t parse_bytes(std::string_view text, std::string_view where) {
    const std::optional<std::uint64_t> value = bytes_of(text);
    if (!value) {
        throw InputError(fmt::format("{}: {} is not accepted; accepted: {}", where, in_quotes(text),
                                     kind_name(ParameterKind::bytes)));
    }
    return *value;
}

std::string canonical_value(const Parameter& parameter, std::string_view value, std::string_view where) {
    if (value == "auto" && parameter.fallback == "auto") return "auto";
    switch (parameter.kind) {
        case ParameterKind::integer: {
            std::int64_t number = 0;
            const std::string_view digits = value.starts_with('+') ? value.substr(1) : value;
            const char* const last = digits.data() + digits.size();
            const std::from_chars_result end = std::from_chars(digits.data(), last, number);
            if (end.ec != std::errc() || end.ptr != last ||
                !in_range(parameter, static_cast<double>(number))) {
                refuse(parameter, value, where);
            }
            return fmt::format("{}", number);
        }
        case ParameterKind::bytes: {
            const std::optional<std::uint64_t> number = bytes_of(value);
            if (!number || !in_range(parameter, static_cast<double>(*number)))
                refuse(parameter, value, where);
            return fmt::format("{}", *number);
        }
        case ParameterKind::seconds:
        case ParameterKind::real: {
            const std::optional<double> number =
                parameter.kind == ParameterKind::seconds ? parse_seconds(value) : parse_real(value);
            if (!number || !in_range(parameter, *number)) refuse(parameter, value, where);
            return decimal(*number);
        }
        case ParameterKind::choice:
            if (std::find(parameter.choices.begin(), parameter.choices.end(), value) ==
                parameter.choices.end()) {
                refuse(parameter, value, where);
            }
            return std::string(value);
        case ParameterKind::text:
            return std::string(value);
        case ParameterKind::device:
            if (!is_device(value)) refuse(parameter, value, where);
            return std::string(value);
    }
    return std::string(value);
}

Case make_case(const Probe& probe, const std::map<std::string, std::string>& given) {
    for (const std::pair<const std::string, std::string>& entry : given) {
        const std::string& name = entry.first;
        const bool known = std::any_of(probe.parameters.begin(), probe.parameters.end(),
                                       [&](const Parameter& parameter) { return parameter.name == name; });
        if (known) continue;
        std::vector<std::string_view> names;
        for (const Parameter& parameter : probe.parameters) names.push_back(parameter.name);
        throw InputError(fmt::format("{}: unknown parameter {}; accepted: {}", probe.name, in_quotes(name),
                                     names.empty() ? "none, this probe has no parameters"
                                                   : fmt::format("{}", fmt::join(names, ", "))));
    }
    Case the_case;
    the_case.probe = std::string(probe.name);
    for (const Parameter& parameter : probe.parameters) {
        const std::string name(parameter.name);
        const std::map<std::string, std::string>::const_iterator found = given.find(name);
        const std::string_view value =
            found == given.end() ? parameter.fallback : std::string_view(found->second);
        the_case.parameters[name] =
            canonical_value(parameter, value, fmt::format("{}.{}", probe.name, parameter.name));
    }
    return the_case;
}

const std::string& Case::text(std::string_view name) const {
    const std::map<std::string, std::string>::const_iterator found = parameters.find(std::string(name));
    if (found == parameters.end()) {
        throw std::logic_error(fmt::format("{} has no parameter {}", probe, name));
    }
    return found->second;
}

bool Case::is_auto(std::string_view name) const {
    return text(name) == "auto";
}

std::int64_t Case::integer(std::string_view name) const {
    const std::string& value = text(name);
    std::int64_t number = 0;
    const char* const last = value.data() + value.size();
    const std::from_chars_result end = std::from_chars(value.data(), last, number);
    if (end.ec != std::errc() || end.ptr != last) {
        throw std::logic_error(fmt::format("{}.{} is not a whole number: {}", probe, name, in_quotes(value)));
    }
    return number;
}

std::uint64_t Case::bytes(std::string_view name) const {
    const std::optional<std::uint64_t> number = bytes_of(text(name));
    if (!number)
        throw std::logic_error(fmt::format("{}.{} is not bytes: {}", probe, name, in_quotes(text(name))));
    return *number;
}

double Case::seconds(std::string_view name) const {
    const std::optional<double> number = parse_seconds(text(name));
    if (!number)
        throw std::logic_error(fmt::format("{}.{} is not seconds: {}", probe, name, in_quotes(text(name))));
    return *number;
}

double Case::real(std::string_view name) const {
    const std::optional<double> number = parse_real(text(name));
    if (!number)
        throw std::logic_error(fmt::format("{}.{} is not a number: {}", probe, name, in_quotes(text(name))));
    return *number;
}

std::string case_name(const Case& the_case, const Probe* probe) {
    std::vector<std::string> parts;
    for (const auto& [name, value] : the_case.parameters) {
        bool is_default = false;
        if (probe != nullptr) {
            for (const Parameter& parameter : probe->parameters) {
                is_default = is_default || (parameter.name == name &&
                                            canonical_value(parameter, parameter.fallback, name) == value);
            }
        }
        if (!is_default) parts.push_back(fmt::format("{}={}", name, value));
    }
    if (parts.empty()) return the_case.probe;
    return fmt::format("{}{{{}}}", the_case.probe, fmt::join(parts, ","));
}

}  // namespace assay
