#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "reports/derived_text.h"
#include "reports/report.h"
#include "reports/run_summary.h"
#include "reports/terminal_table.h"
#include "reports/text_figures.h"
#include "reports/texts.h"

namespace assay {

namespace {

constexpr int fewest_columns = 40;
constexpr std::string_view red = "\x1b[31m";
constexpr std::string_view green = "\x1b[32m";
constexpr std::string_view yellow = "\x1b[33m";
constexpr std::string_view grey = "\x1b[90m";
constexpr std::string_view bold = "\x1b[1m";
constexpr std::string_view reset = "\x1b[0m";

std::string_view colour_of(VerdictStatus status) {
    switch (status) {
        case VerdictStatus::pass:
            return green;
        case VerdictStatus::fail:
            return red;
        case VerdictStatus::inconclusive:
            return yellow;
        default:
            return grey;
    }
}

std::string_view colour_of(RunVerdict verdict) {
    if (verdict == RunVerdict::pass) return green;
    return verdict == RunVerdict::fail ? red : yellow;
}

class TextReport {
  public:
    TextReport(const Report& report, Language language, const TextStyle& style)
        : report_(report),
          language_(language),
          columns_(std::max(style.columns, fewest_columns)),
          colour_(style.colour) {}

    std::string render() {
        add_heading();
        add_figures();
        add_derived();
        add_group(RequirementGroup::counted, "group.counted", true);
        add_group(RequirementGroup::advice, "group.advice", false);
        add_group(RequirementGroup::software, "group.software", false);
        add_contradictions();
        add_list("lead.failed_cases", report_.failed_cases);
        add_list("text.unfinished_cases", report_.unfinished_cases);
        add_waivers();
        add_list("page.journal_notes", report_.journal_notes);
        add_coverage();
        add_verdict();
        return std::move(out_);
    }

  private:
    std::string_view say(std::string_view key) const { return phrase(language_, key); }

    void add_line(std::string_view line = {}) {
        out_ += line;
        out_ += '\n';
    }

    void add_wrapped(const std::string& text, int indent = 0, int first_indent = 0) {
        bool first = true;
        for (const std::string& line : wrapped(text, columns_ - indent)) {
            add_line(std::string(static_cast<std::size_t>(first ? first_indent : indent), ' ') + line);
            first = false;
        }
    }

    void add_title(std::string_view key) {
        add_line();
        const std::string title = shortened(say(key), columns_);
        add_line(colour_ ? fmt::format("{}{}{}", bold, title, reset) : title);
    }

    void add_heading() {
        add_wrapped(run_in_one_line(report_, language_));
        if (report_.header.quick) add_wrapped(std::string(say("lead.quick")));
    }

    void add_figures() {
        if (report_.outcomes.empty()) return;
        add_title("page.measurements");
        out_ += text_figures(report_, language_, columns_);
    }

    void add_derived() {
        const std::string tables = derived_text(report_, language_, columns_);
        if (tables.empty()) return;
        add_title("page.derived");
        out_ += tables;
    }

    std::vector<std::string> remarks_of(const JudgedRequirement& judged, bool in_full) const {
        std::vector<std::string> remarks;
        if ((judged.status != VerdictStatus::pass || !judged.reason.empty()) &&
            (in_full || judged.status != VerdictStatus::not_measured)) {
            const std::string reason = reason_text(judged, language_);
            if (!reason.empty()) remarks.push_back(reason);
        }
        if (judged.waived_from) {
            remarks.push_back(phrase_with(language_, "text.waived_from",
                                          verdict_word(*judged.waived_from, language_),
                                          waiver_reason(report_, judged.requirement.id)));
        }
        for (const std::string& note : judged.notes) {
            // The other notes say how the figure was made; the full reports show them.
            if (note == "not_steady") remarks.emplace_back(say("case.not_steady"));
            if (note == "not_converged") remarks.emplace_back(say("case.not_converged"));
        }
        if (judged.status == VerdictStatus::fail && judged.requirement.remedy) {
            remarks.push_back(fmt::format("{}{}{}", say("requirement.remedy"), say("colon"),
                                          in_language(*judged.requirement.remedy, language_)));
        }
        return remarks;
    }

