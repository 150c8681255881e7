#pragma once

#include <cstddef>

#include "reports/report.h"

namespace assay {

/// A report such as a run of the suite `poc` on a server leaves: its real requirements with their quotes,
/// judged in every way there is, eleven cases with samples, series and histograms, and an inventory. Figures
/// are made up from a fixed seed.
Report poc_like_report();

/// A report whose every free text is hostile: markup, quotes, control characters, broken UTF-8, one word of
/// 300 letters. `marker` stands in all of them.
Report hostile_report();

/// A report of `cases` cases with a metric of `samples` samples each.
Report large_report(std::size_t cases, std::size_t samples);

}  // namespace assay
