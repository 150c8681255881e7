#pragma once

#include <vector>

namespace assay::html {

/// From a value to its place.
struct Axis {
    double low = 0;
    double high = 1;
    double from = 0;
    double to = 1;
    bool logarithmic = false;
    /// Beyond the ends: at the end.
    double place(double value) const;
};

/// Round values inside [low, high] for an axis, some `wanted` of them, in steps of 1, 2 or 5.
std::vector<double> axis_ticks(double low, double high, int wanted);

}  // namespace assay::html
