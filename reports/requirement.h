#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "probes/core/metric.h"

namespace assay {

/// A text in the two languages of the reports.
struct Text {
    std::string en;
    std::string zh;
};

/// Which metrics a requirement looks at: the name, labels that must be equal (others are free), the
/// statistic. A label value `each:gpu` matches every device that is a GPU, and no CPU behind OpenCL.
struct Selection {
    enum class Several { error, each, best };  ///< each: the worst counts; best: the best counts
    std::string metric;
    Labels labels;
    Statistic statistic = Statistic::median;
    Several several = Several::error;
};

enum class Comparison { at_least, above, at_most, below, between, equals };
std::string_view to_string(Comparison comparison);

/// A bound in the requirement's unit. Numbers for quantities, text for version and text kinds.
struct Bound {
    Comparison comparison = Comparison::at_least;
    double low = 0;    ///< the bound; of `between` the lower one
    double high = 0;   ///< of `between` the upper one
    std::string text;  ///< for version and text
};

/// The document's own words.
struct Source {
    std::string document;  ///< "002"
    std::string section;   ///< "五"
    std::string quote;     ///< verbatim
};

/// A bound on a metric's statistic, with the document, the quote, our reading and what it counts for.
struct Requirement {
    std::string id;
    std::vector<std::string> counts_for;  ///< "poc", "advice", "software" or names of tiers
    bool only_with_gpu = false;           ///< counts only on a machine that has a GPU
    Selection select;
    std::optional<Selection> divided_by;  ///< ratio: `select` / `divided_by`
    Bound bound;
    Unit unit = Unit::ratio;
    std::vector<Source> sources;
    Text title;                  ///< a few words: "4K random read IOPS"
    Text reading;                ///< how we read the quote
    std::optional<Text> remedy;  ///< what the documents (or arithmetic) advise when it fails
};

/// A place where documents contradict each other or physics, with the arithmetic.
struct Contradiction {
    std::string id;
    std::vector<std::string> requirements;  ///< ids that it touches; may be empty
    std::vector<Source> sources;
    Text explanation;
};

}  // namespace assay
