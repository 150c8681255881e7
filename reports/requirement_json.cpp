#include "reports/requirement_json.h"

#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "reports/json_names.h"
#include "reports/json_reader.h"
#include "reports/outcome_json.h"

namespace assay {

using nlohmann::json;

namespace {

bool is_in_words(Unit unit) {
    return unit == Unit::version || unit == Unit::text;
}

std::string read_filled_text(const JsonNode& node) {
    std::string text = node.text();
    if (text.empty()) node.fail("must not be empty");
    return text;
}

std::string read_id(const JsonNode& node) {
    std::string id = node.text();
    constexpr std::string_view accepted = "abcdefghijklmnopqrstuvwxyz0123456789-.";
    if (id.empty() || id.find_first_not_of(accepted) != std::string::npos) {
        node.expected("an id of lower-case letters, digits, - and .");
    }
    return id;
}

Text read_text(const JsonNode& node) {
    node.only_keys({"en", "zh"});
    const JsonNode en = node.required("en");
    const JsonNode zh = node.required("zh");
    return {read_filled_text(en), read_filled_text(zh)};
}

std::vector<std::string> read_texts(const JsonNode& node) {
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < node.expect_array(); ++i) texts.push_back(read_filled_text(node.element(i)));
    const std::set<std::string> distinct(texts.begin(), texts.end());
    if (distinct.size() != texts.size()) node.fail("a value stands here twice");
    return texts;
}

std::vector<std::string> read_some_texts(const JsonNode& node) {
    std::vector<std::string> texts = read_texts(node);
    if (texts.empty()) node.fail("must not be empty");
    return texts;
}

std::vector<Source> read_sources(const JsonNode& node) {
    std::vector<Source> sources;
    for (std::size_t i = 0; i < node.expect_array(); ++i) {
        const JsonNode source = node.element(i);
        source.only_keys({"document", "section", "quote"});
        const JsonNode document = source.required("document");
        const JsonNode section = source.required("section");
        const JsonNode quote = source.required("quote");
        sources.push_back({read_filled_text(document), section.text(), read_filled_text(quote)});
    }
    if (sources.empty()) node.fail("must not be empty: every bound quotes its document");
    return sources;
}

Labels read_labels(const JsonNode& node) {
    node.expect_object();
    Labels labels;
    for (const auto& [name, value] : node.value().items()) {
        if (!value.is_string() && !value.is_number()) {
            const JsonNode label = node.required(name);
            label.expected("a number or a string");
        }
        labels.emplace(name, value_from_json(value));
    }
    return labels;
}

Selection read_selection(const JsonNode& node) {
    node.only_keys({"metric", "labels", "statistic", "several"});
    Selection selection;
    const JsonNode metric = node.required("metric");
    selection.metric = read_filled_text(metric);
    const std::optional<JsonNode> labels = node.find("labels");
    if (labels) selection.labels = read_labels(*labels);
    const std::optional<JsonNode> statistic = node.find("statistic");
    if (statistic) selection.statistic = read_name<Statistic>(*statistic);
    const std::optional<JsonNode> several = node.find("several");
    if (several) {
        const std::string choice = several->text();
        if (choice != "each" && choice != "best") {
            several->fail(fmt::format("unknown choice \"{}\"; accepted: each, best", choice));
        }
        selection.several = choice == "each" ? Selection::Several::each : Selection::Several::best;
    }
    return selection;
}

void read_bound_in_words(const JsonNode& node, Unit unit, Bound& bound) {
    const bool fits = unit == Unit::version ? bound.comparison != Comparison::between
                                            : bound.comparison == Comparison::equals;
    if (!fits) {
        node.fail(fmt::format("a {} has no such comparison; accepted: {}", to_string(unit),
                              unit == Unit::version ? "at_least, above, at_most, below, equals" : "equals"));
    }
    bound.text = read_filled_text(node);
}

Bound read_bound(const JsonNode& node, Unit unit) {
    node.only_keys({"at_least", "above", "at_most", "below", "between", "equals"});
    if (node.value().size() != 1) {
        node.fail("expected exactly one of at_least, above, at_most, below, between, equals");
    }
    Bound bound;
    const std::string key = node.value().begin().key();
    const std::vector<std::string_view> names = all_names<Comparison>();
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (names[i] == key) bound.comparison = static_cast<Comparison>(i);
    }
    const JsonNode value = node.required(key);
    if (is_in_words(unit)) {
        read_bound_in_words(value, unit, bound);
    } else if (bound.comparison == Comparison::between) {
        if (value.expect_array() != 2) value.expected("[lower, upper]");
        bound.low = value.element(0).number();
        bound.high = value.element(1).number();
        if (bound.low > bound.high) value.fail("the lower end is above the upper one");
    } else {
        bound.low = value.number();
    }
    return bound;
}

json text_to_json(const Text& text) {
    return json{{"en", text.en}, {"zh", text.zh}};
}

