#include <fmt/format.h>
#include <fmt/ranges.h>

#include "reports/case_names.h"
#include "reports/curve_table.h"
#include "reports/derived_text.h"
#include "reports/report.h"
#include "reports/run_summary.h"
#include "reports/skip_groups.h"
#include "reports/telemetry_text.h"
#include "reports/texts.h"
#include "reports/utf8.h"

namespace assay {

namespace {

/// Text that Markdown shows as it stands, also inside a table's cell.
std::string escaped(std::string_view text) {
    constexpr std::string_view special = "\\`*_{}[]<>|#~";
    const std::string valid = valid_utf8(text);
    std::string out;
    for (const char character : valid) {
        const bool control = static_cast<unsigned char>(character) < 0x20 || character == 0x7F;
        if (special.find(character) != std::string_view::npos) out += '\\';
        out += control ? ' ' : character;
    }
    return out;
}

class MarkdownReport {
  public:
    MarkdownReport(const Report& report, Language language) : report_(report), language_(language) {}

    std::string render() {
        add_head();
        add_group(RequirementGroup::counted, "group.counted", "group.counted_note");
        add_group(RequirementGroup::advice, "group.advice", "group.advice_note");
        add_group(RequirementGroup::software, "group.software", "group.software_note");
        add_list("lead.failed_cases", report_.failed_cases);
        add_list("text.unfinished_cases", report_.unfinished_cases);
        add_waivers();
        add_contradictions();
        add_quotes();
        add_derived();
        add_cases();
        add_list("page.journal_notes", report_.journal_notes);
        return std::move(out_);
    }

  private:
    std::string_view say(std::string_view key) const { return phrase(language_, key); }

    void add_title(std::string_view key) { out_ += fmt::format("\n## {}\n\n", say(key)); }

    void add_fact(std::string_view key, std::string_view value) {
        if (!value.empty()) out_ += fmt::format("- {}{}{}\n", say(key), say("colon"), escaped(value));
    }

    void add_row(const std::vector<std::string>& cells) {
        out_ += fmt::format("| {} |\n", fmt::join(cells, " | "));
    }

    void add_rule(std::size_t columns) { add_row(std::vector<std::string>(columns, "---")); }

    void add_head() {
        const RunHeader& header = report_.header;
        const Coverage& coverage = report_.coverage;
        out_ += fmt::format("# {} {}\n\n{}\n\n", verdict_sign(report_.verdict),
                            verdict_word(report_.verdict, language_), lead_sentence(report_, language_));
        const CountedTally tally = counted_tally(report_);
        out_ += phrase_with(language_, "lead.tally", tally.all, tally.passed, tally.failed,
                            tally.inconclusive, tally.not_measured, tally.waived) +
                "\n\n";
        if (header.quick) out_ += fmt::format("**{}**\n\n", say("lead.quick"));
        const std::string& title = in_language(report_.suite_title, language_);
        add_fact("fact.suite", title.empty() ? header.suite : fmt::format("{} ({})", title, header.suite));
        add_fact("fact.tier", report_.tier.empty() ? say("fact.no_tier") : std::string_view(report_.tier));
        add_fact("fact.machine", header.machine);
        add_fact("fact.device", accelerators_in_words(report_, language_));
        add_fact("fact.started", header.started_at);
        add_fact("fact.cases", phrase_with(language_, "fact.cases_line", coverage.cases, coverage.measured,
                                           coverage.skipped, coverage.failed, coverage.timed_out,
                                           coverage.crashed, coverage.missing));
        add_fact("fact.tool", header.tool_version.empty() ? "" : "assay " + header.tool_version);
        add_fact("fact.command", fmt::format("{}", fmt::join(header.command_line, " ")));
    }

    std::string reason_cell(const JudgedRequirement& judged) const {
        std::vector<std::string> parts;
        if (!judged.reason.empty()) parts.push_back(reason_text(judged, language_));
        if (judged.waived_from) {
            parts.push_back(phrase_with(language_, "text.waived_from",
                                        verdict_word(*judged.waived_from, language_),
                                        waiver_reason(report_, judged.requirement.id)));
        }
        for (const std::string& note : judged.notes) {
            const std::optional<std::string_view> words = find_phrase(language_, "note." + note);
            parts.emplace_back(words.value_or(note));
        }
        return fmt::format("{}", fmt::join(parts, say("clause_separator")));
    }

