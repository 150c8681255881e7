#include "reports/text_figures.h"

#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "reports/case_names.h"
#include "reports/curve_table.h"
#include "reports/figure.h"
#include "reports/skip_groups.h"
#include "reports/telemetry_text.h"
#include "reports/terminal_table.h"
#include "reports/texts.h"

namespace assay {

namespace {

/// The labels of a metric that its case does not have: the axes that the probe added.
Labels axes_of(const Metric& metric, const Case& the_case) {
    Labels axes;
    for (const auto& [name, value] : metric.labels) {
        const auto parameter = the_case.parameters.find(name);
        if (parameter == the_case.parameters.end() || parameter->second != value) axes[name] = value;
    }
    return axes;
}

/// "cpu_cores" of "inventory.system.cpu_cores".
std::string_view last_word(std::string_view name) {
    return name.substr(name.rfind('.') + 1);
}

std::string fact_of(const Metric& metric, Language language) {
    const bool is_text = metric.unit == Unit::version || metric.unit == Unit::text;
    return fmt::format("{} {}", last_word(metric.name),
                       is_text ? metric.text : format_quantity(metric.value, metric.unit, language));
}

std::string interval_of(const Metric& metric, Language language) {
    const Figure figure = figure_of(metric, metric.statistic);
    return figure.ci95 ? format_interval(*figure.ci95, metric.unit, language) : std::string();
}

/// "84 % of 53.0 GB/s".
std::string share_of_limit(const Metric& metric, Language language, bool limit_below) {
    if (!metric.limit || metric.limit->value <= 0) return {};
    return phrase_with(language, "text.share_of_limit",
                       fmt::format("{:.0f} %", 100 * metric.value / metric.limit->value),
                       limit_below ? "\n" : " ", format_quantity(metric.limit->value, metric.unit, language));
}

/// Whether its share of the limit, as it is printed, is above 100 %.
bool is_above_limit(const Metric& metric) {
    return metric.limit && metric.limit->value > 0 && 100 * metric.value / metric.limit->value > 100.5;
}

/// A second metric along the same axis (the plain pattern of each kernel) is left to the full reports.
std::set<std::string> repeated_along_axes(const std::vector<const Metric*>& metrics) {
    std::set<std::string> repeated;
    if (metrics.empty()) return repeated;
    std::set<std::string> seen;
    for (const Metric* metric : metrics) {
        const bool again = !seen.insert(metric->name).second;
        if (again && metric->name != metrics.front()->name) repeated.insert(metric->name);
    }
    return repeated;
}

std::string name_above_labels(const std::string& name, const Labels& labels) {
    return labels.empty() ? name : name + "\n" + labelled_name("", labels);
}

TerminalTable::Row measured_row(const Metric& metric, const Outcome& outcome, const CaseNames& names,
                                Language language, bool labels_below) {
    Labels labels = names.telling(outcome.the_case);
    for (const auto& [name, value] : axes_of(metric, outcome.the_case)) labels[name] = value;
    const std::string name =
        labels_below ? name_above_labels(metric.name, labels) : labelled_name(metric.name, labels);
    TerminalTable::Row row;
    row.cells = {name, format_quantity(metric.value, metric.unit, language), interval_of(metric, language),
                 share_of_limit(metric, language, labels_below)};
    if (is_above_limit(metric))
        row.remarks.push_back(phrase_with(language, "text.limit_source", metric.limit->source));
    return row;
}

TerminalTable::Row group_row(const SkipGroup& group, Language language) {
    TerminalTable::Row row;
    row.cells = {phrase_with(language, "text.case_group", group.outcomes.size()),
                 std::string(status_word(Status::skipped, language)), "", ""};
    row.remarks = {group.probes(phrase(language, "list_separator")), group.outcomes.front()->reason};
    return row;
}

struct Figures {
    TerminalTable table;
    bool above_limit = false;  ///< somewhere among them
};

Figures figures_of(const Report& report, Language language, bool labels_below) {
    const CaseNames names(report.cases, report.outcomes);
    const std::vector<SkipGroup> groups = skip_groups(report.outcomes);
    Figures figures{TerminalTable(
        {std::string(phrase(language, "column.metric")), std::string(phrase(language, "column.measured")),
         std::string(phrase(language, "column.interval")), std::string(phrase(language, "column.limit"))})};
    TerminalTable& table = figures.table;
    for (const Outcome& outcome : report.outcomes) {
        if (const SkipGroup* group = group_of(outcome, groups)) {
            if (group->begins_with(outcome)) table.add(group_row(*group, language));
            continue;
        }
        std::vector<TerminalTable::Row> rows;
        std::vector<std::string> facts;
        const std::vector<const Metric*> metrics = metrics_beside_curve(outcome);
        const std::set<std::string> repeated = repeated_along_axes(metrics);
        if (outcome.status == Status::measured) {
            for (const Metric* metric : metrics) {
                if (repeated.contains(metric->name)) continue;
                if (figure_of(*metric, metric->statistic).sampled) {
                    rows.push_back(measured_row(*metric, outcome, names, language, labels_below));
                    figures.above_limit = figures.above_limit || is_above_limit(*metric);
                } else {
                    facts.push_back(fact_of(*metric, language));
                }
            }
        }
        if (rows.empty()) {
            rows.emplace_back().cells = {
                labels_below ? name_above_labels(outcome.the_case.probe, names.telling(outcome.the_case))
                             : names(outcome.the_case),
                std::string(status_word(outcome.status, language)), "", ""};
        }
        if (!facts.empty()) rows.back().remarks.push_back(fmt::format("{}", fmt::join(facts, " · ")));
        if (!outcome.reason.empty()) rows.back().remarks.push_back(outcome.reason);
        const std::string told = telemetry_line(outcome, language);
        if (!told.empty()) rows.back().remarks.push_back(told);
        for (TerminalTable::Row& row : rows) table.add(std::move(row));
    }
    return figures;
}

/// The points of curves, a table a case, under the name of the case.
std::string curves_of(const Report& report, Language language, int columns) {
    const CaseNames names(report.cases, report.outcomes);
    std::string out;
    for (const Outcome& outcome : report.outcomes) {
        const std::optional<Curve> curve = curve_of(outcome);
        if (!curve || outcome.status != Status::measured) continue;
        out += '\n';
        const std::string title =
            fmt::format("{} ({})", phrase(language, curve->declaration->title), names(outcome.the_case));
        for (const std::string& line : wrapped(title, columns)) out += line + '\n';
        out += curve_text(*curve, language, columns);
    }
    return out;
}

}  // namespace

std::string text_figures(const Report& report, Language language, int columns) {
    const Figures beside = figures_of(report, language, false);
    std::string after;
    if (beside.above_limit)
        for (const std::string& line : wrapped(phrase(language, "text.above_limit"), columns))
            after += line + '\n';
    after += curves_of(report, language, columns);
    if (beside.table.natural_width() <= columns)
        return beside.table.render(beside.table.natural_widths(), columns) + after;
    const Figures below = figures_of(report, language, true);
    return below.table.render(below.table.fitted_widths(columns), columns) + after;
}

}  // namespace assay
