#pragma once

#include <optional>

namespace assay::inventory {

/// Cycles a second of the CPU that the calling thread runs on, measured for about `milliseconds`: a chain of
/// additions, each of which waits for the one before and takes one cycle, against the CPU time that the
/// thread had meanwhile. Nothing on architectures for which no chain is written.
std::optional<double> measure_clock(double milliseconds);

/// Cycles that a dependent multiplication takes, in units of a dependent addition: a whole number (3 on
/// today's x86) as long as an addition takes one cycle. A CPU that folds additions together shows here.
std::optional<double> multiplication_in_additions();

}  // namespace assay::inventory