    void add_group(RequirementGroup group, std::string_view title, std::string_view note) {
        const std::vector<const JudgedRequirement*> rows = in_group(report_, group);
        if (rows.empty()) return;
        add_title(title);
        out_ += fmt::format("{}\n\n", say(note));
        std::vector<std::string> headings;
        for (const std::string_view key :
             {"column.id", "column.requirement", "column.measured", "column.interval", "column.bound",
              "column.verdict", "column.document", "column.reason"}) {
            headings.emplace_back(say(key));
        }
        add_row(headings);
        add_rule(headings.size());
        for (const JudgedRequirement* judged : rows) {
            const Requirement& requirement = judged->requirement;
            add_row(
                {escaped(requirement.id), escaped(in_language(requirement.title, language_)),
                 escaped(format_measured(*judged, language_)),
                 escaped(format_measured_interval(*judged, language_)),
                 escaped(format_bound(requirement, language_)),
                 fmt::format("{} {}", verdict_sign(judged->status), verdict_word(judged->status, language_)),
                 escaped(
                     fmt::format("{}", fmt::join(documents_of(requirement.sources), say("list_separator")))),
                 escaped(reason_cell(*judged))});
        }
    }

    void add_list(std::string_view title, const std::vector<std::string>& lines) {
        if (lines.empty()) return;
        add_title(title);
        for (const std::string& line : lines) out_ += fmt::format("- {}\n", escaped(line));
    }

    void add_waivers() {
        std::vector<std::string> lines;
        for (const Waiver& waiver : report_.waivers) {
            lines.push_back(fmt::format("{}{}{}", waiver.requirement, say("colon"), waiver.reason));
        }
        add_list("lead.waived_list", lines);
    }

    void add_sources(const std::vector<Source>& sources) {
        for (const Source& source : sources) {
            const std::string where =
                source.section.empty()
                    ? phrase_with(language_, "requirement.source_plain", source.document)
                    : phrase_with(language_, "requirement.source", source.document, source.section);
            out_ += fmt::format("> {}{}{}\n>\n", escaped(where), say("colon"),
                                escaped(phrase_with(language_, "requirement.quote", source.quote)));
        }
    }

    void add_contradictions() {
        if (report_.contradictions.empty()) return;
        add_title("page.contradictions");
        for (const Contradiction& contradiction : report_.contradictions) {
            out_ += fmt::format("### {}\n\n", escaped(contradiction.id));
            add_sources(contradiction.sources);
            out_ += fmt::format("\n{}\n\n", escaped(in_language(contradiction.explanation, language_)));
        }
    }

    void add_quotes() {
        if (report_.requirements.empty()) return;
        add_title("page.requirements");
        for (const JudgedRequirement& judged : report_.requirements) {
            const Requirement& requirement = judged.requirement;
            out_ += fmt::format("### {}\n\n", escaped(requirement.id));
            add_sources(requirement.sources);
            out_ += fmt::format("\n{}{}{}\n\n", say("requirement.reading"), say("colon"),
                                escaped(in_language(requirement.reading, language_)));
            if (judged.status == VerdictStatus::fail && requirement.remedy) {
                out_ += fmt::format("{}{}{}\n\n", say("requirement.remedy"), say("colon"),
                                    escaped(in_language(*requirement.remedy, language_)));
            }
        }
    }

    void add_derived() {
        const std::vector<DerivedTable> tables = derived_tables(report_, language_);
        if (tables.empty()) return;
        add_title("page.derived");
        out_ += fmt::format("{}\n", say("derived.note"));
        for (const DerivedTable& table : tables) {
            out_ += '\n';
            add_row({escaped(table.title), std::string(say("derived.result")),
                     std::string(say("column.interval")), escaped(table.against_title)});
            add_rule(4);
            for (const DerivedRow& row : table.rows)
                add_row(
                    {escaped(row.kernel), escaped(row.value), escaped(row.interval), escaped(row.against)});
        }
    }

