#include <map>
#include <memory>
#include <set>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "reports/texts.h"
#include "suites/cli/commands.h"
#include "suites/cli/list_devices.h"
#include "suites/cli/output.h"

namespace assay::cli {
namespace {

using nlohmann::json;

struct ListOptions {
    std::string what;
    bool json = false;
};

std::string_view kind_name(ParameterKind kind) {
    switch (kind) {
        case ParameterKind::integer:
            return "integer";
        case ParameterKind::bytes:
            return "bytes";
        case ParameterKind::seconds:
            return "seconds";
        case ParameterKind::real:
            return "real";
        case ParameterKind::choice:
            return "choice";
        case ParameterKind::text:
            return "text";
        case ParameterKind::device:
            return "device";
    }
    return "text";
}

bool is_number(ParameterKind kind) {
    return kind == ParameterKind::integer || kind == ParameterKind::bytes || kind == ParameterKind::seconds ||
           kind == ParameterKind::real;
}

json parameter_to_json(const Parameter& parameter) {
    json value = {{"name", parameter.name},
                  {"kind", kind_name(parameter.kind)},
                  {"default", parameter.fallback},
                  {"meaning", parameter.meaning}};
    if (is_number(parameter.kind)) value["minimum"] = parameter.minimum;
    if (is_number(parameter.kind) && parameter.maximum > 0) value["maximum"] = parameter.maximum;
    if (!parameter.choices.empty()) value["choices"] = parameter.choices;
    return value;
}

json metric_to_json(const MetricDeclaration& metric) {
    return {{"name", metric.name},
            {"unit", to_string(metric.unit)},
            {"direction", to_string(metric.direction)},
            {"summary", metric.summary},
            {"axes", metric.axes}};
}

json probes_to_json(const Catalogue& catalogue) {
    json list = json::array();
    for (const Probe& probe : catalogue.probes) {
        json value = {{"name", probe.name},
                      {"summary", probe.summary},
                      {"parameters", json::array()},
                      {"metrics", json::array()}};
        for (const Parameter& parameter : probe.parameters)
            value["parameters"].push_back(parameter_to_json(parameter));
        for (const MetricDeclaration& metric : probe.metrics)
            value["metrics"].push_back(metric_to_json(metric));
        list.push_back(value);
    }
    return list;
}

std::string range_text(const Parameter& parameter) {
    if (!parameter.choices.empty()) return fmt::format("one of {}", fmt::join(parameter.choices, " "));
    if (!is_number(parameter.kind)) return std::string(kind_name(parameter.kind));
    if (parameter.maximum > 0)
        return fmt::format("{}, {} to {}", kind_name(parameter.kind), parameter.minimum, parameter.maximum);
    return fmt::format("{}, at least {}", kind_name(parameter.kind), parameter.minimum);
}

std::string probes_text(const Catalogue& catalogue) {
    std::string text = "PROBES\n";
    for (const Probe& probe : catalogue.probes) {
        text += fmt::format("{}\n    {}\n", probe.name, probe.summary);
        for (const Parameter& parameter : probe.parameters)
            text += fmt::format("    --set {}={}  {} ({})\n", parameter.name, parameter.fallback,
                                parameter.meaning, range_text(parameter));
        for (const MetricDeclaration& metric : probe.metrics)
            text += fmt::format("    -> {} [{}]: {}\n", metric.name, to_string(metric.unit), metric.summary);
    }
    std::set<std::string_view> planned;
    for (const PlannedMetric& metric : catalogue.planned) planned.insert(metric.probe);
    if (!planned.empty()) text += fmt::format("Not in this version yet: {}\n", fmt::join(planned, ", "));
    return text;
}

/// How many requirements count for what.
std::map<std::string, std::size_t> counts_of(const Suite& suite) {
    std::map<std::string, std::size_t> counts;
    for (const Requirement& requirement : suite.requirements)
        for (const std::string& name : requirement.counts_for) ++counts[name];
    return counts;
}

json suite_to_json(const std::string& name, const Catalogue& catalogue) {
    const Suite suite = load_suite(name, "", catalogue);
    json value = {{"name", suite.name},
                  {"title", {{"en", suite.title.en}, {"zh", suite.title.zh}}},
                  {"cases", entries_in_force(suite).size()},
                  {"requirements", suite.requirements.size()},
                  {"requirements_by_what_they_count_for", counts_of(suite)},
                  {"contradictions", suite.contradictions.size()},
                  {"tiers", json::array()}};
    for (const std::string& tier : tier_names(name)) {
        const Suite with_tier = load_suite(name, tier, catalogue);
        json described = {{"name", tier},
                          {"cases", entries_in_force(with_tier).size()},
                          {"requirements", with_tier.requirements.size()}};
        if (with_tier.ordered)
            described["ordered"] = {{"en", with_tier.ordered->en}, {"zh", with_tier.ordered->zh}};
        value["tiers"].push_back(described);
    }
    return value;
}

json suites_to_json(const Catalogue& catalogue) {
    json list = json::array();
    for (const std::string& name : suite_names()) list.push_back(suite_to_json(name, catalogue));
    return list;
}

std::string suites_text(const Catalogue& catalogue) {
    std::string text = "SUITES\n";
    for (const json& suite : suites_to_json(catalogue)) {
        text += fmt::format("{}: {} ({} cases, {} requirements, {} contradictions shown)\n",
                            suite["name"].get<std::string>(), suite["title"]["en"].get<std::string>(),
                            suite["cases"].get<int>(), suite["requirements"].get<int>(),
                            suite["contradictions"].get<int>());
        for (const json& tier : suite["tiers"])
            text += fmt::format("    --tier {:<14} {}\n", tier["name"].get<std::string>(),
                                tier.contains("ordered") ? tier["ordered"]["en"].get<std::string>() : "");
    }
    return text;
}

json models_to_json() {
    json list = json::array();
    for (const Model& model : load_models())
        list.push_back({{"name", model.name},
                        {"architecture", model.architecture},
                        {"parameters", model.parameters},
                        {"active_parameters", model.active_parameters},
                        {"layers", model.layers},
                        {"hidden_size", model.hidden_size},
                        {"vocabulary", model.vocabulary},
                        {"source", model.source}});
    return list;
}

std::string models_text() {
    std::string text = "MODELS\n";
    for (const Model& model : load_models())
        text += fmt::format("{:<32} {:>6.1f} B parameters, {:>5.1f} B active a token, {}\n", model.name,
                            static_cast<double>(model.parameters) / 1e9,
                            static_cast<double>(model.active_parameters) / 1e9, model.architecture);
    return text;
}

std::string list(const ListOptions& options, const Catalogue& catalogue) {
    const auto wanted = [&](std::string_view what) { return options.what.empty() || options.what == what; };
    if (options.json) {
        json document = {{"schema", "assay.list/1"}};
        if (wanted("probes")) document["probes"] = probes_to_json(catalogue);
        if (wanted("suites")) document["suites"] = suites_to_json(catalogue);
        if (wanted("devices")) add_devices(document);
        if (wanted("models")) document["models"] = models_to_json();
        return document.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
    }
    std::vector<std::string> parts;
    if (wanted("probes")) parts.push_back(probes_text(catalogue));
    if (wanted("suites")) parts.push_back(suites_text(catalogue));
    if (wanted("devices")) parts.push_back(devices_text(style_of_output().columns));
    if (wanted("models")) parts.push_back(models_text());
    return fmt::format("{}", fmt::join(parts, "\n"));
}

}  // namespace

void add_list_command(CLI::App& app, Program& program) {
    const std::shared_ptr<ListOptions> options = std::make_shared<ListOptions>();
    CLI::App* const command = app.add_subcommand("list", "List probes, suites, devices and models");
    command->add_option("WHAT", options->what, "probes, suites, devices or models; all when left out")
        ->check(CLI::IsMember({"probes", "suites", "devices", "models"}));
    command->add_flag("--json", options->json, "Print as JSON");
    command->callback([options, &program] {
        print(list(*options, program.catalogue));
        program.exit_code = 0;
    });
}

}  // namespace assay::cli
