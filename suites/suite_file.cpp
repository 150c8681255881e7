#include "suites/suite_file.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "reports/json_reader.h"
#include "reports/outcome_json.h"
#include "reports/requirement_json.h"
#include "suites/json_text.h"

namespace assay {
namespace {

using nlohmann::json;

constexpr std::string_view suite_schema = "assay.suite/1";

std::string read_filled(const JsonNode& node) {
    std::string text = node.text();
    if (text.empty()) node.expected("a text that is not empty");
    return text;
}

std::string read_filled_or_nothing(const JsonNode& node, std::string_view key) {
    const std::optional<JsonNode> found = node.find(key);
    return found ? read_filled(*found) : std::string();
}

Text read_text(const JsonNode& node) {
    node.only_keys({"en", "zh"});
    return {read_filled(node.required("en")), read_filled(node.required("zh"))};
}

json text_to_json(const Text& text) {
    return {{"en", text.en}, {"zh", text.zh}};
}

std::map<std::string, std::string> read_parameters(const JsonNode& node) {
    node.expect_object();
    std::map<std::string, std::string> parameters;
    for (const auto& [name, value] : node.value().items()) {
        const JsonNode parameter = node.required(name);
        if (!value.is_string() && !value.is_number()) parameter.expected("a number or a string");
        parameters[name] = value_from_json(value);
    }
    return parameters;
}

json parameters_to_json(const std::map<std::string, std::string>& parameters) {
    json object = json::object();
    for (const auto& [name, value] : parameters) object[name] = value_to_json(value);
    return object;
}

std::vector<std::string> read_names(const JsonNode& node) {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < node.expect_array(); ++i) names.push_back(read_filled(node.element(i)));
    return names;
}

SuiteDocument read_document(const JsonNode& node) {
    node.only_keys({"id", "title", "date", "file"});
    return {read_filled(node.required("id")), read_filled(node.required("title")),
            read_filled_or_nothing(node, "date"), read_filled_or_nothing(node, "file")};
}

json document_to_json(const SuiteDocument& document) {
    json object = {{"id", document.id}, {"title", document.title}};
    if (!document.date.empty()) object["date"] = document.date;
    if (!document.file.empty()) object["file"] = document.file;
    return object;
}

double read_time_limit(const JsonNode& node) {
    const double seconds = node.number();
    if (!(seconds > 0)) node.expected("a number of seconds above 0");
    return seconds;
}

int read_gpus(const JsonNode& node) {
    const double gpus = node.number();
    if (!(gpus >= 1 && gpus <= 1024) || gpus != static_cast<int>(gpus))
        node.expected("a whole number of GPUs from 1 to 1024");
    return static_cast<int>(gpus);
}

SuiteEntry read_entry(const JsonNode& node) {
    node.only_keys({"probe", "parameters", "quick", "required", "time_limit", "tiers", "minimum_gpus"});
    SuiteEntry entry;
    entry.probe = read_filled(node.required("probe"));
    if (const std::optional<JsonNode> found = node.find("parameters"))
        entry.parameters = read_parameters(*found);
    if (const std::optional<JsonNode> found = node.find("quick"))
        entry.quick_parameters = read_parameters(*found);
    if (const std::optional<JsonNode> found = node.find("required")) entry.required = found->boolean();
    if (const std::optional<JsonNode> found = node.find("time_limit"))
        entry.time_limit_seconds = read_time_limit(*found);
    if (const std::optional<JsonNode> found = node.find("tiers")) entry.tiers = read_names(*found);
    if (const std::optional<JsonNode> found = node.find("minimum_gpus"))
        entry.minimum_gpus = read_gpus(*found);
    return entry;
}

json entry_to_json(const SuiteEntry& entry) {
    json object = {{"probe", entry.probe},
                   {"parameters", parameters_to_json(entry.parameters)},
                   {"required", entry.required}};
    if (!entry.quick_parameters.empty()) object["quick"] = parameters_to_json(entry.quick_parameters);
    if (entry.time_limit_seconds) object["time_limit"] = *entry.time_limit_seconds;
    if (!entry.tiers.empty()) object["tiers"] = entry.tiers;
    if (entry.minimum_gpus > 0) object["minimum_gpus"] = entry.minimum_gpus;
    return object;
}

/// Reads each element of the list under `key`, if there is one, and keeps where it stands.
template <typename Read>
std::vector<std::string> read_list(const JsonNode& root, std::string_view key, const Read& read) {
    std::vector<std::string> places;
    const std::optional<JsonNode> list = root.find(key);
    for (std::size_t i = 0; list && i < list->expect_array(); ++i) {
        const JsonNode element = list->element(i);
        places.push_back(element.where());
        read(element);
    }
    return places;
}

void refuse_duplicates(const std::vector<std::string>& ids, const std::vector<std::string>& places) {
    for (std::size_t i = 0; i < ids.size(); ++i)
        for (std::size_t j = 0; j < i; ++j)
            if (ids[i] == ids[j])
                throw InputError(fmt::format("{}/id: \"{}\" stands already at {}; an id is accepted once",
                                             places[i], ids[i], places[j]));
}

template <typename Item>
std::vector<std::string> ids_of(const std::vector<Item>& items) {
    std::vector<std::string> ids;
    for (const Item& item : items) ids.push_back(item.id);
    return ids;
}

/// Adds `extra` to `base`; an item whose id is there replaces it in place.
template <typename Item>
void replace_or_add(std::vector<Item>& base, std::vector<std::string>& places, std::vector<Item>& extra,
                    const std::vector<std::string>& extra_places) {
    for (std::size_t i = 0; i < extra.size(); ++i) {
        const std::vector<std::string> ids = ids_of(base);
        const std::size_t index =
            static_cast<std::size_t>(std::find(ids.begin(), ids.end(), extra[i].id) - ids.begin());
        if (index < base.size()) {
            base[index] = std::move(extra[i]);
            places[index] = extra_places[i];
        } else {
            base.push_back(std::move(extra[i]));
            places.push_back(extra_places[i]);
        }
    }
}

}  // namespace