    TerminalTable table_of(const std::vector<const JudgedRequirement*>& rows, bool in_full,
                           bool interval_apart) const {
        std::vector<std::string> headings = {std::string(say("column.id")),
                                             std::string(say("column.measured"))};
        if (interval_apart) headings.emplace_back(say("column.interval"));
        for (const std::string_view key : {"column.bound", "column.verdict", "column.document"}) {
            headings.emplace_back(say(key));
        }
        TerminalTable table(std::move(headings));
        for (const JudgedRequirement* judged : rows) {
            TerminalTable::Row row;
            row.cells = {judged->requirement.id, format_measured(*judged, language_)};
            const std::string interval = format_measured_interval(*judged, language_);
            if (interval_apart) {
                row.cells.push_back(interval);
            } else if (!interval.empty()) {
                row.cells.back() += "\n" + interval;
            }
            row.cells.push_back(format_bound(judged->requirement, language_));
            row.coloured = row.cells.size();
            row.cells.push_back(
                fmt::format("{} {}", verdict_sign(judged->status), verdict_word(judged->status, language_)));
            row.cells.push_back(
                fmt::format("{}", fmt::join(documents_of(judged->requirement.sources), "\n")));
            row.remarks = remarks_of(*judged, in_full);
            if (colour_) row.colour = colour_of(judged->status);
            table.add(std::move(row));
        }
        return table;
    }

    void add_table(const std::vector<const JudgedRequirement*>& rows, bool in_full) {
        if (rows.empty()) return;
        const TerminalTable apart = table_of(rows, in_full, true);
        if (apart.natural_width() <= columns_) {
            out_ += apart.render(apart.natural_widths(), columns_);
            return;
        }
        // Too narrow: the interval goes below its figure, and what is still too wide is wrapped.
        const TerminalTable below = table_of(rows, in_full, false);
        out_ += below.render(below.fitted_widths(columns_), columns_);
    }

    /// A reason that many rows have: no case of the suite measures them. The others keep their own words.
    std::string shared_reason(const JudgedRequirement& judged) const {
        if (judged.reason_id == "no_case") return std::string(say("reason.no_case"));
        return reason_text(judged, language_);
    }

    /// Rows that count stand in full. Of the others, those that nothing was measured for are only named,
    /// under the reason that they share.
    void add_group(RequirementGroup group, std::string_view title, bool in_full) {
        std::vector<const JudgedRequirement*> rows = in_group(report_, group);
        if (rows.empty() && !in_full) return;
        add_title(title);
        if (rows.empty()) add_wrapped(std::string(say("group.empty")));
        std::vector<std::pair<std::string, std::vector<std::string>>> unmeasured;
        if (!in_full) {
            for (const JudgedRequirement* judged : rows) {
                if (judged->status != VerdictStatus::not_measured) continue;
                const std::string reason = shared_reason(*judged);
                const auto known = std::find_if(unmeasured.begin(), unmeasured.end(),
                                                [&](const auto& entry) { return entry.first == reason; });
                if (known == unmeasured.end()) {
                    unmeasured.push_back({reason, {judged->requirement.id}});
                } else {
                    known->second.push_back(judged->requirement.id);
                }
            }
            std::erase_if(rows, [](const JudgedRequirement* judged) {
                return judged->status == VerdictStatus::not_measured;
            });
        }
        add_table(rows, in_full);
        if (unmeasured.empty()) return;
        add_wrapped(fmt::format("{} {}{}", verdict_sign(VerdictStatus::not_measured),
                                verdict_word(VerdictStatus::not_measured, language_), say("colon")));
        for (const auto& [reason, ids] : unmeasured) {
            add_wrapped(fmt::format("{}{}{}", fmt::join(ids, say("list_separator")), say("colon"), reason), 4,
                        2);
        }
    }

