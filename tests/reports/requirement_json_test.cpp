#include "reports/requirement_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "probes/core/case.h"

namespace assay {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

json whole() {
    return json::parse(R"({
      "id": "iops-read", "counts_for": ["poc", "basic"], "only_with": "gpu",
      "title": {"en": "4K random read IOPS", "zh": "4K 随机读 IOPS"},
      "select": {"metric": "storage.random_read.iops", "labels": {"queue_depth": 32, "engine": "auto"},
                 "statistic": "p99.9", "several": "each"},
      "bound": {"at_least": 500000.5}, "unit": "operation/second",
      "sources": [{"document": "002", "section": "五", "quote": "目标值"}, {"document": "003", "section": "", "quote": "x"}],
      "reading": {"en": "reading", "zh": "理解"}, "remedy": {"en": "remedy", "zh": "办法"}})");
}

json changed(const std::string& pointer, const json& value) {
    json requirement = whole();
    requirement[json::json_pointer(pointer)] = value;
    return requirement;
}

json without(const std::string& key) {
    json requirement = whole();
    requirement.erase(key);
    return requirement;
}

Requirement read(const json& requirement) {
    return requirement_from_json(requirement, "poc.json#/requirements/3");
}

TEST(RequirementJson, ReadsEveryField) {
    const Requirement requirement = read(whole());
    EXPECT_EQ(requirement.id, "iops-read");
    EXPECT_THAT(requirement.counts_for, ElementsAre("poc", "basic"));
    EXPECT_TRUE(requirement.only_with_gpu);
    EXPECT_EQ(requirement.title.en, "4K random read IOPS");
    EXPECT_EQ(requirement.title.zh, "4K 随机读 IOPS");
    EXPECT_EQ(requirement.select.metric, "storage.random_read.iops");
    EXPECT_EQ(requirement.select.labels, (Labels{{"queue_depth", "32"}, {"engine", "auto"}}));
    EXPECT_EQ(requirement.select.statistic, Statistic::p99_9);
    EXPECT_EQ(requirement.select.several, Selection::Several::each);
    EXPECT_EQ(requirement.divided_by, std::nullopt);
    EXPECT_EQ(requirement.bound.comparison, Comparison::at_least);
    EXPECT_EQ(requirement.bound.low, 500000.5);
    EXPECT_EQ(requirement.unit, Unit::operation_per_second);
    ASSERT_EQ(requirement.sources.size(), 2u);
    EXPECT_EQ(requirement.sources[0].document, "002");
    EXPECT_EQ(requirement.sources[0].section, "五");
    EXPECT_EQ(requirement.sources[0].quote, "目标值");
    EXPECT_EQ(requirement.reading.en, "reading");
    ASSERT_TRUE(requirement.remedy.has_value());
    EXPECT_EQ(requirement.remedy->zh, "办法");
}

TEST(RequirementJson, HasDefaultsForWhatMayBeLeftOut) {
    json requirement = without("only_with");
    requirement.erase("remedy");
    requirement["select"] = {{"metric", "a.b"}};
    const Requirement read_back = read(requirement);
    EXPECT_FALSE(read_back.only_with_gpu);
    EXPECT_EQ(read_back.remedy, std::nullopt);
    EXPECT_EQ(read_back.select.statistic, Statistic::median);
    EXPECT_EQ(read_back.select.several, Selection::Several::error);
    EXPECT_TRUE(read_back.select.labels.empty());
}

TEST(RequirementJson, ReadsARatio) {
    json requirement = without("select");
    requirement["ratio"] = {{"of", {{"metric", "a.b"}, {"several", "best"}}},
                            {"to", {{"metric", "c.d"}, {"statistic", "mean"}}}};
    requirement["unit"] = "ratio";
    const Requirement ratio = read(requirement);
    EXPECT_EQ(ratio.select.metric, "a.b");
    EXPECT_EQ(ratio.select.several, Selection::Several::best);
    ASSERT_TRUE(ratio.divided_by.has_value());
    EXPECT_EQ(ratio.divided_by->metric, "c.d");
    EXPECT_EQ(ratio.divided_by->statistic, Statistic::mean);
}

TEST(RequirementJson, ReadsEveryComparison) {
    const std::pair<const char*, Comparison> comparisons[] = {{"at_least", Comparison::at_least},
                                                              {"above", Comparison::above},
                                                              {"at_most", Comparison::at_most},
                                                              {"below", Comparison::below},
                                                              {"equals", Comparison::equals}};
    for (const auto& [key, comparison] : comparisons) {
        const Requirement requirement = read(changed("/bound", {{key, 5}}));
        EXPECT_EQ(requirement.bound.comparison, comparison);
        EXPECT_EQ(requirement.bound.low, 5);
        const Requirement version = [&, name = key] {
            json words = changed("/unit", "version");
            words["bound"] = {{name, "11.6"}};
            return read(words);
        }();
        EXPECT_EQ(version.bound.text, "11.6");
        EXPECT_EQ(version.bound.comparison, comparison);
    }
    const Requirement between = read(changed("/bound", {{"between", {0.7, 0.85}}}));
    EXPECT_EQ(between.bound.comparison, Comparison::between);
    EXPECT_EQ(between.bound.low, 0.7);
    EXPECT_EQ(between.bound.high, 0.85);
    EXPECT_EQ(read(changed("/bound", {{"between", {5, 5}}})).bound.high, 5);
}