SuiteFile read_suite_file(std::string_view content, const std::string& file) {
    const json value = parse_json(content, file);
    const std::string root_name = file + "#";
    const JsonNode root(value, root_name);
    root.only_keys({"schema", "name", "title", "extends", "tier", "ordered", "documents", "cases",
                    "requirements", "contradictions"});
    const JsonNode schema = root.required("schema");
    if (schema.text() != suite_schema) schema.expected(fmt::format("\"{}\"", suite_schema));
    SuiteFile read;
    read.file = file;
    Suite& suite = read.suite;
    suite.name = read_filled(root.required("name"));
    suite.title = read_text(root.required("title"));
    suite.tier = read_filled_or_nothing(root, "tier");
    read.extends = read_filled_or_nothing(root, "extends");
    if (const std::optional<JsonNode> ordered = root.find("ordered")) suite.ordered = read_text(*ordered);
    const std::vector<std::string> document_places = read_list(
        root, "documents", [&](const JsonNode& node) { suite.documents.push_back(read_document(node)); });
    read.entry_places =
        read_list(root, "cases", [&](const JsonNode& node) { suite.entries.push_back(read_entry(node)); });
    read.requirement_places = read_list(root, "requirements", [&](const JsonNode& node) {
        suite.requirements.push_back(requirement_from_json(node.value(), node.where()));
    });
    read.contradiction_places = read_list(root, "contradictions", [&](const JsonNode& node) {
        suite.contradictions.push_back(contradiction_from_json(node.value(), node.where()));
    });
    refuse_duplicates(ids_of(suite.documents), document_places);
    refuse_duplicates(ids_of(suite.requirements), read.requirement_places);
    refuse_duplicates(ids_of(suite.contradictions), read.contradiction_places);
    return read;
}

SuiteFile lay_over(SuiteFile suite, SuiteFile tier) {
    if (tier.extends != suite.suite.name)
        throw InputError(
            fmt::format("{}#/extends: \"{}\" is not the suite that was asked for; accepted is \"{}\"",
                        tier.file, tier.extends, suite.suite.name));
    suite.suite.tier = tier.suite.name;
    suite.suite.ordered = tier.suite.ordered;
    const std::vector<std::string> known = ids_of(suite.suite.documents);
    for (SuiteDocument& document : tier.suite.documents)
        if (std::find(known.begin(), known.end(), document.id) == known.end())
            suite.suite.documents.push_back(std::move(document));
    for (std::size_t i = 0; i < tier.suite.entries.size(); ++i) {
        suite.suite.entries.push_back(std::move(tier.suite.entries[i]));
        suite.entry_places.push_back(tier.entry_places[i]);
    }
    replace_or_add(suite.suite.requirements, suite.requirement_places, tier.suite.requirements,
                   tier.requirement_places);
    replace_or_add(suite.suite.contradictions, suite.contradiction_places, tier.suite.contradictions,
                   tier.contradiction_places);
    return suite;
}

std::string suite_to_json(const Suite& suite) {
    json value = {{"schema", suite_schema}, {"name", suite.name}, {"title", text_to_json(suite.title)}};
    if (!suite.tier.empty()) value["tier"] = suite.tier;
    if (suite.ordered) value["ordered"] = text_to_json(*suite.ordered);
    value["documents"] = json::array();
    for (const SuiteDocument& document : suite.documents)
        value["documents"].push_back(document_to_json(document));
    value["cases"] = json::array();
    for (const SuiteEntry& entry : suite.entries) value["cases"].push_back(entry_to_json(entry));
    value["requirements"] = json::array();
    for (const Requirement& requirement : suite.requirements)
        value["requirements"].push_back(requirement_to_json(requirement));
    value["contradictions"] = json::array();
    for (const Contradiction& contradiction : suite.contradictions)
        value["contradictions"].push_back(contradiction_to_json(contradiction));
    return value.dump();
}

}  // namespace assay
