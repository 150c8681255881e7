#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "reports/render_html_parts.h"
#include "reports/texts.h"

namespace assay::html {

namespace {

using Facts = std::vector<std::pair<std::string, std::string>>;

/// "cpu.base_clock" is the fact "base clock" of the group "cpu"; a name without a point is one of no group.
void add_fact(std::map<std::string, Facts>& groups, const std::string& name, std::string value) {
    const std::size_t point = name.find('.');
    const std::string group = point == std::string::npos ? "" : name.substr(0, point);
    std::string fact = point == std::string::npos ? name : name.substr(point + 1);
    std::replace(fact.begin(), fact.end(), '_', ' ');
    groups[group].emplace_back(std::move(fact), std::move(value));
}

void append_facts_table(std::string& out, const std::string& title, const Facts& facts) {
    out += fmt::format("<div class=\"group\"><h3>{}</h3><dl>", escape(title));
    for (const auto& [name, value] : facts) {
        out += fmt::format("<div><dt>{}</dt><dd>{}</dd></div>", escape(name), escape(value));
    }
    out += "</dl></div>\n";
}

std::string group_title(const std::string& group, Language language) {
    if (group.empty()) return std::string(phrase(language, "machine.other"));
    const std::optional<std::string_view> known = find_phrase(language, "machine.group." + group);
    return known ? std::string(*known) : group;
}

void append_meaning(std::string& out, const std::string& word, std::string_view meaning) {
    out += fmt::format("<div><dt>{}</dt><dd>{}</dd></div>", word, meaning);
}

}  // namespace

void append_machine(std::string& out, const Report& report, Language language) {
    out += fmt::format("<section id=\"machine\">\n<h2>{}</h2>\n", phrase(language, "page.machine"));
    std::map<std::string, Facts> groups;
    Facts judged;
    for (const Outcome& outcome : report.outcomes) {
        if (!is_inventory(outcome)) continue;
        for (const auto& [name, value] : outcome.resolved) add_fact(groups, name, value);
        for (const Metric& metric : outcome.metrics) {
            const bool textual = metric.unit == Unit::version || metric.unit == Unit::text;
            const std::string front = outcome.the_case.probe + ".";
            const bool own = metric.name.rfind(front, 0) == 0;
            judged.emplace_back(own ? metric.name.substr(front.size()) : metric.name,
                                textual ? metric.text : format_quantity(metric.value, metric.unit, language));
        }
    }
    if (groups.empty() && judged.empty()) {
        out += fmt::format("<p>{}</p>\n", phrase(language, "machine.none"));
    }
    out += "<div class=\"machine\">\n";
    for (const auto& [group, facts] : groups) {
        if (!group.empty()) append_facts_table(out, group_title(group, language), facts);
    }
    if (groups.count("") > 0) append_facts_table(out, group_title("", language), groups[""]);
    if (!judged.empty()) append_facts_table(out, std::string(phrase(language, "machine.metrics")), judged);
    out += "</div>\n</section>\n";
}

void append_journal_notes(std::string& out, const Report& report, Language language) {
    if (report.journal_notes.empty()) return;
    out += fmt::format("<section id=\"journal-notes\">\n<h2>{}</h2>\n<ul>\n",
                       phrase(language, "page.journal_notes"));
    for (const std::string& note : report.journal_notes) {
        out += fmt::format("<li>{}</li>\n", escape(note));
    }
    out += "</ul>\n</section>\n";
}

void append_how_to_read(std::string& out, Language language) {
    out += fmt::format("<section id=\"how-to-read\">\n<h2>{}</h2>\n<div class=\"machine\">\n",
                       phrase(language, "page.how_to_read"));
    out += fmt::format("<div class=\"group\"><h3>{}</h3><dl>", phrase(language, "read.verdicts"));
    const auto run_word = [&](RunVerdict verdict, std::string_view meaning) {
        append_meaning(out, fmt::format("<strong>{}</strong>", verdict_word(verdict, language)), meaning);
    };
    run_word(RunVerdict::pass, phrase(language, "read.run_pass"));
    run_word(RunVerdict::fail, phrase(language, "read.run_fail"));
    run_word(RunVerdict::incomplete, phrase(language, "read.run_incomplete"));
    append_meaning(out, badge(VerdictStatus::pass, language), phrase(language, "read.pass"));
    append_meaning(out, badge(VerdictStatus::fail, language), phrase(language, "read.fail"));
    append_meaning(out, badge(VerdictStatus::inconclusive, language), phrase(language, "read.inconclusive"));
    append_meaning(out, badge(VerdictStatus::not_measured, language), phrase(language, "read.not_measured"));
    append_meaning(out, badge(VerdictStatus::waived, language), phrase(language, "read.waived"));
    out += fmt::format("</dl></div>\n<div><div class=\"group\"><h3>{}</h3><dl>",
                       phrase(language, "read.exit_codes"));
    append_meaning(out, "0", phrase(language, "read.exit_0"));
    append_meaning(out, "1", phrase(language, "read.exit_1"));
    append_meaning(out, "2", phrase(language, "read.exit_2"));
    append_meaning(out, "3", phrase(language, "read.exit_3"));
    append_meaning(out, "4", phrase(language, "read.exit_4"));
    append_meaning(out, "130", phrase(language, "read.exit_130"));
    out += fmt::format("</dl></div>\n<div class=\"group\"><h3>{}</h3>", phrase(language, "read.figures"));
    for (const std::string_view text : {phrase(language, "read.units"), phrase(language, "read.interval"),
                                        phrase(language, "read.mark"), phrase(language, "read.charts")}) {
        out += fmt::format("<p>{}</p>", text);
    }
    out += "</div></div>\n</div>\n</section>\n";
}

}  // namespace assay::html
