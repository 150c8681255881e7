#pragma once

#include <string>
#include <vector>

#include "reports/report.h"

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
/// The same for a logarithmic axis: decades, with their 2 and 5 where there are few of them.
std::vector<double> logarithmic_ticks(double low, double high);

/// A tick's number, already scaled.
std::string tick_text(double scaled);
/// A tick with the unit that suits it: "200 µs".
std::string quantity_tick(double value, Unit unit, Language language);

}  // namespace assay::html
