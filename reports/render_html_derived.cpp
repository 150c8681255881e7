
#include <fmt/format.h>

#include "reports/derived_text.h"
#include "reports/render_html_parts.h"
#include "reports/render_html_roofline.h"
#include "reports/texts.h"

namespace assay::html {

namespace {

/// One table, so that its columns stand below each other; a body a kind.
void append_tables(std::string& out, const std::vector<DerivedTable>& tables, Language language) {
    if (tables.empty()) return;
    out += fmt::format(R"(<h3>{}</h3><p class="note small">{}</p>)"
                       "\n"
                       R"(<table class="metrics derived stack">)",
                       phrase(language, "page.derived_figures"), phrase(language, "derived.note"));
    for (const DerivedTable& table : tables) {
        out += fmt::format(
            R"(<tbody><tr class="kind"><th scope="colgroup">{}</th><th scope="col" class="number">{}</th>)"
            R"(<th scope="col" class="number">{}</th><th scope="col" class="number">{}</th></tr>)"
            "\n",
            escape(table.title), phrase(language, "derived.result"), phrase(language, "column.interval"),
            escape(table.against_title));
        const auto cell = [&](std::string_view label, std::string_view text) {
            out += fmt::format(R"(<td class="number" data-label="{}">{}</td>)", escape(label), text);
        };
        for (const DerivedRow& row : table.rows) {
            out += fmt::format(R"(<tr><th scope="row"><code>{}</code></th>)", escape(row.kernel));
            cell(phrase(language, "derived.result"),
                 fmt::format(R"(<span class="value">{}</span>)", escape(row.value)));
            cell(phrase(language, "column.interval"), escape(row.interval));
            cell(table.against_title, escape(row.against));
            out += "</tr>\n";
        }
        out += "</tbody>\n";
    }
    out += "</table>\n";
}

}  // namespace

void append_derived(std::string& out, const Report& report, Language language) {
    const std::vector<Roofline> drawings = rooflines(report.outcomes);
    const std::vector<DerivedTable> tables = derived_tables(report, language);
    if (drawings.empty() && tables.empty()) return;
    out += fmt::format("<section id=\"limits\">\n<h2>{}</h2>\n", phrase(language, "page.derived"));
    for (const Roofline& roofline : drawings) out += roofline_figure(roofline, report, language);
    append_tables(out, tables, language);
    out += "</section>\n";
}

}  // namespace assay::html
