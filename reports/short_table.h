#pragma once

#include <string>
#include <vector>

#include "reports/report.h"

namespace assay {

/// What another program reached with the same device and parameters, so that it can stand beside our figure.
struct PeerFigure {
    std::string device;  ///< "cuda:0"
    std::string metric;  ///< "gemm.throughput"
    Labels labels;       ///< those that the metric must have
    double value = 0;    ///< in the metric's unit
    std::string source;
};

/// Every figure of a run with its limit, the share of it, and the peer's where there is one; and what became
/// of the other cases. For a terminal of so many columns.
std::string render_table(const Report& report, const std::vector<PeerFigure>& peers, Language language,
                         int columns);

/// The same as JSON, assay.table/1: `cases` counts by status, `rows` has one entry a figure, or one a case
/// without.
std::string render_table_json(const Report& report, const std::vector<PeerFigure>& peers);

}  // namespace assay
