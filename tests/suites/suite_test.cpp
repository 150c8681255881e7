#include "suites/suite.h"

#include <functional>

#include <gmock/gmock.h>

#include "tests/suites/support.h"

namespace assay {
namespace {

using nlohmann::json;
using test::good_requirement;
using test::good_suite;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::string error_of(const std::function<void()>& action) {
    try {
        action();
    } catch (const InputError& error) {
        return error.what();
    }
    return "no error";
}

class SuiteFileTest : public ::testing::Test {
  protected:
    Suite load(const json& suite, const std::string& tier = "") {
        return load_suite(folder_.write("mine.json", suite.dump(1)), tier, test::fake_catalogue());
    }
    std::string error(const json& suite, const std::string& tier = "") {
        return error_of([&] { load(suite, tier); });
    }
    /// What is said of good_suite() with one place changed.
    std::string error_with(const std::string& pointer, const json& value) {
        json suite = good_suite();
        suite[json::json_pointer(pointer)] = value;
        return error(suite);
    }
    test::TemporaryFolder folder_;
};

TEST_F(SuiteFileTest, AGoodSuiteLoadsWhole) {
    const Suite suite = load(good_suite());
    EXPECT_EQ(suite.name, "mine");
    EXPECT_EQ(suite.title.zh, "我的");
    ASSERT_EQ(suite.entries.size(), 4u);
    EXPECT_EQ(suite.entries[0].parameters.at("depth"), "32");
    ASSERT_EQ(suite.requirements.size(), 2u);
    EXPECT_EQ(suite.contradictions.size(), 1u);
    EXPECT_EQ(suite.documents.size(), 1u);
}

TEST_F(SuiteFileTest, LabelValuesBecomeCanonical) {
    EXPECT_EQ(load(good_suite()).requirements[0].select.labels, (Labels{{"depth", "32"}, {"size", "8192"}}));
}

TEST_F(SuiteFileTest, ASuiteComesBackFromWhatAJournalKeeps) {
    json with_everything = good_suite();
    with_everything["cases"][0]["quick"] = {{"seconds", "1"}};
    with_everything["cases"][0]["time_limit"] = 90;
    with_everything["cases"][1]["required"] = false;
    const Suite suite = load(with_everything);
    const Suite again = restore_suite(suite.json, "journal");
    EXPECT_EQ(again.json, suite.json);
    EXPECT_EQ(again.name, suite.name);
    EXPECT_EQ(again.entries[0].quick_parameters, suite.entries[0].quick_parameters);
    EXPECT_EQ(again.entries[0].time_limit_seconds, 90.0);
    EXPECT_FALSE(again.entries[1].required);
    EXPECT_EQ(again.requirements[0].select.labels, suite.requirements[0].select.labels);
    EXPECT_EQ(again.contradictions[0].explanation.zh, "矛盾");
    // Written out again from what was read, nothing is lost.
    const test::TemporaryFolder other;
    EXPECT_EQ(load_suite(other.write("mine.json", again.json), "", test::fake_catalogue()).json, suite.json);
}

TEST_F(SuiteFileTest, ASyntaxErrorIsNamedByFileLineAndColumn) {
    const std::string file =
        folder_.write("broken.json", "{\n  \"schema\": \"assay.suite/1\",\n  \"name\" 1\n}");
    EXPECT_THAT(error_of([&] { load_suite(file, "", test::fake_catalogue()); }),
                AllOf(HasSubstr("broken.json:3:10: "), Not(HasSubstr("\n"))));
}

TEST_F(SuiteFileTest, AFileThatIsCutOffIsASyntaxErrorAtItsEnd) {
    const std::string file = folder_.write("cut.json", "{\"schema\":");
    EXPECT_THAT(error_of([&] { load_suite(file, "", test::fake_catalogue()); }), HasSubstr("cut.json:1:"));
}

TEST_F(SuiteFileTest, AKeyThatStandsTwiceInAnObjectIsRefusedWithItsLine) {
    const std::string file = folder_.write("twice.json", "{\n\"name\": \"a\",\n\"name\": \"b\"\n}");
    EXPECT_THAT(error_of([&] { load_suite(file, "", test::fake_catalogue()); }),
                AllOf(HasSubstr("twice.json:3:1: "), HasSubstr("\"name\""), HasSubstr("twice")));
}

TEST_F(SuiteFileTest, AMissingFileADirectoryAndAnUnknownNameSayWhatIsAccepted) {
    const Catalogue& catalogue = test::fake_catalogue();
    EXPECT_THAT(error_of([&] { load_suite("/no/such.json", "", catalogue); }),
                AllOf(HasSubstr("/no/such.json"), HasSubstr("No such file"), HasSubstr("poc")));
    EXPECT_THAT(error_of([&] { load_suite(folder_.path().string(), "", catalogue); }),
                HasSubstr("is a directory"));
    EXPECT_THAT(error_of([&] { load_suite("pock", "", catalogue); }),
                AllOf(HasSubstr("\"pock\""), HasSubstr("accepted are accelerators, kernels or poc")));
}

TEST_F(SuiteFileTest, AnotherSchemaIsRefused) {
    EXPECT_THAT(error_with("/schema", "assay.suite/2"),
                AllOf(HasSubstr("mine.json#/schema"), HasSubstr("assay.suite/1")));
}

TEST_F(SuiteFileTest, UnknownKeysAreRefusedEverywhere) {
    EXPECT_THAT(error_with("/casess", json::array()), AllOf(HasSubstr("casess"), HasSubstr("cases")));
    EXPECT_THAT(error_with("/cases/1/parameter", json::object()),
                AllOf(HasSubstr("mine.json#/cases/1"), HasSubstr("parameters")));
    EXPECT_THAT(error_with("/requirements/0/limit", 3), HasSubstr("mine.json#/requirements/0"));
    EXPECT_THAT(error_with("/requirements/0/select/label", 3),
                AllOf(HasSubstr("mine.json#/requirements/0/select"), HasSubstr("labels")));
    EXPECT_THAT(error_with("/contradictions/0/why", 3), HasSubstr("mine.json#/contradictions/0"));
    EXPECT_THAT(error_with("/documents/0/author", "x"), HasSubstr("mine.json#/documents/0"));
}

TEST_F(SuiteFileTest, MissingKeysAreNamed) {
    for (const char* const key : {"schema", "name", "title"}) {
        json suite = good_suite();
        suite.erase(key);
        EXPECT_THAT(error(suite), AllOf(HasSubstr("mine.json#"), HasSubstr(key)));
    }
    json suite = good_suite();
    suite["cases"][1].erase("probe");
    EXPECT_THAT(error(suite), AllOf(HasSubstr("mine.json#/cases/1"), HasSubstr("probe")));
}

TEST_F(SuiteFileTest, ValuesOfAnotherTypeAreRefused) {
    EXPECT_THAT(error_with("/cases", 3), HasSubstr("mine.json#/cases"));
    EXPECT_THAT(error_with("/cases/0/parameters/depth", true),
                AllOf(HasSubstr("mine.json#/cases/0/parameters/depth"), HasSubstr("number or a string")));
    EXPECT_THAT(error_with("/cases/0/required", "yes"), HasSubstr("mine.json#/cases/0/required"));
    EXPECT_THAT(error_with("/cases/0/time_limit", 0), HasSubstr("mine.json#/cases/0/time_limit"));
    EXPECT_THAT(error_with("/title", "Mine"), HasSubstr("mine.json#/title"));
}

TEST_F(SuiteFileTest, AnUnknownProbeIsRefused) {
    EXPECT_THAT(
        error_with("/cases/2/probe", "other.thong"),
        AllOf(HasSubstr("mine.json#/cases/2/probe"), HasSubstr("other.thing"), HasSubstr("fake.speed")));
}

TEST_F(SuiteFileTest, AnUnknownParameterIsRefused) {
    EXPECT_THAT(error_with("/cases/0/parameters/dept", 3),
                AllOf(HasSubstr("mine.json#/cases/0/parameters"), HasSubstr("dept"), HasSubstr("depth")));
}

TEST_F(SuiteFileTest, AValueOutOfItsRangeIsRefusedAlsoWithQuick) {
    EXPECT_THAT(error_with("/cases/0/parameters/depth", 65),
                AllOf(HasSubstr("mine.json#/cases/0/parameters"), HasSubstr("65"), HasSubstr("1 to 64")));
    EXPECT_THAT(error_with("/cases/0/quick", {{"seconds", "an hour"}}),
                AllOf(HasSubstr("mine.json#/cases/0/quick"), HasSubstr("an hour")));
}

TEST_F(SuiteFileTest, AnUnknownMetricIsRefusedAndItsNeighboursAreNamed) {
    EXPECT_THAT(error_with("/requirements/0/select/metric", "fake.sped"),
                AllOf(HasSubstr("mine.json#/requirements/0/select/metric"), HasSubstr("fake.speed.latency")));
}

TEST_F(SuiteFileTest, AMetricThatIsOnlyPlannedIsAccepted) {
    EXPECT_EQ(load(good_suite()).requirements[1].select.metric, "future.thing.rate");
}

TEST_F(SuiteFileTest, AUnitThatDoesNotFitTheMetricIsRefused) {
    EXPECT_THAT(error_with("/requirements/0/unit", "second"),
                AllOf(HasSubstr("mine.json#/requirements/0/unit"), HasSubstr("fake.speed"),
                      HasSubstr("byte/second")));
    EXPECT_THAT(error_with("/requirements/1/unit", "byte/second"),
                AllOf(HasSubstr("mine.json#/requirements/1/unit"), HasSubstr("operation/second")));
}

TEST_F(SuiteFileTest, ALabelThatIsNeitherParameterNorAxisIsRefused) {
    EXPECT_THAT(error_with("/requirements/0/select/labels/queue", 3),
                AllOf(HasSubstr("mine.json#/requirements/0/select/labels/queue"), HasSubstr("depth")));
    json suite = good_suite();
    suite["requirements"][0]["select"] = {{"metric", "fake.speed.curve"},
                                          {"labels", {{"depth", 32}, {"step", "3"}}}};
    suite["requirements"][0]["unit"] = "second";
    EXPECT_EQ(load(suite).requirements[0].select.labels.at("step"), "3");
}

TEST_F(SuiteFileTest, ALabelValueThatItsParameterCannotTakeIsRefused) {
    EXPECT_THAT(error_with("/requirements/0/select/labels/depth", 100),
                AllOf(HasSubstr("mine.json#/requirements/0/select/labels/depth"), HasSubstr("100")));
    EXPECT_THAT(error_with("/requirements/0/select/labels/kind", "c"), HasSubstr("labels/kind"));
    EXPECT_EQ(error_with("/requirements/0/select/labels/kind", "later"), "no error");
}

TEST_F(SuiteFileTest, IdsThatStandTwiceAreRefused) {
    EXPECT_THAT(error_with("/requirements/1/id", "speed"),
                AllOf(HasSubstr("mine.json#/requirements/1/id"), HasSubstr("mine.json#/requirements/0")));
    json suite = good_suite();
    suite["contradictions"].push_back(suite["contradictions"][0]);
    EXPECT_THAT(error(suite), HasSubstr("mine.json#/contradictions/1/id"));
}

TEST_F(SuiteFileTest, TheSameCaseTwiceIsRefusedHoweverItIsWritten) {
    EXPECT_THAT(error_with("/cases/1/parameters", {{"depth", "32"}, {"size", 8192}}),
                AllOf(HasSubstr("mine.json#/cases/1"), HasSubstr("mine.json#/cases/0")));
}

TEST_F(SuiteFileTest, ASelectionThatMatchesSeveralCasesMustSayWhichCounts) {
    json suite = good_suite();
    suite["requirements"][0]["select"].erase("labels");
    EXPECT_THAT(error(suite), AllOf(HasSubstr("mine.json#/requirements/0/select"), HasSubstr("several cases"),
                                    HasSubstr("/cases/0"), HasSubstr("/cases/1"), HasSubstr("each")));
    suite["requirements"][0]["select"]["several"] = "each";
    EXPECT_EQ(error(suite), "no error");
}

TEST_F(SuiteFileTest, ASelectionThatLeavesAnAxisFreeMustSayWhichCounts) {
    json suite = good_suite();
    suite["requirements"][0]["unit"] = "second";
    suite["requirements"][0]["select"] = {{"metric", "fake.speed.curve"}, {"labels", {{"depth", 32}}}};
    EXPECT_THAT(error(suite), AllOf(HasSubstr("mine.json#/requirements/0/select"), HasSubstr("\"step\"")));
    suite["requirements"][0]["select"]["several"] = "best";
    EXPECT_EQ(error(suite), "no error");
}

TEST_F(SuiteFileTest, AnAxisThatIsAlsoAParameterMatchesTheCaseThatSweepsIt) {
    json suite = good_suite();
    suite["requirements"][0]["select"] = {{"metric", "fake.speed.by_kind"},
                                          {"labels", {{"depth", 32}, {"kind", "a"}}}};
    EXPECT_EQ(error(suite), "no error");
}

TEST_F(SuiteFileTest, OneCaseAGpuMatchesSeveralUnlessItSaysEach) {
    json suite = good_suite();
    suite["cases"][0]["parameters"]["device"] = "each:gpu";
    EXPECT_THAT(error(suite), AllOf(HasSubstr("mine.json#/requirements/0/select"), HasSubstr("each:gpu")));
    suite["requirements"][0]["select"]["labels"]["device"] = "each:gpu";
    EXPECT_EQ(load(suite).requirements[0].select.several, Selection::Several::each);
}

TEST_F(SuiteFileTest, ALabelThatQuickChangesIsRefused) {
    json suite = good_suite();
    suite["cases"][0]["quick"] = {{"size", "4K"}};
    EXPECT_THAT(error(suite), AllOf(HasSubstr("mine.json#/requirements/0/select"), HasSubstr("quick")));
    suite["requirements"][0]["select"]["labels"].erase("size");
    EXPECT_EQ(error(suite), "no error");
}

TEST_F(SuiteFileTest, ARatioNeedsTwoMetricsOfOneUnit) {
    json suite = good_suite();
    suite["requirements"][0].erase("select");
    suite["requirements"][0]["unit"] = "ratio";
    suite["requirements"][0]["ratio"] = {{"of", {{"metric", "fake.speed"}, {"labels", {{"depth", 32}}}}},
                                         {"to", {{"metric", "fake.speed"}, {"labels", {{"depth", 2}}}}}};
    EXPECT_EQ(error(suite), "no error");
    suite["requirements"][0]["ratio"]["to"] = {{"metric", "fake.speed.latency"}, {"labels", {{"depth", 2}}}};
    EXPECT_THAT(error(suite), HasSubstr("mine.json#/requirements/0/ratio"));
    // Both are arithmetic rates: multiplications of integers against those of floating point.
    suite["requirements"][0]["ratio"] = {{"of", {{"metric", "future.thing.rate"}}},
                                         {"to", {{"metric", "other.thing"}}}};
    EXPECT_EQ(error(suite), "no error");
    suite["requirements"][0]["unit"] = "second";
    EXPECT_THAT(error(suite), AllOf(HasSubstr("mine.json#/requirements/0/unit"), HasSubstr("ratio")));
}

TEST_F(SuiteFileTest, ASourceMustNameADocumentOfTheSuite) {
    EXPECT_THAT(error_with("/requirements/0/sources/0/document", "d2"),
                AllOf(HasSubstr("mine.json#/requirements/0/sources/0/document"), HasSubstr("d1")));
}

TEST_F(SuiteFileTest, AContradictionMustNameRequirementsOfTheSuite) {
    EXPECT_THAT(error_with("/contradictions/0/requirements/0", "sped"),
                AllOf(HasSubstr("mine.json#/contradictions/0/requirements/0"), HasSubstr("sped")));
}

TEST_F(SuiteFileTest, WhatARequirementCountsForMustBeATierOrKnown) {
    EXPECT_THAT(error_with("/requirements/0/counts_for/0", "golden"),
                AllOf(HasSubstr("mine.json#/requirements/0/counts_for/0"), HasSubstr("advice")));
    folder_.write("tiers/golden.json", "{}");
    EXPECT_EQ(error_with("/requirements/0/counts_for/0", "golden"), "no error");
}

json golden_tier() {
    json tier = {{"schema", "assay.suite/1"},
                 {"name", "golden"},
                 {"extends", "mine"},
                 {"title", {{"en", "Golden"}, {"zh", "金"}}},
                 {"ordered", {{"en", "gold"}, {"zh", "金"}}},
                 {"cases", {{{"probe", "fake.speed"}, {"parameters", {{"depth", 4}}}}}},
                 {"requirements", json::array()}};
    json replaced = good_requirement("speed", "fake.speed", "byte/second");
    replaced["select"]["labels"] = {{"depth", 32}};
    replaced["bound"] = {{"at_least", 9}};
    tier["requirements"].push_back(replaced);
    tier["requirements"].push_back(good_requirement("more", "other.thing", "flop/second"));
    return tier;
}

TEST_F(SuiteFileTest, ATierAddsCasesAndReplacesRequirementsInPlace) {
    folder_.write("tiers/golden.json", golden_tier().dump());
    const Suite suite = load(good_suite(), "golden");
    EXPECT_EQ(suite.tier, "golden");
    EXPECT_EQ(suite.name, "mine");
    EXPECT_EQ(suite.ordered.value().en, "gold");
    EXPECT_EQ(suite.entries.size(), 5u);
    ASSERT_EQ(suite.requirements.size(), 3u);
    EXPECT_EQ(suite.requirements[0].id, "speed");
    EXPECT_EQ(suite.requirements[0].bound.low, 9);
    EXPECT_EQ(suite.requirements[2].id, "more");
    EXPECT_EQ(restore_suite(suite.json, "j").tier, "golden");
}

TEST_F(SuiteFileTest, AnErrorInATierNamesTheTiersFile) {
    json tier = golden_tier();
    tier["requirements"][1]["unit"] = "second";
    folder_.write("tiers/golden.json", tier.dump());
    EXPECT_THAT(error(good_suite(), "golden"), HasSubstr("tiers/golden.json#/requirements/1/unit"));
}

TEST_F(SuiteFileTest, AnUnknownTierOrOneOfAnotherSuiteIsRefused) {
    EXPECT_THAT(error(good_suite(), "goldn"), AllOf(HasSubstr("goldn"), HasSubstr("basic")));
    json tier = golden_tier();
    tier["extends"] = "yours";
    folder_.write("tiers/golden.json", tier.dump());
    EXPECT_THAT(error(good_suite(), "golden"),
                AllOf(HasSubstr("golden.json#/extends"), HasSubstr("yours"), HasSubstr("mine")));
}

TEST_F(SuiteFileTest, ATierIsNoSuite) {
    const std::string file = folder_.write("golden.json", golden_tier().dump());
    EXPECT_THAT(error_of([&] { load_suite(file, "", test::fake_catalogue()); }), HasSubstr("--tier"));
}

TEST_F(SuiteFileTest, ACaseOfSomeTiersIsInForceOnlyWithThem) {
    json suite = good_suite();
    suite["cases"][2]["tiers"] = {"golden"};
    folder_.write("tiers/golden.json", golden_tier().dump());
    EXPECT_EQ(entries_in_force(load(suite)).size(), 3u);
    EXPECT_EQ(entries_in_force(load(suite, "golden")).size(), 5u);
    suite["cases"][2]["tiers"] = {"silver"};
    EXPECT_THAT(error(suite), AllOf(HasSubstr("mine.json#/cases/2/tiers/0"), HasSubstr("golden")));
}

TEST(EmbeddedSuites, ThereIsThePocSuiteWithTheTiersOfTheDocuments) {
    EXPECT_THAT(suite_names(), ElementsAre("accelerators", "kernels", "poc"));
    EXPECT_THAT(tier_names("kernels"), IsEmpty());
    EXPECT_THAT(tier_names("poc"), ElementsAre("67b", "7b", "basic", "edge", "enterprise", "low-power",
                                               "mixed", "professional", "single-card", "v3", "workstation"));
}

class EmbeddedTiers : public ::testing::TestWithParam<std::string> {};

TEST_P(EmbeddedTiers, LoadWithTheProbesOfThisVersion) {
    const Suite suite = load_suite("poc", GetParam(), {catalog(), planned_metrics(), planned_choices()});
    EXPECT_EQ(suite.tier, GetParam());
    EXPECT_FALSE(suite.requirements.empty());
}

INSTANTIATE_TEST_SUITE_P(All, EmbeddedTiers,
                         ::testing::Values("", "67b", "7b", "basic", "edge", "enterprise", "low-power",
                                           "mixed", "professional", "single-card", "v3", "workstation"));

}  // namespace
}  // namespace assay