    void add_contradictions() {
        if (report_.contradictions.empty()) return;
        add_title("page.contradictions");
        for (const Contradiction& contradiction : report_.contradictions) {
            std::string line = "  " + contradiction.id;
            const std::vector<std::string> documents = documents_of(contradiction.sources);
            if (!documents.empty()) {
                line += fmt::format(" ({})", fmt::join(documents, say("list_separator")));
            }
            line += std::string(say("colon")) + in_language(contradiction.explanation, language_);
            std::replace(line.begin(), line.end(), '\n', ' ');
            add_line(shortened(line, columns_));
        }
        add_wrapped(std::string(say("text.in_full")), 2, 2);
    }

    void add_list(std::string_view title, const std::vector<std::string>& lines) {
        if (lines.empty()) return;
        add_title(title);
        for (const std::string& line : lines) add_wrapped(line, 4, 2);
    }

    void add_waivers() {
        std::vector<std::string> lines;
        for (const Waiver& waiver : report_.waivers) {
            lines.push_back(fmt::format("{}{}{}", waiver.requirement, say("colon"), waiver.reason));
        }
        add_list("lead.waived_list", lines);
    }

    void add_coverage() {
        add_title("text.coverage");
        const Coverage& coverage = report_.coverage;
        add_wrapped(fmt::format("{}{}{}", say("fact.cases"), say("colon"),
                                phrase_with(language_, "fact.cases_line", coverage.cases, coverage.measured,
                                            coverage.skipped, coverage.failed, coverage.timed_out,
                                            coverage.crashed, coverage.missing)),
                    4, 2);
        add_wrapped(fmt::format("{}{}{}", say("page.requirements"), say("colon"),
                                phrase_with(language_, "group.tally", coverage.requirements, coverage.passed,
                                            coverage.failed_requirements, coverage.inconclusive,
                                            coverage.not_measured, coverage.waived)),
                    4, 2);
    }

    void add_named(std::string_view title, VerdictStatus first, VerdictStatus second) {
        std::vector<std::string> ids;
        for (const JudgedRequirement& judged : report_.requirements) {
            if (!judged.counted || (judged.status != first && judged.status != second)) continue;
            ids.push_back(judged.requirement.id);
        }
        if (ids.empty()) return;
        add_wrapped(fmt::format("{}{}{}", say(title), say("colon"), fmt::join(ids, say("list_separator"))), 4,
                    2);
    }

    void add_verdict() {
        add_line();
        const CountedTally tally = counted_tally(report_);
        std::string word =
            fmt::format("{} {}", verdict_sign(report_.verdict), verdict_word(report_.verdict, language_));
        std::vector<std::string> lines =
            wrapped(word + std::string(say("colon")) + lead_sentence(report_, language_), columns_);
        if (colour_ && lines.front().starts_with(word)) {
            lines.front().replace(0, word.size(),
                                  fmt::format("{}{}{}{}", bold, colour_of(report_.verdict), word, reset));
        }
        for (const std::string& line : lines) add_line(line);
        add_wrapped(phrase_with(language_, "lead.tally", tally.all, tally.passed, tally.failed,
                                tally.inconclusive, tally.not_measured, tally.waived),
                    4, 2);
        add_named("lead.failed_list", VerdictStatus::fail, VerdictStatus::fail);
        add_named("lead.missing_list", VerdictStatus::inconclusive, VerdictStatus::not_measured);
    }

    const Report& report_;
    Language language_;
    int columns_;
    bool colour_;
    std::string out_;
};

}  // namespace

std::string render_text(const Report& report, Language language, const TextStyle& style) {
    return TextReport(report, language, style).render();
}

}  // namespace assay
