#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "reports/case_names.h"
#include "reports/report.h"
#include "reports/run_summary.h"
#include "reports/utf8.h"

namespace assay {

namespace {

// RFC 4180, one table for both: `kind` is "requirement" (a row a requirement, in the suite's order) or
// "metric" (a row a metric of every case, and one row a case that has none). Numbers are in base units with
// all their digits; an empty field means that there is none.
constexpr std::string_view headings[] = {
    "kind", "name",       "status", "counted",    "statistic", "value",  "ci_low",    "ci_high",
    "unit", "comparison", "bound",  "bound_high", "margin",    "metric", "documents", "reason"};

std::string field(std::string_view text) {
    const std::string valid = valid_utf8(text);
    if (valid.find_first_of(",\"\r\n") == std::string::npos) return valid;
    std::string out = "\"";
    for (const char character : valid) {
        if (character == '"') out += '"';
        out += character;
    }
    return out + "\"";
}

std::string number(const std::optional<double>& value) {
    return value && std::isfinite(*value) ? fmt::format("{}", *value) : std::string();
}

void append_row(std::string& out, const std::vector<std::string>& cells) {
    std::vector<std::string> fields;
    for (const std::string& cell : cells) fields.push_back(field(cell));
    out += fmt::format("{}\r\n", fmt::join(fields, ","));
}

std::optional<double> low_of(const std::optional<Interval>& interval) {
    if (!interval) return std::nullopt;
    return interval->low;
}

std::optional<double> high_of(const std::optional<Interval>& interval) {
    if (!interval) return std::nullopt;
    return interval->high;
}

bool is_in_words(Unit unit) {
    return unit == Unit::version || unit == Unit::text;
}

void append_requirement(std::string& out, const JudgedRequirement& judged) {
    const Requirement& requirement = judged.requirement;
    const Bound& bound = requirement.bound;
    const bool between = bound.comparison == Comparison::between;
    append_row(out, {"requirement", requirement.id, std::string(to_string(judged.status)),
                     judged.counted ? "true" : "false", std::string(to_string(requirement.select.statistic)),
                     judged.measured ? number(judged.measured) : judged.measured_text,
                     number(low_of(judged.ci95)), number(high_of(judged.ci95)),
                     std::string(to_string(requirement.unit)), std::string(to_string(bound.comparison)),
                     is_in_words(requirement.unit) ? bound.text : number(bound.low),
                     between ? number(bound.high) : "", number(judged.margin), judged.metric,
                     fmt::format("{}", fmt::join(documents_of(requirement.sources), "; ")), judged.reason});
}

/// The interval of the headline statistic.
std::optional<Interval> headline_interval(const Metric& metric) {
    const Summary& summary = metric.summary;
    if (metric.statistic == Statistic::median) return summary.median_ci95;
    if (metric.statistic == Statistic::mean) return summary.mean_ci95;
    if (metric.statistic == Statistic::sustained) return summary.sustained_ci95;
    for (const Percentile& percentile : summary.percentiles) {
        if (fmt::format("p{}", percentile.rank) == to_string(metric.statistic)) return percentile.ci95;
    }
    return std::nullopt;
}

void append_outcome(std::string& out, const Outcome& outcome, const std::string& name) {
    const std::string status(to_string(outcome.status));
    // What was made beside a failed check is no figure.
    if (outcome.metrics.empty() || outcome.status != Status::measured) {
        append_row(out,
                   {"metric", name, status, "", "", "", "", "", "", "", "", "", "", "", "", outcome.reason});
        return;
    }
    for (const Metric& metric : outcome.metrics) {
        const std::optional<Interval> interval = headline_interval(metric);
        append_row(out,
                   {"metric", name, status, "", std::string(to_string(metric.statistic)),
                    is_in_words(metric.unit) ? metric.text : number(metric.value), number(low_of(interval)),
                    number(high_of(interval)), std::string(to_string(metric.unit)), "", "", "", "",
                    labelled_name(metric.name, metric.labels), "", outcome.reason});
    }
}

}  // namespace

std::string render_csv(const Report& report) {
    std::string out;
    append_row(out, std::vector<std::string>(std::begin(headings), std::end(headings)));
    for (const JudgedRequirement& judged : report.requirements) append_requirement(out, judged);
    const CaseNames name_of(report.cases, report.outcomes);
    for (const Outcome& outcome : report.outcomes) append_outcome(out, outcome, name_of(outcome.the_case));
    return out;
}

}  // namespace assay
