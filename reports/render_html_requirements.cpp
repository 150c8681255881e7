#include <algorithm>

#include <fmt/format.h>

#include "reports/render_html_charts.h"
#include "reports/render_html_parts.h"
#include "reports/run_summary.h"
#include "reports/texts.h"

namespace assay::html {

namespace {

struct GroupTexts {
    RequirementGroup group;
    std::string_view id, title, note;
};
constexpr GroupTexts groups[] = {
    {RequirementGroup::counted, "counted", "group.counted", "group.counted_note"},
    {RequirementGroup::advice, "advice", "group.advice", "group.advice_note"},
    {RequirementGroup::software, "software", "group.software", "group.software_note"},
};

bool is_judged_by_figure(const JudgedRequirement& judged) {
    return judged.measured.has_value() || !judged.measured_text.empty();
}

std::string counts_for_text(const Requirement& requirement, Language language) {
    std::string list;
    for (const std::string& name : requirement.counts_for) {
        if (!list.empty()) list += phrase(language, "list_separator");
        if (name == "advice") {
            list += phrase(language, "requirement.counts_advice");
        } else if (name == "software") {
            list += phrase(language, "requirement.counts_software");
        } else if (name == "poc") {
            list += phrase(language, "requirement.counts_poc");
        } else {
            list += phrase_with(language, "requirement.counts_tier", name);
        }
    }
    return list;
}

void append_source(std::string& out, const Source& source, Language language) {
    const std::string where =
        source.section.empty() ? phrase_with(language, "requirement.source_plain", source.document)
                               : phrase_with(language, "requirement.source", source.document, source.section);
    out += fmt::format(R"(<blockquote><cite>{}</cite> <q lang="zh-Hans">{}</q></blockquote>)", escape(where),
                       escape(source.quote));
}

void append_line(std::string& out, Language language, std::string_view key, const std::string& text,
                 std::string_view style = "") {
    if (text.empty()) return;
    out += fmt::format(R"(<p class="{}"><b>{}</b>{}{}</p>)", style.empty() ? "line" : style,
                       phrase(language, key), phrase(language, "colon"), escape(text));
}

void append_details(std::string& out, const Report& report, const JudgedRequirement& judged,
                    Language language) {
    const Requirement& requirement = judged.requirement;
    out += R"(<tr class="more"><td></td><td colspan="4"><div class="details"><div>)";
    for (const Source& source : requirement.sources) append_source(out, source, language);
    out += "</div><div>";
    append_line(out, language, "requirement.reading", in_language(requirement.reading, language));
    append_line(out, language, "requirement.reason", reason_text(judged, language), "line why");
    if (judged.waived_from) {
        out += fmt::format(
            R"(<p class="line why">{}</p>)",
            escape(phrase_with(language, "text.waived_from", verdict_word(*judged.waived_from, language),
                               waiver_reason(report, requirement.id))));
    }
    for (const std::string& note : judged.notes) {
        const std::optional<std::string_view> words = find_phrase(language, "note." + note);
        out += fmt::format(R"(<p class="line">{}</p>)", escape(words.value_or(note)));
    }
    if (judged.status == VerdictStatus::fail && requirement.remedy) {
        append_line(out, language, "requirement.remedy", in_language(*requirement.remedy, language),
                    "line remedy");
    }
    out += R"(<p class="small">)";
    out += fmt::format("<code>{}</code>",
                       escape(judged.metric.empty() ? requirement.select.metric : judged.metric));
    if (requirement.unit != Unit::version && requirement.unit != Unit::text) {
        out += fmt::format(
            " · {}", phrase(language, fmt::format("statistic.{}", to_string(requirement.select.statistic))));
    }
    if (!judged.counted && !requirement.counts_for.empty()) {
        out += fmt::format(" · {}", escape(phrase_with(language, "requirement.counts_for",
                                                       counts_for_text(requirement, language))));
    }
    for (std::size_t at = 0; at < report.contradictions.size(); ++at) {
        const std::vector<std::string>& touched = report.contradictions[at].requirements;
        if (std::find(touched.begin(), touched.end(), requirement.id) == touched.end()) continue;
        out += fmt::format(R"( · <a href="#contradiction-{}">{} {}</a>)", at + 1,
                           phrase(language, "requirement.contradicted"), at + 1);
    }
    out += "</p></div></div></td></tr>\n";
}

void append_row(std::string& out, const Report& report, std::size_t at, Language language) {
    const JudgedRequirement& judged = report.requirements[at];
    const Requirement& requirement = judged.requirement;
    const std::string& title = in_language(requirement.title, language);
    out += fmt::format(
        R"(<tbody id="{}" class="requirement {}" data-requirement="{}"><tr class="main"><td class="status">{}</td>)"
        R"(<th scope="row"><span class="title">{}</span> <code>{}</code></th>)",
        requirement_anchor(judged, at), to_string(judged.status), escape(requirement.id),
        badge(judged.status, language), escape(title.empty() ? requirement.id : title),
        escape(requirement.id));
    const bool textual = requirement.unit == Unit::version || requirement.unit == Unit::text;
    const std::string_view words = textual ? " words" : "";
    const std::string interval = format_measured_interval(judged, language);
    out += fmt::format(R"(<td class="number{}" data-label="{}"><span class="value{}">{}</span>{}</td>)",
                       words, phrase(language, "column.measured"), is_judged_by_figure(judged) ? "" : " none",
                       escape(format_measured(judged, language)),
                       interval.empty() ? "" : fmt::format(R"(<small>{}</small>)", escape(interval)));
    out += fmt::format(R"(<td class="number{}" data-label="{}">{}</td><td class="position">{}</td></tr>)",
                       words, phrase(language, "column.bound"), escape(format_bound(requirement, language)),
                       bound_mark(judged, language));
    append_details(out, report, judged, language);
    out += "</tbody>\n";
}

std::string tally_text(const Report& report, RequirementGroup group, Language language) {
    std::size_t all = 0;
    std::size_t by_status[5] = {};
    for (const JudgedRequirement& judged : report.requirements) {
        if (requirement_group(judged) != group) continue;
        ++all;
        ++by_status[static_cast<std::size_t>(judged.status)];
    }
    return phrase_with(language, "group.tally", all, by_status[0], by_status[1], by_status[2], by_status[3],
                       by_status[4]);
}

}  // namespace

void append_requirements(std::string& out, const Report& report, Language language) {
    out += fmt::format("<section id=\"requirements\">\n<h2>{}</h2>\n", phrase(language, "page.requirements"));
    for (const GroupTexts& texts : groups) {
        out +=
            fmt::format("<h3 id=\"{}\">{}</h3>\n<p class=\"note\">{} <span class=\"muted\">{}</span></p>\n",
                        texts.id, phrase(language, texts.title), phrase(language, texts.note),
                        tally_text(report, texts.group, language));
        const bool any = std::any_of(
            report.requirements.begin(), report.requirements.end(),
            [&](const JudgedRequirement& judged) { return requirement_group(judged) == texts.group; });
        if (!any) {
            out += fmt::format("<p>{}</p>\n", phrase(language, "group.empty"));
            continue;
        }
        out += fmt::format(
            R"(<table class="requirements stack"><thead><tr><th>{}</th><th>{}</th><th class="number">{}</th>)"
            R"(<th class="number">{}</th><th>{}</th></tr></thead>)"
            "\n",
            phrase(language, "column.verdict"), phrase(language, "column.requirement"),
            phrase(language, "column.measured"), phrase(language, "column.bound"),
            phrase(language, "column.position"));
        for (std::size_t at = 0; at < report.requirements.size(); ++at) {
            if (requirement_group(report.requirements[at]) == texts.group)
                append_row(out, report, at, language);
        }
        out += "</table>\n";
    }
    out += "</section>\n";
}

void append_contradictions(std::string& out, const Report& report, Language language) {
    if (report.contradictions.empty()) return;
    out += fmt::format("<section id=\"contradictions\">\n<h2>{}</h2>\n<ol class=\"contradictions\">\n",
                       phrase(language, "page.contradictions"));
    for (std::size_t at = 0; at < report.contradictions.size(); ++at) {
        const Contradiction& contradiction = report.contradictions[at];
        out += fmt::format("<li id=\"contradiction-{}\"><div class=\"details\"><div>", at + 1);
        for (const Source& source : contradiction.sources) append_source(out, source, language);
        out += fmt::format("</div><div><p>{}</p>", escape(in_language(contradiction.explanation, language)));
        std::string touched;
        for (const std::string& id : contradiction.requirements) {
            for (std::size_t row = 0; row < report.requirements.size(); ++row) {
                const JudgedRequirement& judged = report.requirements[row];
                if (judged.requirement.id != id) continue;
                touched += fmt::format(R"({}<a href="#{}">{}</a>)",
                                       touched.empty() ? "" : phrase(language, "list_separator"),
                                       requirement_anchor(judged, row), escape(id));
            }
        }
        if (!touched.empty()) {
            out += fmt::format("<p class=\"small\">{}{}{}</p>", phrase(language, "contradiction.touches"),
                               phrase(language, "colon"), touched);
        }
        out += "</div></div></li>\n";
    }
    out += "</ol>\n</section>\n";
}

}  // namespace assay::html
