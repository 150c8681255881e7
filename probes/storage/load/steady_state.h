#pragma once

#include <span>

namespace assay::storage {

/// Whether five rounds of writing are level, by the SNIA's Solid State Storage Performance Test
/// Specification: the range of the rounds within 20 % of their mean, and the rise of the fitted line over the
/// window within 10 % of it.
struct SteadyState {
    static constexpr int rounds = 5;
    static constexpr double most_range = 0.2;
    static constexpr double most_rise = 0.1;

    double range = 0;  ///< (maximum - minimum) / mean
    double rise = 0;   ///< of the least-squares line from the first round to the last, / mean; absolute
    bool reached = false;
};

/// Of rounds' means, equally far apart. Not reached with fewer than five rounds, or a mean that is not
/// positive.
SteadyState steady_state_of(std::span<const double> rounds);

}  // namespace assay::storage
