#include "probes/memory/chains/cache_levels.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <string_view>

#include <fmt/format.h>

namespace assay {

namespace {

// Growth to the next point, for every doubling of the size, up to which both lie on one level: misses of the
// translation cache lift a level by less, a fuller data cache by more.
constexpr double flat_growth = 1.25;
// Levels closer than this are one, with a translation cache's step inside.
constexpr double distinct_levels = 1.4;
// A chain no longer fits at so many times the latency of its level, or at the geometric mean with the next
// one where that is less: the next level may be seen nowhere, when neighbours use it up.
constexpr double step_growth = 2;
// The furthest that a step may lie from the size of its cache, in doublings.
constexpr double furthest_step = 2;

std::vector<double> without_disturbances(std::span<const LatencyPoint> curve) {
    std::vector<double> seconds;
    for (const LatencyPoint& point : curve) seconds.push_back(point.seconds);
    for (std::size_t at = seconds.size(); at-- > 1;) seconds[at - 1] = std::min(seconds[at - 1], seconds[at]);
    return seconds;
}

double doublings(std::uint64_t from, std::uint64_t to) {
    return std::log2(static_cast<double>(to) / static_cast<double>(from));
}

struct Stretch {
    std::size_t first = 0;
    std::size_t last = 0;
};

/// Longest stretches of two or more points without a step between neighbours.
std::vector<Stretch> flat_stretches(std::span<const LatencyPoint> curve, const std::vector<double>& seconds) {
    std::vector<Stretch> stretches;
    for (std::size_t first = 0; first < seconds.size();) {
        std::size_t last = first;
        while (last + 1 < seconds.size() &&
               seconds[last + 1] <=
                   seconds[last] * std::pow(flat_growth, doublings(curve[last].bytes, curve[last + 1].bytes)))
            ++last;
        if (last > first) stretches.push_back({first, last});
        first = last + 1;
    }
    return stretches;
}

/// The point whose latency is the median of the stretch's, and so is least likely a disturbed one.
std::size_t median_point(std::span<const LatencyPoint> curve, const Stretch& stretch) {
    std::vector<std::size_t> points(stretch.last - stretch.first + 1);
    std::iota(points.begin(), points.end(), stretch.first);
    std::stable_sort(points.begin(), points.end(), [&](std::size_t one, std::size_t other) {
        return curve[one].seconds < curve[other].seconds;
    });
    return points[(points.size() - 1) / 2];
}

/// Where the curve leaves a level: between the level's last point and the next.
double distance(std::span<const LatencyPoint> curve, const LatencyLevel& level, std::uint64_t bytes) {
    const double step =
        doublings(bytes, curve[level.last].bytes) + doublings(bytes, curve[level.last + 1].bytes);
    return std::abs(step / 2);
}

std::string reading_sentence(std::span<const LatencyPoint> curve, const kernels::DataCache& claimed,
                             const LatencyLevel* level) {
    const std::string claim = fmt::format("L{}: claims {}, ", claimed.level, binary_size(claimed.bytes));
    if (level == nullptr) return claim + "the curve has no step near it.";
    const std::string seen =
        fmt::format("the curve steps between {} and {}", binary_size(curve[level->last].bytes),
                    binary_size(curve[level->last + 1].bytes));
    const bool agrees = distance(curve, *level, claimed.bytes) <= 1;
    return claim + seen + (agrees ? "." : ": not what is claimed, or it is shared with others.");
}

}  // namespace

std::string binary_size(std::uint64_t bytes) {
    constexpr std::array<std::string_view, 5> units = {"B", "KiB", "MiB", "GiB", "TiB"};
    std::size_t unit = 0;
    double scaled = static_cast<double>(bytes);
    // 768 KiB is easier beside 1 MiB as 0.75 MiB.
    for (; scaled >= 512 && unit + 1 < units.size(); ++unit) scaled /= 1024;
    if (bytes < 1024) return fmt::format("{} B", bytes);
    if (scaled == 0.5) return fmt::format("512 {}", units[unit - 1]);
    return fmt::format("{:.3g} {}", scaled, units[unit]);
}

std::vector<LatencyLevel> latency_levels(std::span<const LatencyPoint> curve) {
    const std::vector<double> seconds = without_disturbances(curve);
    std::vector<LatencyLevel> levels;
    for (const Stretch& stretch : flat_stretches(curve, seconds)) {
        const std::size_t middle = median_point(curve, stretch);
        const bool is_new = levels.empty() || seconds[middle] >= distinct_levels * levels.back().seconds;
        if (is_new) levels.push_back({middle, seconds[middle], stretch.last});
        levels.back().last = stretch.last;
    }
    for (std::size_t at = 0; at + 1 < levels.size(); ++at) {
        const double step = std::min(std::sqrt(levels[at].seconds * levels[at + 1].seconds),
                                     step_growth * levels[at].seconds);
        while (seconds[levels[at].last + 1] <= step) ++levels[at].last;
    }
    return levels;
}

std::vector<CacheReading> read_caches(std::span<const LatencyPoint> curve,
                                      std::span<const LatencyLevel> levels,
                                      std::span<const kernels::DataCache> claimed) {
    std::vector<CacheReading> readings;
    std::size_t next = 0;
    for (const kernels::DataCache& cache : claimed) {
        CacheReading reading{cache, std::nullopt, {}};
        double nearest = furthest_step;
        for (std::size_t at = next; at + 1 < levels.size(); ++at) {
            const double away = distance(curve, levels[at], cache.bytes);
            if (away > nearest) continue;
            nearest = away;
            reading.level = at;
        }
        if (reading.level) next = *reading.level + 1;
        reading.sentence = reading_sentence(curve, cache, reading.level ? &levels[*reading.level] : nullptr);
        readings.push_back(std::move(reading));
    }
    return readings;
}

}  // namespace assay
