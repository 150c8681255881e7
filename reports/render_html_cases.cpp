#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "reports/curve.h"
#include "reports/render_html_charts.h"
#include "reports/render_html_curve.h"
#include "reports/render_html_parts.h"
#include "reports/skip_groups.h"
#include "reports/texts.h"

namespace assay::html {

namespace {

bool is_textual(const Metric& metric) {
    return metric.unit == Unit::version || metric.unit == Unit::text;
}

/// The metric's name without its probe's, and what of its labels the case's parameters do not say already.
std::string short_name(const Metric& metric, const Case& the_case) {
    std::string name = metric.name;
    const std::string prefix = the_case.probe + ".";
    if (name.rfind(prefix, 0) == 0) name = name.substr(prefix.size());
    if (name == the_case.probe) name = name.substr(name.rfind('.') + 1);
    std::string telling;
    for (const auto& [label, value] : metric.labels) {
        const std::map<std::string, std::string>::const_iterator asked = the_case.parameters.find(label);
        if (asked != the_case.parameters.end() && asked->second == value) continue;
        telling += (telling.empty() ? "" : ", ") + label + "=" + value;
    }
    return telling.empty() ? name : name + " {" + telling + "}";
}

void append_chips(std::string& out, std::string_view title,
                  const std::map<std::string, std::string>& values) {
    if (values.empty()) return;
    out += fmt::format("<div class=\"chips\"><b>{}</b><ul>", title);
    for (const auto& [name, value] : values) {
        out += fmt::format("<li><span>{}</span> {}</li>", escape(name), escape(readable_value(name, value)));
    }
    out += "</ul></div>\n";
}

std::string value_of(const Metric& metric, Language language) {
    return is_textual(metric) ? metric.text : format_quantity(metric.value, metric.unit, language);
}

/// "2.38 / 2.41 / 2.45 TFLOP/s": the unit once where all three have the same.
std::string spread_of(const Metric& metric, Language language) {
    std::string parts[] = {format_quantity(metric.summary.minimum, metric.unit, language),
                           format_quantity(metric.summary.median, metric.unit, language),
                           format_quantity(metric.summary.maximum, metric.unit, language)};
    const auto unit = [](const std::string& text) {
        const std::size_t space = text.find(' ');
        return space == std::string::npos ? std::string() : text.substr(space);
    };
    if (unit(parts[0]) == unit(parts[2]) && unit(parts[1]) == unit(parts[2])) {
        for (std::string* part : {&parts[0], &parts[1]}) part->resize(part->size() - unit(*part).size());
    }
    return parts[0] + " / " + parts[1] + " / " + parts[2];
}

/// What stands under a metric's row: percentiles, the limit, sustained level, what weakens the figure.
std::string remarks_of(const Metric& metric, Language language) {
    std::vector<std::string> parts;
    if (!metric.summary.percentiles.empty()) {
        std::string list;
        for (const Percentile& one : metric.summary.percentiles) {
            if (!list.empty()) list += phrase(language, "list_separator");
            list += fmt::format("p{:g} {}", one.rank, format_quantity(one.value, metric.unit, language));
        }
        parts.push_back(list);
    }
    if (metric.summary.sustained) {
        parts.push_back(phrase_with(language, "case.sustained",
                                    format_quantity(*metric.summary.sustained, metric.unit, language)));
    }
    if (metric.limit) {
        const double share = metric.limit->value != 0 ? metric.value / metric.limit->value : 0;
        parts.push_back(phrase_with(language, "case.limit", fmt::format("{:.0f} %", share * 100),
                                    format_quantity(metric.limit->value, metric.unit, language),
                                    metric.limit->source));
    }
    if (!metric.summary.steady) parts.push_back(std::string(phrase(language, "case.not_steady")));
    if (!metric.summary.converged) parts.push_back(std::string(phrase(language, "case.not_converged")));
    std::string text;
    for (const std::string& part : parts) text += (text.empty() ? "" : " · ") + part;
    return text;
}

void append_metric_row(std::string& out, const Metric& metric, const Case& the_case, Language language) {
    const Summary& summary = metric.summary;
    const bool sampled = !is_textual(metric) && summary.samples > 1;
    const std::optional<Interval> interval = headline_interval(metric);
    const auto cell = [&](std::string_view label, const std::string& text) {
        out += fmt::format(R"(<td class="number" data-label="{}">{}</td>)", phrase(language, label),
                           escape(text));
    };
    out += fmt::format(R"(<tbody><tr><th scope="row"><code>{}</code></th>)",
                       escape(short_name(metric, the_case)));
    out += fmt::format(
        R"(<td class="number{}" data-label="{}"><span class="value">{}</span>{}</td>)",
        is_textual(metric) ? " words" : "", phrase(language, "column.value"),
        escape(value_of(metric, language)),
        sampled ? fmt::format(" <small>{}</small>",
                              phrase(language, fmt::format("statistic.{}", to_string(metric.statistic))))
                : "");
    cell("column.interval",
         interval && !is_textual(metric) ? format_interval(*interval, metric.unit, language) : "");
    cell("column.spread", sampled ? spread_of(metric, language) : std::string());
    cell("column.samples", sampled
                               ? format_quantity(static_cast<double>(summary.samples), Unit::count, language)
                               : std::string());
    out += "</tr>";
    const std::string remarks = remarks_of(metric, language);
    if (!remarks.empty()) {
        out += fmt::format(R"(<tr class="remarks"><td colspan="5">{}</td></tr>)", escape(remarks));
    }
    out += "</tbody>\n";
}

void append_metric_table(std::string& out, const std::vector<const Metric*>& metrics, const Case& the_case,
                         Language language) {
    if (metrics.empty()) return;
    out += R"(<table class="metrics stack"><thead><tr>)";
    out += fmt::format("<th>{}</th>", phrase(language, "column.metric"));
    for (const std::string_view key :
         {"column.value", "column.interval", "column.spread", "column.samples"}) {
        out += fmt::format("<th class=\"number\">{}</th>", phrase(language, key));
    }
    out += "</tr></thead>\n";
    for (const Metric* metric : metrics) append_metric_row(out, *metric, the_case, language);
    out += "</table>\n";
}

void append_metrics(std::string& out, const Outcome& outcome, const Report& report, Language language) {
    const std::vector<const Metric*> metrics = metrics_beside_curve(outcome);
    append_metric_table(out, metrics, outcome.the_case, language);
    if (const std::optional<Curve> curve = curve_of(outcome)) out += curve_figure(*curve, report, language);
    std::string charts;
    for (const Metric* metric : metrics) {
        if (!is_textual(*metric))
            charts += metric_charts(*metric, short_name(*metric, outcome.the_case), language);
    }
    if (!charts.empty()) out += fmt::format("<div class=\"charts\">\n{}</div>\n", charts);
}

void append_checks(std::string& out, const Outcome& outcome, Language language) {
    if (outcome.checks.empty()) return;
    out += fmt::format("<div class=\"checks\"><h5>{}</h5><ul>", phrase(language, "case.checks"));
    for (const Check& check : outcome.checks) {
        out += fmt::format(R"(<li class="{}"><span class="sign" aria-hidden="true">{}</span> {}{}<b>{}</b>)",
                           check.passed ? "pass" : "fail", check.passed ? "✓" : "✗", escape(check.name),
                           phrase(language, "colon"),
                           phrase(language, check.passed ? "case.check_passed" : "case.check_failed"));
        std::string detail = check.detail;
        if (detail.empty() && check.error) {
            detail = phrase_with(language, "case.check_error", fmt::format("{:.3g}", *check.error));
        }
        if (!detail.empty()) out += fmt::format(" <small>{}</small>", escape(detail));
        out += "</li>";
    }
    out += "</ul></div>\n";
}

void append_conditions(std::string& out, const Conditions& conditions, Language language) {
    const std::pair<std::string_view, std::optional<double>> shares[] = {
        {"condition.cpu_steal", conditions.cpu_steal},
        {"condition.pressure", conditions.pressure},
        {"condition.throttled", conditions.throttled},
        {"condition.foreign_io", conditions.foreign_io},
        {"condition.foreign_cpu", conditions.foreign_cpu},
        {"condition.device_throttled", conditions.device_throttled},
    };
    std::string list;
    for (const auto& [key, share] : shares) {
        if (!share) continue;
        list += fmt::format("<li>{}{}<b>{:.1f} %</b></li>", phrase(language, key), phrase(language, "colon"),
                            *share * 100);
    }
    if (list.empty()) return;
    out += fmt::format("<div><h5>{}</h5><ul>{}</ul></div>\n", phrase(language, "case.conditions"), list);
}

void append_notes(std::string& out, const std::vector<std::string>& notes, Language language) {
    if (notes.empty()) return;
    out += fmt::format("<div class=\"notes\"><h5>{}</h5><ul>", phrase(language, "case.notes"));
    for (const std::string& note : notes) {
        out += fmt::format("<li>{}</li>", escape(note));
    }
    out += "</ul></div>\n";
}

void append_reason(std::string& out, const std::string& reason, Language language) {
    if (reason.empty()) return;
    out += fmt::format("<p class=\"reason\"><b>{}</b>{}{}</p>\n", phrase(language, "case.reason"),
                       phrase(language, "colon"), escape(reason));
}

/// `in_group`: its group says the reason, and has the heading above its own.
void append_case(std::string& out, const Report& report, const CaseTitle& title, std::size_t number,
                 bool in_group, Language language) {
    const Outcome& outcome = report.outcomes[number - 1];
    out += fmt::format(
        R"(<section class="case {0}" id="case-{1}"><{2}><code>{3}</code>{4} {5}</{2}>)"
        "\n",
        to_string(outcome.status), number, in_group ? "h4" : "h3", escape(title.probe),
        title.telling.empty() ? "" : fmt::format(" <span class=\"telling\">{}</span>", escape(title.telling)),
        badge(outcome.status, language));
    std::string when;
    if (!outcome.started_at.empty())
        when = phrase_with(language, "case.started", readable_time(outcome.started_at));
    if (outcome.duration_seconds > 0) {
        if (!when.empty()) when += phrase(language, "list_separator");
        when += phrase_with(language, "case.duration",
                            format_quantity(outcome.duration_seconds, Unit::second, language));
    }
    if (!when.empty()) out += fmt::format("<p class=\"small\">{}</p>\n", escape(when));
    if (!in_group) append_reason(out, outcome.reason, language);
    append_chips(out, phrase(language, "case.parameters"), outcome.the_case.parameters);
    if (!is_inventory(outcome)) {
        append_chips(out, phrase(language, "case.resolved"), outcome.resolved);
        append_metrics(out, outcome, report, language);
        append_telemetry(out, outcome, language);
    }
    out += "<div class=\"below\">\n";
    append_checks(out, outcome, language);
    append_conditions(out, outcome.conditions, language);
    append_notes(out, outcome.notes, language);
    out += "</div>\n</section>\n";
}

/// The reason once, and the cases that share it folded under it.
void append_group(std::string& out, const Report& report, const SkipGroup& group, std::size_t number,
                  const std::vector<CaseTitle>& titles, Language language) {
    out += fmt::format(R"(<section class="case {}" id="skips-{}"><h3>{} {}</h3>)"
                       "\n",
                       to_string(Status::skipped), number,
                       phrase_with(language, "text.case_group", group.outcomes.size()),
                       badge(Status::skipped, language));
    append_reason(out, group.outcomes.front()->reason, language);
    out += fmt::format("<details><summary>{}</summary>\n",
                       escape(group.probes(phrase(language, "list_separator"))));
    for (const Outcome* outcome : group.outcomes) {
        const std::size_t at = static_cast<std::size_t>(outcome - report.outcomes.data());
        append_case(out, report, titles[at], at + 1, true, language);
    }
    out += "</details>\n</section>\n";
}

}  // namespace

void append_cases(std::string& out, const Report& report, Language language) {
    out += fmt::format("<section id=\"measurements\">\n<h2>{}</h2>\n", phrase(language, "page.measurements"));
    const std::vector<CaseTitle> titles = case_titles(report.outcomes);
    if (titles.empty()) out += fmt::format("<p>{}</p>\n", phrase(language, "case.none"));
    const std::vector<SkipGroup> groups = skip_groups(report.outcomes);
    for (std::size_t at = 0; at < titles.size(); ++at) {
        const SkipGroup* const group = group_of(report.outcomes[at], groups);
        if (group == nullptr) {
            append_case(out, report, titles[at], at + 1, false, language);
        } else if (group->begins_with(report.outcomes[at])) {
            const std::size_t number = static_cast<std::size_t>(group - groups.data()) + 1;
            append_group(out, report, *group, number, titles, language);
        }
    }
    out += "</section>\n";
}

}  // namespace assay::html
