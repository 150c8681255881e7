#include "probes/core/unit.h"

#include <array>
#include <utility>

namespace assay {
namespace {

constexpr std::array<std::pair<Unit, std::string_view>, 18> names{{
    {Unit::second, "second"},
    {Unit::hertz, "hertz"},
    {Unit::byte, "byte"},
    {Unit::bit_per_second, "bit/second"},
    {Unit::byte_per_second, "byte/second"},
    {Unit::operation, "operation"},
    {Unit::operation_per_second, "operation/second"},
    {Unit::flop_per_second, "flop/second"},
    {Unit::token_per_second, "token/second"},
    {Unit::request_per_second, "request/second"},
    {Unit::byte_per_operation, "byte/operation"},
    {Unit::watt, "watt"},
    {Unit::joule, "joule"},
    {Unit::celsius, "celsius"},
    {Unit::ratio, "ratio"},
    {Unit::count, "count"},
    {Unit::version, "version"},
    {Unit::text, "text"},
}};

}  // namespace

bool comparable(Unit a, Unit b) {
    const auto is_arithmetic_rate = [](Unit unit) {
        return unit == Unit::flop_per_second || unit == Unit::operation_per_second;
    };
    return a == b || (is_arithmetic_rate(a) && is_arithmetic_rate(b));
}

std::string_view to_string(Unit unit) {
    for (const auto& [value, name] : names) {
        if (value == unit) return name;
    }
    return "?";
}

std::optional<Unit> unit_from_string(std::string_view name) {
    for (const auto& [value, known] : names) {
        if (known == name) return value;
    }
    return std::nullopt;
}

}  // namespace assay
