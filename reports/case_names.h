#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

#include "reports/report.h"

namespace assay {

/// "storage.random_read{jobs=4,queue_depth=32}"; the name alone when there are no labels.
std::string labelled_name(std::string_view name, const Labels& labels);

/// "512×4096×4096" of a case with m, n and k, "4096×4096" of one with m and k; empty when there is neither.
std::string shape_name(const Case& the_case);

/// Names of cases for people: the probe, with only the parameters in which the cases of that probe differ
/// within the run.
class CaseNames {
  public:
    CaseNames(const std::vector<SuiteCase>& cases, const std::vector<Outcome>& outcomes);
    std::string operator()(const Case& the_case) const;
    /// Those parameters.
    Labels telling(const Case& the_case) const;
    /// The same in few words, as a matrix product is named in a drawing or a table: precision or format
    /// always, the shape where it differs, threads where they were asked for: "gemm.throughput f32
    /// 512×4096×4096".
    std::string brief(const Case& the_case) const;

  private:
    void add(const Case& the_case);
    /// Probe -> parameter -> the values that its cases have.
    using Values = std::map<std::string, std::map<std::string, std::set<std::string>>>;
    Values values_, values_with_absent_;
};

}  // namespace assay