    std::string limit_cell(const Metric& metric) const {
        if (!metric.limit || metric.limit->value <= 0) return {};
        return escaped(phrase_with(language_, "column.share_of_limit",
                                   fmt::format("{:.0f} %", 100 * metric.value / metric.limit->value),
                                   format_quantity(metric.limit->value, metric.unit, language_),
                                   metric.limit->source));
    }

    void add_group_of_skips(const SkipGroup& group) {
        add_row({escaped(phrase_with(language_, "text.case_group", group.outcomes.size()) +
                         std::string(say("colon")) + group.probes(say("list_separator"))),
                 std::string(status_word(Status::skipped, language_)), "", "", "", "",
                 escaped(group.outcomes.front()->reason)});
    }

    void add_cases() {
        if (report_.outcomes.empty()) return;
        add_title("page.measurements");
        add_row({std::string(say("column.case")), std::string(say("column.status")),
                 std::string(say("column.metric")), std::string(say("column.value")),
                 std::string(say("column.statistic")), std::string(say("column.limit")),
                 std::string(say("column.reason"))});
        add_rule(7);
        const CaseNames name_of(report_.cases, report_.outcomes);
        const std::vector<SkipGroup> groups = skip_groups(report_.outcomes);
        for (const Outcome& outcome : report_.outcomes) {
            if (const SkipGroup* group = group_of(outcome, groups)) {
                if (group->begins_with(outcome)) add_group_of_skips(*group);
                continue;
            }
            const std::string name = escaped(name_of(outcome.the_case));
            const std::string status(status_word(outcome.status, language_));
            const std::vector<const Metric*> metrics = metrics_beside_curve(outcome);
            if (metrics.empty()) add_row({name, status, "", "", "", "", escaped(outcome.reason)});
            for (const Metric* shown : metrics) {
                const Metric& metric = *shown;
                const bool in_words = metric.unit == Unit::version || metric.unit == Unit::text;
                const std::string value =
                    in_words ? metric.text : format_quantity(metric.value, metric.unit, language_);
                Labels axes = metric.labels;
                for (const auto& [parameter, setting] : outcome.the_case.parameters) {
                    const Labels::const_iterator axis = axes.find(parameter);
                    if (axis != axes.end() && axis->second == setting) axes.erase(axis);
                }
                add_row({name, status, escaped(labelled_name(metric.name, axes)), escaped(value),
                         in_words ? ""
                                  : std::string(say("statistic." + std::string(to_string(metric.statistic)))),
                         limit_cell(metric), escaped(outcome.reason)});
            }
        }
        add_telemetry(name_of);
        for (const Outcome& outcome : report_.outcomes)
            add_curve(outcome, escaped(name_of(outcome.the_case)));
    }

    void add_telemetry(const CaseNames& name_of) {
        std::vector<std::string> lines;
        for (const Outcome& outcome : report_.outcomes) {
            const std::string told = telemetry_line(outcome, language_);
            if (!told.empty())
                lines.push_back(fmt::format("{}{}{}", name_of(outcome.the_case), say("colon"), told));
        }
        if (lines.empty()) return;
        out_ += fmt::format("\n### {}\n\n", say("case.telemetry"));
        for (const std::string& line : lines) out_ += fmt::format("- {}\n", escaped(line));
    }

    void add_curve(const Outcome& outcome, const std::string& name) {
        const std::optional<Curve> curve = curve_of(outcome);
        if (!curve) return;
        out_ += fmt::format("\n### {} ({})\n\n", say(curve->declaration->title), name);
        const std::vector<CurveColumn> columns = curve_columns(*curve, language_);
        std::vector<std::string> cells;
        for (const CurveColumn& column : columns) cells.push_back(escaped(column.heading));
        add_row(cells);
        add_rule(columns.size());
        for (std::size_t at = 0; at < curve->points.size(); ++at) {
            cells.clear();
            for (const CurveColumn& column : columns) cells.push_back(escaped(column.cells[at]));
            add_row(cells);
        }
    }

    const Report& report_;
    Language language_;
    std::string out_;
};

}  // namespace

std::string render_markdown(const Report& report, Language language) {
    return MarkdownReport(report, language).render();
}

}  // namespace assay