json selection_to_json(const Selection& selection) {
    json object{{"metric", selection.metric}, {"statistic", to_string(selection.statistic)}};
    if (!selection.labels.empty()) {
        object["labels"] = json::object();
        for (const auto& [name, value] : selection.labels) object["labels"][name] = value_to_json(value);
    }
    if (selection.several == Selection::Several::each) object["several"] = "each";
    if (selection.several == Selection::Several::best) object["several"] = "best";
    return object;
}

}  // namespace

std::string_view to_string(Comparison comparison) {
    switch (comparison) {
        case Comparison::at_least:
            return "at_least";
        case Comparison::above:
            return "above";
        case Comparison::at_most:
            return "at_most";
        case Comparison::below:
            return "below";
        case Comparison::between:
            return "between";
        case Comparison::equals:
            return "equals";
    }
    return "?";
}

Requirement requirement_from_json(const json& value, const std::string& where) {
    const JsonNode node(value, where);
    node.only_keys({"id", "counts_for", "only_with", "title", "select", "ratio", "bound", "unit", "sources",
                    "reading", "remedy"});
    Requirement requirement;
    requirement.id = read_id(node.required("id"));
    requirement.counts_for = read_some_texts(node.required("counts_for"));
    const std::optional<JsonNode> only_with = node.find("only_with");
    if (only_with) {
        if (only_with->text() != "gpu") only_with->expected("\"gpu\"");
        requirement.only_with_gpu = true;
    }
    requirement.title = read_text(node.required("title"));
    const std::optional<JsonNode> select = node.find("select");
    const std::optional<JsonNode> ratio = node.find("ratio");
    if (select.has_value() == ratio.has_value()) node.fail("expected either \"select\" or \"ratio\"");
    if (ratio) {
        ratio->only_keys({"of", "to"});
        const JsonNode of = ratio->required("of");
        const JsonNode to = ratio->required("to");
        requirement.select = read_selection(of);
        requirement.divided_by = read_selection(to);
    } else {
        requirement.select = read_selection(*select);
    }
    requirement.unit = read_name<Unit>(node.required("unit"));
    const JsonNode bound = node.required("bound");
    requirement.bound = read_bound(bound, requirement.unit);
    if (ratio && is_in_words(requirement.unit)) node.fail("a ratio is a number; its unit cannot be in words");
    requirement.sources = read_sources(node.required("sources"));
    requirement.reading = read_text(node.required("reading"));
    const std::optional<JsonNode> remedy = node.find("remedy");
    if (remedy) requirement.remedy = read_text(*remedy);
    return requirement;
}

Contradiction contradiction_from_json(const json& value, const std::string& where) {
    const JsonNode node(value, where);
    node.only_keys({"id", "requirements", "sources", "explanation"});
    Contradiction contradiction;
    contradiction.id = read_id(node.required("id"));
    const std::optional<JsonNode> requirements = node.find("requirements");
    if (requirements) contradiction.requirements = read_texts(*requirements);
    contradiction.sources = read_sources(node.required("sources"));
    contradiction.explanation = read_text(node.required("explanation"));
    return contradiction;
}

json bound_to_json(const Requirement& requirement) {
    const std::string key(to_string(requirement.bound.comparison));
    if (is_in_words(requirement.unit)) return json{{key, requirement.bound.text}};
    if (requirement.bound.comparison == Comparison::between) {
        return json{{key, json::array({requirement.bound.low, requirement.bound.high})}};
    }
    return json{{key, requirement.bound.low}};
}

json sources_to_json(const std::vector<Source>& sources) {
    json array = json::array();
    for (const Source& source : sources) {
        array.push_back(
            json{{"document", source.document}, {"section", source.section}, {"quote", source.quote}});
    }
    return array;
}

json requirement_to_json(const Requirement& requirement) {
    json object{{"id", requirement.id},
                {"counts_for", requirement.counts_for},
                {"title", text_to_json(requirement.title)},
                {"bound", bound_to_json(requirement)},
                {"unit", to_string(requirement.unit)},
                {"sources", sources_to_json(requirement.sources)},
                {"reading", text_to_json(requirement.reading)}};
    if (requirement.only_with_gpu) object["only_with"] = "gpu";
    if (requirement.divided_by) {
        object["ratio"] = {{"of", selection_to_json(requirement.select)},
                           {"to", selection_to_json(*requirement.divided_by)}};
    } else {
        object["select"] = selection_to_json(requirement.select);
    }
    if (requirement.remedy) object["remedy"] = text_to_json(*requirement.remedy);
    return object;
}

json contradiction_to_json(const Contradiction& contradiction) {
    return json{{"id", contradiction.id},
                {"requirements", contradiction.requirements},
                {"sources", sources_to_json(contradiction.sources)},
                {"explanation", text_to_json(contradiction.explanation)}};
}

}  // namespace assay
