#include "reports/derived_text.h"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "reports/case_names.h"
#include "reports/terminal_table.h"
#include "reports/texts.h"

namespace assay {

namespace {

bool is_share(DerivedKind kind) {
    return kind != DerivedKind::speed_up_over_f32;
}

std::string with_sign(const std::string& number, DerivedKind kind, Language language) {
    return is_share(kind) ? number + " %" : phrase_with(language, "derived.times", number);
}

std::string value_of(const DerivedFigure& derived, Language language) {
    const double scale = is_share(derived.kind) ? 100 : 1;
    return with_sign(format_quantity(scale * *derived.figure.value, Unit::ratio, language), derived.kind,
                     language);
}

std::string interval_of(const DerivedFigure& derived, Language language) {
    if (!derived.figure.ci95) return "";
    const double scale = is_share(derived.kind) ? 100 : 1;
    const Interval scaled{scale * derived.figure.ci95->low, scale * derived.figure.ci95->high};
    return with_sign(format_interval(scaled, Unit::ratio, language), derived.kind, language);
}

std::string against_of(const DerivedFigure& derived, Language language) {
    const Metric& to = *derived.to.metric;
    const std::string value = format_quantity(to.value, to.unit, language);
    if (derived.kind == DerivedKind::share_of_ceiling)
        return phrase_with(language, "derived.against", ceiling_name(derived.to), value);
    // One of the same shape needs no name, another one must not pass for it.
    if (derived.other_shape)
        return phrase_with(language, "derived.against", shape_name(derived.to.outcome->the_case), value);
    const std::vector<std::string>& notes = derived.figure.notes;
    if (std::find(notes.begin(), notes.end(), "other_pages") != notes.end())
        return phrase_with(language, "derived.against", value, phrase(language, "note.other_pages"));
    return value;
}

TerminalTable terminal_table(const DerivedTable& table, Language language) {
    TerminalTable shown({table.title, std::string(phrase(language, "derived.result")),
                         std::string(phrase(language, "column.interval")), table.against_title});
    for (const DerivedRow& row : table.rows) {
        TerminalTable::Row cells;
        cells.cells = {row.kernel, row.value, row.interval, row.against};
        shown.add(std::move(cells));
    }
    return shown;
}

}  // namespace

std::string ceiling_name(const Measured& ceiling) {
    const std::string_view isa = isa_of(ceiling);
    std::string name(parameter_of(*ceiling.outcome, "precision"));
    if (!isa.empty()) name += fmt::format("{}{}", name.empty() ? "" : " ", isa);
    return name;
}

std::vector<DerivedTable> derived_tables(const Report& report, Language language) {
    const CaseNames names(report.cases, report.outcomes);
    std::vector<DerivedTable> tables;
    for (const DerivedFigure& derived : derived_figures(report.outcomes)) {
        if (tables.empty() || tables.back().kind != derived.kind) {
            const std::string key = fmt::format("derived.{}", to_string(derived.kind));
            tables.push_back({derived.kind,
                              std::string(phrase(language, key)),
                              std::string(phrase(language, key + "_to")),
                              {}});
        }
        tables.back().rows.push_back({names.brief(derived.of.outcome->the_case), value_of(derived, language),
                                      interval_of(derived, language), against_of(derived, language)});
    }
    return tables;
}

std::string derived_text(const Report& report, Language language, int columns) {
    const std::vector<DerivedTable> tables = derived_tables(report, language);
    if (tables.empty()) return "";
    std::vector<TerminalTable> shown;
    std::vector<int> common;
    for (const DerivedTable& table : tables) {
        shown.push_back(terminal_table(table, language));
        const std::vector<int> widths = shown.back().natural_widths();
        common.resize(widths.size());
        for (std::size_t at = 0; at < widths.size(); ++at) common[at] = std::max(common[at], widths[at]);
    }
    // Below each other like one table where there is room for that.
    const int gaps = 2 * static_cast<int>(common.size() - 1);
    const bool is_room = std::accumulate(common.begin(), common.end(), gaps) <= columns;
    std::string out;
    for (const TerminalTable& table : shown) {
        if (!out.empty()) out += '\n';
        out += table.render(is_room ? common : table.fitted_widths(columns), columns);
    }
    return out;
}

}  // namespace assay