TEST(RequirementJson, ComesBackAsItWasWritten) {
    json ratio = without("select");
    ratio["ratio"] = {
        {"of", {{"metric", "a.b"}, {"several", "best"}, {"statistic", "median"}}},
        {"to", {{"metric", "c.d"}, {"statistic", "mean"}, {"labels", {{"device", "each:gpu"}}}}}};
    json version = changed("/unit", "version");
    version["bound"] = {{"equals", "11.6"}};
    json plain = changed("/bound", {{"between", {0.7, 0.85}}});
    plain.erase("only_with");
    plain.erase("remedy");
    for (const json& requirement : {whole(), ratio, version, plain}) {
        EXPECT_EQ(requirement_to_json(read(requirement)), requirement);
    }
}

std::string error_of(const json& requirement) {
    try {
        read(requirement);
    } catch (const InputError& error) {
        return error.what();
    }
    return "accepted";
}

TEST(RequirementJson, RefusesInOneLineWhatItCannotUse) {
    struct Refused {
        json requirement;
        const char* where;
        const char* words;
    };
    json both = whole();
    both["ratio"] = {{"of", {{"metric", "a.b"}}}, {"to", {{"metric", "c.d"}}}};
    json ratio = both;
    ratio.erase("select");
    json ratio_in_words = ratio;
    ratio_in_words["unit"] = "version";
    ratio_in_words["bound"] = {{"at_least", "1"}};
    json ratio_key = ratio;
    ratio_key["ratio"]["by"] = 1;
    json ratio_half = ratio;
    ratio_half["ratio"].erase("to");
    const auto in_words = [](const char* unit, const json& bound) {
        json requirement = changed("/unit", unit);
        requirement["bound"] = bound;
        return requirement;
    };
    const Refused refused[] = {
        {json::array(), "", "expected an object"},
        {changed("/statistic", "p99"), "",
         "unknown key \"statistic\"; accepted: id, counts_for, only_with, title, select, ratio, bound, unit, "
         "sources, reading, remedy"},
        {without("id"), "", "\"id\" is missing"},
        {changed("/id", "Has Space"), "/id", "lower-case letters"},
        {changed("/id", ""), "/id", "lower-case letters"},
        {without("counts_for"), "", "\"counts_for\" is missing"},
        {changed("/counts_for", json::array()), "/counts_for", "must not be empty"},
        {changed("/counts_for", {"poc", "poc"}), "/counts_for", "twice"},
        {changed("/counts_for/0", ""), "/counts_for/0", "must not be empty"},
        {changed("/counts_for", "poc"), "/counts_for", "expected an array"},
        {changed("/only_with", "cpu"), "/only_with", "\"gpu\""},
        {without("title"), "", "\"title\" is missing"},
        {changed("/title", {{"en", "x"}}), "/title", "\"zh\" is missing"},
        {changed("/title/en", ""), "/title/en", "must not be empty"},
        {changed("/title/fr", "x"), "/title", "accepted: en, zh"},
        {both, "", "either \"select\" or \"ratio\""},
        {without("select"), "", "either \"select\" or \"ratio\""},
        {ratio_key, "/ratio", "accepted: of, to"},
        {ratio_half, "/ratio", "\"to\" is missing"},
        {ratio_in_words, "", "a ratio is a number"},
        {changed("/select/metrics", "x"), "/select", "accepted: metric, labels, statistic, several"},
        {changed("/select", json::object()), "/select", "\"metric\" is missing"},
        {changed("/select/metric", ""), "/select/metric", "must not be empty"},
        {changed("/select/labels", json::array()), "/select/labels", "expected an object"},
        {changed("/select/labels/jobs", json::array()), "/select/labels/jobs", "a number or a string"},
        {changed("/select/labels/jobs", nullptr), "/select/labels/jobs", "a number or a string"},
        {changed("/select/statistic", "p98"), "/select/statistic", "median, mean, p50"},
        {changed("/select/several", "all"), "/select/several", "accepted: each, best"},
        {changed("/unit", "GB/s"), "/unit", "byte/second"},
        {without("unit"), "", "\"unit\" is missing"},
        {changed("/bound", json::object()), "/bound", "exactly one of at_least"},
        {changed("/bound", {{"at_least", 1}, {"below", 2}}), "/bound", "exactly one of at_least"},
        {changed("/bound", {{"atleast", 1}}), "/bound",
         "accepted: at_least, above, at_most, below, between, equals"},
        {changed("/bound", {{"at_least", "5"}}), "/bound/at_least", "expected a number"},
        {changed("/bound", {{"between", {1}}}), "/bound/between", "[lower, upper]"},
        {changed("/bound", {{"between", {2, 1}}}), "/bound/between", "above the upper one"},
        {changed("/bound", {{"between", {1, "2"}}}), "/bound/between/1", "expected a number"},
        {in_words("version", {{"at_least", 11.6}}), "/bound/at_least", "expected a string"},
        {in_words("version", {{"at_least", ""}}), "/bound/at_least", "must not be empty"},
        {in_words("version", {{"between", {"1", "2"}}}), "/bound/between",
         "at_least, above, at_most, below, equals"},
        {in_words("text", {{"at_least", "x"}}), "/bound/at_least", "accepted: equals"},
        {without("sources"), "", "\"sources\" is missing"},
        {changed("/sources", json::array()), "/sources", "quotes its document"},
        {changed("/sources/0/quote", ""), "/sources/0/quote", "must not be empty"},
        {changed("/sources/0/document", ""), "/sources/0/document", "must not be empty"},
        {changed("/sources/0/page", 5), "/sources/0", "accepted: document, section, quote"},
        {changed("/sources/0", {{"document", "x"}, {"quote", "y"}}), "/sources/0", "\"section\" is missing"},
        {without("reading"), "", "\"reading\" is missing"},
        {changed("/remedy", "x"), "/remedy", "expected an object"},
    };
    for (const Refused& one : refused) {
        const std::string error = error_of(one.requirement);
        EXPECT_THAT(error, AllOf(StartsWith("poc.json#/requirements/3" + std::string(one.where) + ": "),
                                 HasSubstr(one.words)));
        EXPECT_EQ(error.find('\n'), std::string::npos);
    }
}

