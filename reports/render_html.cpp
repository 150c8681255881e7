#include <algorithm>
#include <string>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "reports/render_html_parts.h"
#include "reports/report.h"
#include "reports/skip_groups.h"
#include "reports/texts.h"

namespace assay {

namespace {

using namespace html;

/// Beyond this many entries for cases the contents name the chapters alone.
constexpr std::size_t most_listed_cases = 40;

/// Links to the cases; those skipped for one reason have one together.
std::vector<std::string> case_entries(const Report& report, Language language) {
    const std::vector<CaseTitle> titles = case_titles(report.outcomes);
    const std::vector<SkipGroup> groups = skip_groups(report.outcomes);
    std::vector<std::string> entries;
    for (std::size_t at = 0; at < titles.size(); ++at) {
        if (const SkipGroup* const group = group_of(report.outcomes[at], groups)) {
            if (!group->begins_with(report.outcomes[at])) continue;
            entries.push_back(fmt::format(R"(<li><a href="#skips-{}">{} <small>{}</small></a></li>)",
                                          group - groups.data() + 1,
                                          phrase_with(language, "text.case_group", group->outcomes.size()),
                                          status_word(Status::skipped, language)));
            continue;
        }
        entries.push_back(fmt::format(
            R"(<li><a href="#case-{}"><code>{}</code>{}</a></li>)", at + 1, escape(titles[at].probe),
            titles[at].telling.empty() ? "" : fmt::format(" <small>{}</small>", escape(titles[at].telling))));
    }
    return entries;
}

void append_contents(std::string& out, const Report& report, bool has_limits, Language language) {
    out += fmt::format(R"(<nav aria-label="{0}"><p class="nav-title">{0}</p><ol>)"
                       "\n",
                       phrase(language, "page.contents"));
    const auto entry = [&](std::string_view anchor, std::string_view key) {
        out += fmt::format("<li><a href=\"#{}\">{}</a></li>\n", anchor, phrase(language, key));
    };
    entry("verdict", "page.verdict");
    entry("facts", "page.facts");
    out += fmt::format("<li><a href=\"#requirements\">{}</a><ol>\n", phrase(language, "page.requirements"));
    entry("counted", "group.counted");
    entry("advice", "group.advice");
    entry("software", "group.software");
    out += "</ol></li>\n";
    if (!report.contradictions.empty()) entry("contradictions", "page.contradictions_short");
    if (has_limits) entry("limits", "page.derived");
    out += fmt::format("<li><a href=\"#measurements\">{}</a>", phrase(language, "page.measurements"));
    const std::vector<std::string> cases = case_entries(report, language);
    if (!cases.empty() && cases.size() <= most_listed_cases)
        out += fmt::format("<ol>\n{}\n</ol>", fmt::join(cases, "\n"));
    out += "</li>\n";
    entry("machine", "page.machine");
    if (!report.journal_notes.empty()) entry("journal-notes", "page.journal_notes");
    entry("how-to-read", "page.how_to_read");
    out += "</ol></nav>\n";
}

}  // namespace

std::string render_html(const Report& report, Language language) {
    const std::string& suite = in_language(report.suite_title, language);
    std::string out;
    out.reserve(1 << 18);
    // The policy lets nothing be loaded: what is to be seen is in this file.
    out += fmt::format(
        "<!DOCTYPE html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        "<meta name=\"color-scheme\" content=\"light dark\">\n"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
        "'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'\">\n"
        "<meta name=\"generator\" content=\"assay {}\">\n<link rel=\"icon\" href=\"data:,\">\n"
        "<title>{} – {}</title>\n<style>\n{}</style>\n</head>\n<body>\n",
        phrase(language, "language_tag"), escape(report.header.tool_version),
        verdict_word(report.verdict, language),
        escape(phrase_with(language, "page.title", report.header.machine)), style_sheet());
    // Before the contents, which name it only where there is something in it.
    std::string limits;
    append_derived(limits, report, language);
    append_contents(out, report, !limits.empty(), language);
    out +=
        fmt::format("<main>\n<header><p class=\"kind\">{}</p><h1>{}</h1><p class=\"small\">{}</p></header>\n",
                    phrase(language, "page.heading"), escape(report.header.machine),
                    escape(suite.empty() ? report.header.suite : suite));
    append_verdict(out, report, language);
    append_facts(out, report, language);
    append_requirements(out, report, language);
    append_contradictions(out, report, language);
    out += limits;
    append_cases(out, report, language);
    append_machine(out, report, language);
    append_journal_notes(out, report, language);
    append_how_to_read(out, language);
    out += fmt::format(
        "<footer><p>{}</p><p><a href=\"#verdict\">{}</a></p></footer>\n</main>\n</body>\n</html>\n",
        escape(phrase_with(language, "footer.made", report.header.tool_version)),
        phrase(language, "page.back_to_top"));
    return out;
}

}  // namespace assay
