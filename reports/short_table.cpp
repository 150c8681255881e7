#include "reports/short_table.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "reports/case_names.h"
#include "reports/curve_table.h"
#include "reports/figure.h"
#include "reports/measured_limits.h"
#include "reports/run_summary.h"
#include "reports/terminal_table.h"
#include "reports/text_figures.h"
#include "reports/texts.h"

namespace assay {

namespace {

using nlohmann::ordered_json;

const PeerFigure* peer_of(const Metric& metric, const Outcome& outcome,
                          const std::vector<PeerFigure>& peers) {
    for (const PeerFigure& peer : peers) {
        if (peer.metric != metric.name || peer.device != parameter_of(outcome, "device")) continue;
        const bool same = std::all_of(peer.labels.begin(), peer.labels.end(), [&](const auto& label) {
            const Labels::const_iterator found = metric.labels.find(label.first);
            return found != metric.labels.end() && found->second == label.second;
        });
        if (same) return &peer;
    }
    return nullptr;
}

std::string peers_in_words(const Report& report, const std::vector<PeerFigure>& peers, Language language,
                           int columns) {
    const CaseNames names(report.cases, report.outcomes);
    std::string text;
    for (const Outcome& outcome : report.outcomes) {
        if (outcome.status != Status::measured) continue;
        for (const Metric& metric : outcome.metrics) {
            const PeerFigure* const peer = peer_of(metric, outcome, peers);
            if (peer == nullptr) continue;
            const std::string line =
                phrase_with(language, "table.peer", names(outcome.the_case),
                            fmt::format("{:.3f}", metric.value / peer->value),
                            format_quantity(peer->value, metric.unit, language), peer->source);
            for (const std::string& part : wrapped(line, columns)) text += part + '\n';
        }
    }
    return text.empty() ? text : text + '\n';
}

ordered_json row_of(const Metric& metric, const Outcome& outcome, const CaseNames& names,
                    const std::vector<PeerFigure>& peers) {
    ordered_json row = {{"case", names(outcome.the_case)}, {"status", to_string(outcome.status)},
                        {"metric", metric.name},           {"labels", metric.labels},
                        {"unit", to_string(metric.unit)},  {"value", metric.value}};
    const Figure figure = figure_of(metric, metric.statistic);
    row["ci95"] = nullptr;
    if (figure.ci95) row["ci95"] = {figure.ci95->low, figure.ci95->high};
    row["limit"] = nullptr;
    row["share"] = nullptr;
    if (metric.limit && metric.limit->value > 0) {
        row["limit"] = {{"value", metric.limit->value}, {"source", metric.limit->source}};
        row["share"] = metric.value / metric.limit->value;
    }
    row["peer"] = nullptr;
    if (const PeerFigure* const peer = peer_of(metric, outcome, peers))
        row["peer"] = {
            {"value", peer->value}, {"source", peer->source}, {"ratio", metric.value / peer->value}};
    return row;
}

}  // namespace

std::string render_table(const Report& report, const std::vector<PeerFigure>& peers, Language language,
                         int columns) {
    std::string text;
    for (const std::string& part : wrapped(run_in_one_line(report, language), columns)) text += part + '\n';
    if (report.header.quick)
        for (const std::string& part : wrapped(phrase(language, "lead.quick"), columns)) text += part + '\n';
    text += '\n' + text_figures(report, language, columns) + '\n';
    text += peers_in_words(report, peers, language, columns);
    const Coverage& coverage = report.coverage;
    const std::string line =
        phrase_with(language, "fact.cases_line", coverage.cases, coverage.measured, coverage.skipped,
                    coverage.failed, coverage.timed_out, coverage.crashed, coverage.missing);
    for (const std::string& part : wrapped(
             fmt::format("{}{}{}", phrase(language, "fact.cases"), phrase(language, "colon"), line), columns))
        text += part + '\n';
    return text;
}

std::string render_table_json(const Report& report, const std::vector<PeerFigure>& peers) {
    const Coverage& coverage = report.coverage;
    ordered_json document = {{"schema", "assay.table/1"},
                             {"suite", report.header.suite},
                             {"quick", report.header.quick},
                             {"machine", report.header.machine},
                             {"started_at", report.header.started_at},
                             {"cases",
                              {{"measured", coverage.measured},
                               {"skipped", coverage.skipped},
                               {"failed", coverage.failed},
                               {"timed_out", coverage.timed_out},
                               {"crashed", coverage.crashed},
                               {"not_run", coverage.missing}}},
                             {"rows", ordered_json::array()}};
    const CaseNames names(report.cases, report.outcomes);
    for (const Outcome& outcome : report.outcomes) {
        if (outcome.status != Status::measured)
            document["rows"].push_back({{"case", names(outcome.the_case)},
                                        {"status", to_string(outcome.status)},
                                        {"reason", outcome.reason}});
        else
            for (const Metric* metric : metrics_beside_curve(outcome))
                if (metric->unit != Unit::version && metric->unit != Unit::text)
                    document["rows"].push_back(row_of(*metric, outcome, names, peers));
    }
    return document.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace assay