TEST(RequirementJson, AcceptsWordsWhereTheyFit) {
    json text = changed("/unit", "text");
    text["bound"] = {{"equals", "performance"}};
    EXPECT_EQ(read(text).bound.text, "performance");
    EXPECT_EQ(error_of(changed("/select/labels/jobs", 4)), "accepted");
    EXPECT_EQ(read(changed("/select/labels/jobs", "4")).select.labels.at("jobs"), "4");
    EXPECT_EQ(error_of(changed("/id", "67b.int4-x")), "accepted");
}

TEST(ContradictionJson, ComesBackAsItWasWrittenAndRefusesWhatItCannotUse) {
    const json whole_one = json::parse(R"({"id": "little-law", "requirements": ["iops-read", "latency-read"],
      "sources": [{"document": "002", "section": "五", "quote": "q"}], "explanation": {"en": "e", "zh": "z"}})");
    const Contradiction contradiction = contradiction_from_json(whole_one, "x");
    EXPECT_EQ(contradiction.id, "little-law");
    EXPECT_THAT(contradiction.requirements, ElementsAre("iops-read", "latency-read"));
    EXPECT_EQ(contradiction.sources[0].quote, "q");
    EXPECT_EQ(contradiction.explanation.zh, "z");
    EXPECT_EQ(contradiction_to_json(contradiction), whole_one);
    json touches_none = whole_one;
    touches_none.erase("requirements");
    EXPECT_TRUE(contradiction_from_json(touches_none, "x").requirements.empty());
    for (const char* key : {"id", "sources", "explanation"}) {
        json broken = whole_one;
        broken.erase(key);
        EXPECT_THROW(contradiction_from_json(broken, "x"), InputError) << key;
        broken = whole_one;
        broken[key] = 5;
        EXPECT_THROW(contradiction_from_json(broken, "x"), InputError) << key;
    }
    json unknown = whole_one;
    unknown["requirement"] = 5;
    try {
        contradiction_from_json(unknown, "x#/contradictions/0");
        FAIL() << "accepted";
    } catch (const InputError& error) {
        EXPECT_THAT(error.what(),
                    StartsWith("x#/contradictions/0: unknown key \"requirement\"; accepted: id, "));
    }
}

TEST(RequirementJson, NamesEveryComparison) {
    EXPECT_EQ(to_string(Comparison::at_least), "at_least");
    EXPECT_EQ(to_string(Comparison::above), "above");
    EXPECT_EQ(to_string(Comparison::at_most), "at_most");
    EXPECT_EQ(to_string(Comparison::below), "below");
    EXPECT_EQ(to_string(Comparison::between), "between");
    EXPECT_EQ(to_string(Comparison::equals), "equals");
}

}  // namespace
}  // namespace assay
