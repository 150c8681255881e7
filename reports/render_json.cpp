#include <nlohmann/json.hpp>

#include "reports/derived.h"
#include "reports/outcome_json.h"
#include "reports/report.h"
#include "reports/requirement_json.h"
#include "reports/run_summary.h"
#include "reports/utf8.h"

namespace assay {

using nlohmann::json;

namespace {

json text_or_null(std::string_view text) {
    if (text.empty()) return nullptr;
    return valid_utf8(text);
}

json lines_to_json(const std::vector<std::string>& lines) {
    json array = json::array();
    for (const std::string& line : lines) array.push_back(valid_utf8(line));
    return array;
}

json two_languages(const Text& text) {
    return json{{"en", text.en}, {"zh", text.zh}};
}

json measured_to_json(const JudgedRequirement& judged) {
    if (judged.measured) return *judged.measured;
    return text_or_null(judged.measured_text);
}

json judged_to_json(const JudgedRequirement& judged, const Report& report) {
    const Requirement& requirement = judged.requirement;
    json source = nullptr;
    if (!requirement.sources.empty()) {
        const Source& first = requirement.sources.front();
        source = {{"document", first.document}, {"section", first.section}, {"quote", first.quote}};
    }
    json object{{"id", requirement.id},
                {"status", to_string(judged.status)},
                {"counts_for", requirement.counts_for},
                {"counted", judged.counted},
                {"title", two_languages(requirement.title)},
                {"metric", text_or_null(judged.metric)},
                {"statistic", to_string(requirement.select.statistic)},
                {"measured", measured_to_json(judged)},
                {"ci95", nullptr},
                {"bound", bound_to_json(requirement)},
                {"unit", to_string(requirement.unit)},
                {"margin", judged.margin ? json(*judged.margin) : json(nullptr)},
                {"source", std::move(source)},
                {"sources", sources_to_json(requirement.sources)},
                {"reading", two_languages(requirement.reading)},
                {"remedy", requirement.remedy ? two_languages(*requirement.remedy) : json(nullptr)},
                {"reason", text_or_null(judged.reason)},
                {"reason_id", text_or_null(judged.reason_id)},
                {"notes", lines_to_json(judged.notes)},
                {"waived_from", nullptr},
                {"waiver", nullptr}};
    if (judged.ci95) object["ci95"] = json::array({judged.ci95->low, judged.ci95->high});
    if (judged.waived_from) {
        object["waived_from"] = to_string(*judged.waived_from);
        object["waiver"] = valid_utf8(waiver_reason(report, requirement.id));
    }
    return object;
}

json coverage_to_json(const Coverage& coverage) {
    return json{{"cases", coverage.cases},
                {"measured", coverage.measured},
                {"skipped", coverage.skipped},
                {"failed", coverage.failed},
                {"timed_out", coverage.timed_out},
                {"crashed", coverage.crashed},
                {"missing", coverage.missing},
                {"requirements", coverage.requirements},
                {"counted", coverage.counted},
                {"passed", coverage.passed},
                {"failed_requirements", coverage.failed_requirements},
                {"inconclusive", coverage.inconclusive},
                {"not_measured", coverage.not_measured},
                {"waived", coverage.waived}};
}

/// The machine as inventory.system saw it; the whole outcome stands among the outcomes too.
json inventory_to_json(const Report& report) {
    json inventory{{"status", nullptr}, {"metrics", json::array()}, {"resolved", json::object()}};
    for (const Outcome& outcome : report.outcomes) {
        if (outcome.the_case.probe != "inventory.system") continue;
        const json whole = outcome_to_json(outcome);
        inventory["status"] = whole["status"];
        inventory["resolved"] = whole["case"]["resolved"];
        for (const json& metric : whole["metrics"]) {
            const json& value = metric.contains("text") ? metric["text"] : metric["value"];
            inventory["metrics"].push_back(json{{"name", metric["name"]},
                                                {"unit", metric["unit"]},
                                                {"labels", metric["labels"]},
                                                {"value", value}});
        }
    }
    return inventory;
}

json measured_side_to_json(const Measured& side) {
    json object{{"metric", valid_utf8(side.metric->name)},
                {"statistic", to_string(side.metric->statistic)},
                {"value", side.metric->value},
                {"unit", to_string(side.metric->unit)},
                {"case", nullptr},
                {"labels", json::object()},
                {"resolved", json::object()}};
    if (side.outcome == nullptr) return object;
    object["case"] = valid_utf8(case_name(side.outcome->the_case));
    for (const auto& [name, value] : side.metric->labels)
        object["labels"][valid_utf8(name)] = value_to_json(value);
    for (const char* name : {"arithmetic", "isa", "threads"}) {
        const std::string_view value =
            name == std::string_view("isa") ? isa_of(side) : resolved_of(*side.outcome, name);
        if (!value.empty()) object["resolved"][name] = value_to_json(std::string(value));
    }
    return object;
}

json derived_to_json(const DerivedFigure& derived) {
    json object{{"kind", to_string(derived.kind)},         {"value", *derived.figure.value},
                {"unit", to_string(Unit::ratio)},          {"ci95", nullptr},
                {"of", measured_side_to_json(derived.of)}, {"to", measured_side_to_json(derived.to)},
                {"other_shape", derived.other_shape},      {"notes", lines_to_json(derived.figure.notes)}};
    if (derived.figure.ci95)
        object["ci95"] = json::array({derived.figure.ci95->low, derived.figure.ci95->high});
    return object;
}

/// One line a member and a line an element of the long arrays: the file can be read, searched and compared
/// line by line, and stays small.
class Document {
  public:
    void member(std::string_view key, const json& value) {
        begin(key);
        out_ += compact(value);
    }

