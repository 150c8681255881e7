#pragma once

#include <string>

#include "reports/case_names.h"
#include "suites/cli/output.h"
#include "suites/runner.h"

namespace assay::cli {

/// Draws a run's events on standard error: one live line on a terminal, plain lines elsewhere.
class ProgressView {
  public:
    ProgressView(const Plan& plan, ErrorStream stream);
    ~ProgressView() { clear_line(); }
    ProgressView(const ProgressView&) = delete;
    ProgressView& operator=(const ProgressView&) = delete;
    void show(const RunEvent& event);
    /// Takes the live line away, before something else is printed.
    void clear_line();

  private:
    void draw(const std::string& text);
    void line(const std::string& text);

    CaseNames names_;
    ErrorStream stream_;
    bool drawn_ = false;
    std::string last_skip_ = {};  ///< the reason of the last case that was skipped
};

/// "about 75 s", "about 4 min": a duration for people.
std::string about(double seconds);

}  // namespace assay::cli
