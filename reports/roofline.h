#pragma once

#include <optional>
#include <string>
#include <vector>

#include "reports/measured_limits.h"

namespace assay {

/// A kernel in the roofline: what it does a second, at so many operations for each byte that it has to move.
struct RooflinePoint {
    Measured rate;
    double intensity = 0;  ///< operations a byte
};

/// The roofline model (Williams, Waterman and Patterson 2009) of a device, from what the run measured: no
/// kernel does more than its ceiling, nor more than memory feeds it with. Good for as long as the outcomes
/// are.
struct Roofline {
    std::string device;
    std::optional<Measured> memory;     ///< read bandwidth on all cores, the greatest
    std::vector<Measured> ceilings;     ///< on all cores, one for each precision and isa, the highest first
    std::vector<RooflinePoint> points;  ///< in the outcomes' order
};

/// One for each device that has a ceiling or a kernel. What is not finite and above zero has no place on
/// logarithmic axes and is left out.
std::vector<Roofline> rooflines(const std::vector<Outcome>& outcomes);

}  // namespace assay
