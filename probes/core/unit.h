#pragma once

#include <optional>
#include <string_view>

namespace assay {

/// Base SI units, the only ones stored. Scaling (GB, µs, TOP/s) is done by renderers.
enum class Unit {
    second,
    hertz,
    byte,
    bit_per_second,
    byte_per_second,
    operation,
    operation_per_second,  ///< I/O and integer arithmetic
    flop_per_second,
    token_per_second,
    request_per_second,
    byte_per_operation,
    watt,
    joule,
    celsius,
    ratio,
    count,
    version,  ///< compared part by part as numbers: 11.10 > 11.6; lives in Metric::text
    text,     ///< compared as such; lives in Metric::text
};

/// Whether figures in these units may stand for each other: the same unit, or both rates of arithmetic (a
/// product of integers counts operation/second where one of floats counts flop/second).
bool comparable(Unit a, Unit b);

/// The unit's name as it stands in JSON: "byte/second".
std::string_view to_string(Unit unit);
/// The reverse; nothing for a name that is no unit.
std::optional<Unit> unit_from_string(std::string_view name);

}  // namespace assay