    template <typename Elements, typename ToJson>
    void lines(std::string_view key, const Elements& elements, const ToJson& element_to_json) {
        begin(key);
        out_ += '[';
        bool first = true;
        for (const auto& element : elements) {
            out_ += first ? "\n  " : ",\n  ";
            out_ += compact(element_to_json(element));
            first = false;
        }
        out_ += first ? "]" : "\n ]";
    }

    std::string finish() { return out_ + "\n}\n"; }

  private:
    void begin(std::string_view key) {
        out_ += out_.empty() ? "{\n " : ",\n ";
        out_ += compact(key);
        out_ += ": ";
    }

    static std::string compact(const json& value) {
        return value.dump(-1, ' ', false, json::error_handler_t::replace);
    }

    std::string out_;
};

}  // namespace

std::string render_json(const Report& report) {
    const RunHeader& header = report.header;
    Document document;
    document.member("schema", "assay.report/1");
    document.member("verdict", to_string(report.verdict));
    document.member("suite", header.suite);
    document.member("title", two_languages(report.suite_title));
    document.member("tier", text_or_null(report.tier));
    document.member("run", {{"quick", header.quick},
                            {"tool_version", header.tool_version},
                            {"commit", text_or_null(header.commit)},
                            {"compiler", text_or_null(header.compiler)},
                            {"command_line", lines_to_json(header.command_line)},
                            {"started_at", text_or_null(header.started_at)},
                            {"machine", text_or_null(header.machine)}});
    document.lines("requirements", report.requirements,
                   [&](const JudgedRequirement& judged) { return judged_to_json(judged, report); });
    document.member("coverage", coverage_to_json(report.coverage));
    document.member("failed_cases", lines_to_json(report.failed_cases));
    document.member("unfinished_cases", lines_to_json(report.unfinished_cases));
    document.lines("waivers", report.waivers, [](const Waiver& waiver) {
        return json{{"requirement", waiver.requirement}, {"reason", valid_utf8(waiver.reason)}};
    });
    document.lines("contradictions", report.contradictions, contradiction_to_json);
    document.member("journal_notes", lines_to_json(report.journal_notes));
    document.member("inventory", inventory_to_json(report));
    document.lines("derived", derived_figures(report.outcomes), derived_to_json);
    document.lines("outcomes", report.outcomes, outcome_to_json);
    return document.finish();
}

}  // namespace assay
