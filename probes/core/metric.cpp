#include "probes/core/metric.h"

#include <array>
#include <utility>

namespace assay {
namespace {

constexpr std::array<std::pair<Direction, std::string_view>, 3> directions{{
    {Direction::higher, "higher"},
    {Direction::lower, "lower"},
    {Direction::none, "none"},
}};

constexpr std::array<std::pair<Statistic, std::string_view>, 10> statistics{{
    {Statistic::median, "median"},
    {Statistic::mean, "mean"},
    {Statistic::p50, "p50"},
    {Statistic::p90, "p90"},
    {Statistic::p95, "p95"},
    {Statistic::p99, "p99"},
    {Statistic::p99_9, "p99.9"},
    {Statistic::p99_99, "p99.99"},
    {Statistic::worst, "worst"},
    {Statistic::sustained, "sustained"},
}};

}  // namespace

std::string_view to_string(Direction direction) {
    for (const auto& [value, name] : directions) {
        if (value == direction) return name;
    }
    return "?";
}

std::optional<Direction> direction_from_string(std::string_view name) {
    for (const auto& [value, known] : directions) {
        if (known == name) return value;
    }
    return std::nullopt;
}

std::string_view to_string(Statistic statistic) {
    for (const auto& [value, name] : statistics) {
        if (value == statistic) return name;
    }
    return "?";
}

std::optional<Statistic> statistic_from_string(std::string_view name) {
    for (const auto& [value, known] : statistics) {
        if (known == name) return value;
    }
    return std::nullopt;
}

std::optional<double> percentile_rank(Statistic statistic) {
    switch (statistic) {
        case Statistic::p50:
            return 50;
        case Statistic::p90:
            return 90;
        case Statistic::p95:
            return 95;
        case Statistic::p99:
            return 99;
        case Statistic::p99_9:
            return 99.9;
        case Statistic::p99_99:
            return 99.99;
        default:
            return std::nullopt;
    }
}

}  // namespace assay
