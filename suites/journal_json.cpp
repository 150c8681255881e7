#include "suites/journal_json.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "reports/outcome_json.h"
#include "suites/device_json.h"
#include "suites/json_text.h"

namespace assay {
namespace {

using nlohmann::json;

constexpr std::string_view journal_schema = "assay.journal/1";

json run_to_json(const RunHeader& run) {
    return {{"suite", run.suite},
            {"tier", run.tier},
            {"quick", run.quick},
            {"tool_version", run.tool_version},
            {"commit", run.commit},
            {"compiler", run.compiler},
            {"command_line", run.command_line},
            {"started_at", run.started_at},
            {"machine", run.machine}};
}

RunHeader run_from_json(const json& value) {
    RunHeader run;
    value.at("suite").get_to(run.suite);
    value.at("tier").get_to(run.tier);
    value.at("quick").get_to(run.quick);
    value.at("tool_version").get_to(run.tool_version);
    value.at("commit").get_to(run.commit);
    value.at("compiler").get_to(run.compiler);
    value.at("command_line").get_to(run.command_line);
    value.at("started_at").get_to(run.started_at);
    value.at("machine").get_to(run.machine);
    return run;
}

json planned_to_json(const PlannedCase& planned) {
    json value = {{"case", case_to_json(planned.the_case)},
                  {"required", planned.required},
                  {"expected_seconds", planned.expected_seconds},
                  {"time_limit_seconds", planned.time_limit_seconds},
                  {"written_bytes", planned.written_bytes}};
    if (planned.skip_reason) value["skip_reason"] = *planned.skip_reason;
    return value;
}

PlannedCase planned_from_json(const json& value) {
    PlannedCase planned;
    planned.the_case = case_from_json(value.at("case"));
    value.at("required").get_to(planned.required);
    value.at("expected_seconds").get_to(planned.expected_seconds);
    value.at("time_limit_seconds").get_to(planned.time_limit_seconds);
    value.at("written_bytes").get_to(planned.written_bytes);
    if (value.contains("skip_reason")) planned.skip_reason = value["skip_reason"].get<std::string>();
    return planned;
}

/// A text that the system gave (a host name, an argument) need not be UTF-8.
std::string dump(const json& value) {
    return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace

std::string header_line(const JournalHeader& header) {
    json value = {{"schema", journal_schema},
                  {"run", run_to_json(header.run)},
                  {"plan", json::array()},
                  {"waivers", json::array()},
                  {"suite", json::parse(header.suite_json)}};
    for (const PlannedCase& planned : header.plan.cases) value["plan"].push_back(planned_to_json(planned));
    for (const Waiver& waiver : header.waivers)
        value["waivers"].push_back({{"requirement", waiver.requirement}, {"reason", waiver.reason}});
    add_survey(value, header.survey);
    return dump(value);
}

std::string outcome_line(const Outcome& outcome) {
    return dump(outcome_to_json(outcome));
}

JournalHeader header_from_line(std::string_view line) {
    JournalHeader header;
    try {
        const json value = json::parse(line);
        const std::string schema = value.at("schema").get<std::string>();
        if (schema != journal_schema)
            throw InputError(
                fmt::format("schema \"{}\" is unknown; accepted is \"{}\"", schema, journal_schema));
        header.run = run_from_json(value.at("run"));
        for (const json& planned : value.at("plan")) header.plan.cases.push_back(planned_from_json(planned));
        for (const json& waiver : value.at("waivers"))
            header.waivers.push_back({waiver.at("requirement"), waiver.at("reason")});
        header.survey = survey_from_json(value);
        header.suite_json = dump(value.at("suite"));
    } catch (const json::exception& error) {
        throw InputError(fmt::format("not the first line of an assay journal ({})", error.what()));
    }
    return header;
}

Outcome outcome_from_line(std::string_view line) {
    try {
        return outcome_from_json(json::parse(line));
    } catch (const json::exception& error) {
        throw InputError(fmt::format("no outcome ({})", error.what()));
    }
}

}  // namespace assay
