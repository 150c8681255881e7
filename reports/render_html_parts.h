#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reports/report.h"

// The parts of the HTML page; only the files render_html*.cpp know them. Every part appends to `out`, and
// whatever came from a machine, a suite or a journal goes through escape().
namespace assay::html {

/// Text made safe for HTML content and attributes. Bytes that are not UTF-8, control characters and
/// characters that turn the writing direction become U+FFFD.
std::string escape(std::string_view text);

/// The page's style: light and dark, screen, phone and A4 paper.
std::string_view style_sheet();

/// Names for anchors: stable where the id is plain, else by number.
std::string requirement_anchor(const JudgedRequirement& judged, std::size_t number);
/// A case's heading: its probe and the parameters that tell it from the run's other cases of that probe.
struct CaseTitle {
    std::string probe;
    std::string telling;  ///< "jobs=4, queue_depth=32"; empty when the probe stands alone
};
std::vector<CaseTitle> case_titles(const std::vector<Outcome>& outcomes);
bool is_inventory(const Outcome& outcome);

/// The interval of the statistic that the metric's headline value is.
std::optional<Interval> headline_interval(const Metric& metric);

/// "2025-03-04T09:12:31.123Z" as "2025-03-04 09:12:31 UTC"; what is no such time stays as it is.
std::string readable_time(const std::string& iso);
/// A parameter's or a resolved value for people: bytes beyond a mebibyte as "2 GiB" where that is exact.
std::string readable_value(const std::string& name, const std::string& value);

/// A verdict as sign and word on its colour.
std::string badge(VerdictStatus status, Language language);
std::string badge(Status status, Language language);

void append_verdict(std::string& out, const Report& report, Language language);
void append_facts(std::string& out, const Report& report, Language language);
void append_requirements(std::string& out, const Report& report, Language language);
void append_contradictions(std::string& out, const Report& report, Language language);
/// The rooflines and the derived figures; nothing where there is neither.
void append_derived(std::string& out, const Report& report, Language language);
/// What the case's device told of itself: a line and charts; nothing where it told nothing.
void append_telemetry(std::string& out, const Outcome& outcome, Language language);
void append_cases(std::string& out, const Report& report, Language language);
void append_machine(std::string& out, const Report& report, Language language);
void append_journal_notes(std::string& out, const Report& report, Language language);
void append_how_to_read(std::string& out, Language language);

}  // namespace assay::html
