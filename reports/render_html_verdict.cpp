#include <algorithm>

#include <fmt/format.h>

#include "reports/render_html_parts.h"
#include "reports/run_summary.h"
#include "reports/texts.h"

namespace assay::html {

namespace {

/// The tally as a bar of parts, each as wide as its share.
void append_share_bar(std::string& out, const CountedTally& tally) {
    if (tally.all == 0) return;
    out += R"(<div class="share" aria-hidden="true">)";
    const auto part = [&](std::string_view style, std::size_t count) {
        if (count > 0) {
            out += fmt::format(R"(<span class="{}" style="flex:{}"></span>)", style, count);
        }
    };
    part("pass", tally.passed);
    part("fail", tally.failed);
    part("inconclusive", tally.inconclusive);
    part("not_measured", tally.not_measured);
    part("waived", tally.waived);
    out += "</div>\n";
}

/// What the lists under the verdict say of a requirement: its figure, or why there is none.
std::string telling_of(const JudgedRequirement& judged, Language language) {
    const bool has_figure = judged.measured.has_value() || !judged.measured_text.empty();
    std::string text;
    if (has_figure) {
        text = phrase_with(language, "lead.figure", format_measured(judged, language),
                           format_bound(judged.requirement, language));
    }
    const std::string reason = reason_text(judged, language);
    if (!reason.empty())
        text += (text.empty() ? "" : std::string(phrase(language, "clause_separator"))) + reason;
    return text;
}

/// A requirement's title as a link to its row; the id alone where there is no such row.
std::string requirement_link(const Report& report, const std::string& id, Language language) {
    for (std::size_t at = 0; at < report.requirements.size(); ++at) {
        const JudgedRequirement& judged = report.requirements[at];
        if (judged.requirement.id != id) continue;
        const std::string& title = in_language(judged.requirement.title, language);
        return fmt::format(R"(<a href="#{}">{}</a>)", requirement_anchor(judged, at),
                           escape(title.empty() ? id : title));
    }
    return escape(id);
}

template <typename Wanted>
void append_list(std::string& out, const Report& report, Language language, std::string_view heading,
                 const Wanted& wanted) {
    bool any = false;
    for (std::size_t at = 0; at < report.requirements.size(); ++at) {
        const JudgedRequirement& judged = report.requirements[at];
        if (!judged.counted || !wanted(judged.status)) continue;
        if (!any) out += fmt::format("<div><h3>{}</h3>\n<ul>\n", heading);
        any = true;
        const std::string& title = in_language(judged.requirement.title, language);
        out +=
            fmt::format(R"(<li><a href="#{}">{}</a><span class="telling">{}</span></li>)"
                        "\n",
                        requirement_anchor(judged, at), escape(title.empty() ? judged.requirement.id : title),
                        escape(telling_of(judged, language)));
    }
    if (any) out += "</ul></div>\n";
}

void append_plain_list(std::string& out, std::string_view heading, const std::vector<std::string>& items) {
    if (items.empty()) return;
    out += fmt::format("<div><h3>{}</h3>\n<ul>\n", heading);
    for (const std::string& item : items) {
        out += fmt::format("<li>{}</li>\n", escape(item));
    }
    out += "</ul></div>\n";
}

const Metric* inventory_metric(const Report& report, std::string_view name) {
    for (const Outcome& outcome : report.outcomes) {
        if (!is_inventory(outcome)) continue;
        for (const Metric& metric : outcome.metrics) {
            if (metric.name == name) return &metric;
        }
    }
    return nullptr;
}

std::string resolved_fact(const Report& report, std::initializer_list<std::string_view> names) {
    for (const Outcome& outcome : report.outcomes) {
        if (!is_inventory(outcome)) continue;
        for (const std::string_view name : names) {
            const std::map<std::string, std::string>::const_iterator found =
                outcome.resolved.find(std::string(name));
            if (found != outcome.resolved.end()) return found->second;
        }
    }
    return "";
}

void append_fact(std::string& out, Language language, std::string_view key, const std::string& value) {
    if (value.empty()) return;
    out += fmt::format("<div><dt>{}</dt><dd>{}</dd></div>\n", phrase(language, key), escape(value));
}

}  // namespace

void append_verdict(std::string& out, const Report& report, Language language) {
    const CountedTally tally = counted_tally(report);
    out +=
        fmt::format(R"(<section class="verdict {}" id="verdict" aria-label="{}">)"
                    "\n"
                    R"(<p class="word"><span class="sign" aria-hidden="true">{}</span> {}</p>)"
                    "\n"
                    R"(<p class="lead">{}</p>)"
                    "\n",
                    to_string(report.verdict), phrase(language, "page.verdict"), verdict_sign(report.verdict),
                    verdict_word(report.verdict, language), escape(lead_sentence(report, language)));
    append_share_bar(out, tally);
    out += fmt::format("<p class=\"tally\">{}</p>\n",
                       phrase_with(language, "lead.tally", tally.all, tally.passed, tally.failed,
                                   tally.inconclusive, tally.not_measured, tally.waived));
    out += "<div class=\"lists\">\n";
    append_list(out, report, language, phrase(language, "lead.failed_list"),
                [](VerdictStatus status) { return status == VerdictStatus::fail; });
    append_plain_list(out, phrase(language, "lead.failed_cases"), report.failed_cases);
    append_list(out, report, language, phrase(language, "lead.missing_list"), [](VerdictStatus status) {
        return status == VerdictStatus::inconclusive || status == VerdictStatus::not_measured;
    });
    append_plain_list(out, phrase(language, "text.unfinished_cases"), report.unfinished_cases);
    if (!report.waivers.empty()) {
        out += fmt::format("<div><h3>{}</h3>\n<ul>\n", phrase(language, "lead.waived_list"));
        for (const Waiver& waiver : report.waivers) {
            out += fmt::format("<li>{}<span class=\"telling\">{}</span></li>\n",
                               requirement_link(report, waiver.requirement, language), escape(waiver.reason));
        }
        out += "</ul></div>\n";
    }
    out += "</div>\n";
    if (report.header.quick) {
        out += fmt::format("<p class=\"quick\">{}</p>\n", phrase(language, "lead.quick"));
    }
    out += "</section>\n";
}

void append_facts(std::string& out, const Report& report, Language language) {
    const RunHeader& header = report.header;
    out += fmt::format("<section id=\"facts\">\n<h2>{}</h2>\n<dl class=\"facts\">\n",
                       phrase(language, "page.facts"));
    const std::string& title = in_language(report.suite_title, language);
    append_fact(out, language, "fact.machine", header.machine);
    append_fact(out, language, "fact.processor",
                resolved_fact(report, {"cpu.model", "cpu_model", "processor.model", "processor"}));
    if (const Metric* memory = inventory_metric(report, "inventory.system.memory_bytes")) {
        append_fact(out, language, "fact.memory", format_quantity(memory->value, memory->unit, language));
    }
    append_fact(out, language, "fact.device", accelerators_in_words(report, language));
    append_fact(out, language, "fact.suite",
                title.empty() || title == header.suite ? header.suite : title + " (" + header.suite + ")");
    append_fact(out, language, "fact.tier",
                report.tier.empty() ? std::string(phrase(language, "fact.no_tier")) : report.tier);
    append_fact(out, language, "fact.sampling",
                std::string(phrase(language, header.quick ? "fact.quick" : "fact.full")));
    append_fact(out, language, "fact.started", readable_time(header.started_at));
    double seconds = 0;
    for (const Outcome& outcome : report.outcomes) seconds += outcome.duration_seconds;
    append_fact(out, language, "fact.duration", format_quantity(seconds, Unit::second, language));
    const Coverage& coverage = report.coverage;
    append_fact(out, language, "fact.cases",
                phrase_with(language, "fact.cases_line", coverage.cases, coverage.measured, coverage.skipped,
                            coverage.failed, coverage.timed_out, coverage.crashed, coverage.missing));
    append_fact(out, language, "fact.tool",
                header.commit.empty()
                    ? "assay " + header.tool_version
                    : fmt::format("assay {}{}{}", header.tool_version, phrase(language, "list_separator"),
                                  phrase_with(language, "fact.commit", header.commit)));
    append_fact(out, language, "fact.compiler", header.compiler);
    if (!header.command_line.empty()) {
        std::string line;
        for (const std::string& word : header.command_line) line += (line.empty() ? "" : " ") + word;
        out += fmt::format("<div class=\"wide\"><dt>{}</dt><dd><code>{}</code></dd></div>\n",
                           phrase(language, "fact.command"), escape(line));
    }
    out += "</dl>\n</section>\n";
}

}  // namespace assay::html
