#include "reports/curve_table.h"

#include <algorithm>
#include <functional>

#include <fmt/format.h>

#include "reports/figure.h"
#include "reports/terminal_table.h"
#include "reports/texts.h"

namespace assay {

namespace {

constexpr std::string_view no_figure = "–";

std::string statistic_cell(const Metric* metric, Statistic statistic, Language language) {
    const std::optional<double> value = finite_statistic(metric, statistic);
    return value ? format_quantity(*value, metric->unit, language) : std::string(no_figure);
}

std::string value_cell(const Metric* metric, Language language) {
    return metric == nullptr ? std::string(no_figure) : statistic_cell(metric, metric->statistic, language);
}

std::string interval_cell(const Metric* metric, Statistic statistic, Language language) {
    if (metric == nullptr) return std::string(no_figure);
    const Figure figure = figure_of(*metric, statistic);
    return figure.ci95 ? format_interval(*figure.ci95, metric->unit, language) : std::string(no_figure);
}

TerminalTable terminal_table(const std::vector<CurveColumn>& columns, std::size_t rows) {
    std::vector<std::string> headings;
    for (const CurveColumn& column : columns) headings.push_back(column.heading);
    TerminalTable table(std::move(headings));
    for (std::size_t at = 0; at < rows; ++at) {
        TerminalTable::Row row;
        for (const CurveColumn& column : columns) row.cells.push_back(column.cells[at]);
        table.add(std::move(row));
    }
    return table;
}

}  // namespace

std::vector<CurveColumn> curve_columns(const Curve& curve, Language language) {
    using Kind = CurveColumn::Kind;
    const CurveDeclaration& declaration = *curve.declaration;
    std::vector<CurveColumn> columns;
    const auto add = [&](Kind kind, std::string heading,
                         const std::function<std::string(const CurvePoint&)>& cell_of) {
        CurveColumn column{kind, std::move(heading), {}};
        for (const CurvePoint& point : curve.points) column.cells.push_back(cell_of(point));
        const bool empty = std::all_of(column.cells.begin(), column.cells.end(),
                                       [](const std::string& cell) { return cell == no_figure; });
        if (!empty) columns.push_back(std::move(column));
    };
    add(Kind::axis, std::string(phrase(language, declaration.axis_title)),
        [&](const CurvePoint& point) { return point_name(curve, point); });
    if (!declaration.x.empty()) {
        add(Kind::x, std::string(phrase(language, declaration.x_title)),
            [&](const CurvePoint& point) { return value_cell(point.x, language); });
    }
    if (!declaration.aside.empty()) {
        add(Kind::aside, std::string(phrase(language, declaration.aside_title)),
            [&](const CurvePoint& point) { return value_cell(point.aside, language); });
    }
    Kind kind = Kind::headline;
    for (const CurveLine& line : curve.lines()) {
        const auto y_of = [&](const CurvePoint& point) { return point.y[line.series]; };
        add(kind, line_name(curve, line, language),
            [&](const CurvePoint& point) { return statistic_cell(y_of(point), line.statistic, language); });
        if (kind == Kind::headline) {
            add(Kind::interval, std::string(phrase(language, "column.interval")),
                [&](const CurvePoint& point) {
                    return interval_cell(y_of(point), line.statistic, language);
                });
        }
        kind = Kind::other_line;
    }
    return columns;
}

std::string curve_text(const Curve& curve, Language language, int columns) {
    std::vector<CurveColumn> shown = curve_columns(curve, language);
    for (const CurveColumn::Kind least :
         {CurveColumn::Kind::aside, CurveColumn::Kind::interval, CurveColumn::Kind::other_line}) {
        if (terminal_table(shown, curve.points.size()).natural_width() <= columns) break;
        const std::vector<CurveColumn>::iterator found = std::find_if(
            shown.begin(), shown.end(), [&](const CurveColumn& column) { return column.kind == least; });
        if (found != shown.end()) shown.erase(found);
    }
    const TerminalTable table = terminal_table(shown, curve.points.size());
    return table.render(table.fitted_widths(columns), columns);
}

}  // namespace assay
