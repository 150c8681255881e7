#pragma once

#include <string>
#include <vector>

#include "reports/derived.h"
#include "reports/report.h"

namespace assay {

/// A derived figure in words.
struct DerivedRow {
    std::string kernel;    ///< "quantized.gemv int8 4096×4096"
    std::string value;     ///< "91.2 %", "3.42×"
    std::string interval;  ///< "90.8–91.6 %"; empty where there is none
    std::string against;   ///< "f32 avx512, 480 GFLOP/s"
};

/// The figures of one kind under their headings; all renderers show these.
struct DerivedTable {
    DerivedKind kind = DerivedKind::share_of_ceiling;
    std::string title;          ///< heads the kernels' column
    std::string against_title;  ///< heads the last one
    std::vector<DerivedRow> rows;
};

/// A table for each kind that has figures.
std::vector<DerivedTable> derived_tables(const Report& report, Language language);

/// The tables for a terminal of so many columns; empty where there is nothing.
std::string derived_text(const Report& report, Language language, int columns);

/// The isa and precision of a ceiling: "f32 avx512".
std::string ceiling_name(const Measured& ceiling);

}  // namespace assay
