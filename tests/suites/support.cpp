#include "tests/suites/support.h"

#include <array>

namespace assay::test {
namespace {

Outcome run_fake(const Case& the_case, Context&) {
    return skipped(the_case, "a fake");
}

Estimate estimate_fake(const Case& the_case, const Context&) {
    return {.seconds = the_case.is_auto("seconds") ? 7 : the_case.seconds("seconds"),
            .written_bytes = the_case.bytes("size"),
            .memory_bytes = 0};
}

}  // namespace

const Catalogue& fake_catalogue() {
    static const std::array probes = {
        Probe{.name = "fake.speed",
              .summary = "A fake.",
              .parameters = {{"device", ParameterKind::device, "cpu:0", "where"},
                             {"size", ParameterKind::bytes, "4K", "how much", 1, 1 << 30},
                             {"depth", ParameterKind::integer, "1", "how deep", 1, 64},
                             {"kind", ParameterKind::choice, "all", "which", 0, 0, {"all", "a", "b"}},
                             {"seconds", ParameterKind::seconds, "auto", "how long", 0.1, 600}},
              .metrics = {{"fake.speed", Unit::byte_per_second, Direction::higher, "speed"},
                          {"fake.speed.latency", Unit::second, Direction::lower, "latency"},
                          {"fake.speed.curve", Unit::second, Direction::lower, "curve", {"step"}},
                          {"fake.speed.by_kind", Unit::byte_per_second, Direction::higher, "kinds", {"kind"}},
                          {"fake.speed.version", Unit::version, Direction::none, "version"}},
              .run = run_fake,
              .estimate = estimate_fake},
        Probe{.name = "other.thing",
              .summary = "Another fake.",
              .parameters = {},
              .metrics = {{"other.thing", Unit::flop_per_second, Direction::higher, "thing"}},
              .run = run_fake},
    };
    static const std::array planned = {PlannedMetric{
        {"future.thing.rate", Unit::operation_per_second, Direction::higher, "rate"}, "future.thing"}};
    static const std::array choices = {PlannedChoice{"fake.speed", "kind", "later"}};
    static const Catalogue catalogue{probes, planned, choices};
    return catalogue;
}

nlohmann::json good_requirement(const std::string& id, const std::string& metric, const std::string& unit) {
    return {{"id", id},
            {"counts_for", {"poc"}},
            {"title", {{"en", "title"}, {"zh", "标题"}}},
            {"select", {{"metric", metric}, {"statistic", "median"}}},
            {"bound", {{"at_least", 5}}},
            {"unit", unit},
            {"sources", {{{"document", "d1"}, {"section", "1"}, {"quote", "at least five"}}}},
            {"reading", {{"en", "as it says"}, {"zh", "如文"}}}};
}

nlohmann::json good_suite() {
    nlohmann::json suite = {{"schema", "assay.suite/1"},
                            {"name", "mine"},
                            {"title", {{"en", "Mine"}, {"zh", "我的"}}},
                            {"documents", {{{"id", "d1"}, {"title", "A document"}}}},
                            {"cases",
                             {{{"probe", "fake.speed"}, {"parameters", {{"size", "8K"}, {"depth", 32}}}},
                              {{"probe", "fake.speed"}, {"parameters", {{"depth", 2}}}},
                              {{"probe", "other.thing"}},
                              {{"probe", "future.thing"}, {"parameters", {{"any", 1}}}}}},
                            {"requirements", nlohmann::json::array()},
                            {"contradictions",
                             {{{"id", "c1"},
                               {"requirements", {"speed"}},
                               {"sources", {{{"document", "d1"}, {"section", "1"}, {"quote", "q"}}}},
                               {"explanation", {{"en", "both cannot be"}, {"zh", "矛盾"}}}}}}};
    suite["requirements"].push_back(good_requirement("speed", "fake.speed", "byte/second"));
    suite["requirements"][0]["select"]["labels"] = {{"depth", 32}, {"size", "8K"}};
    suite["requirements"].push_back(good_requirement("future", "future.thing.rate", "operation/second"));
    return suite;
}

Context bare_context() {
    static SteadyClock clock;
    return {.clock = clock, .sample = {}, .progress = {}, .sampling = {}, .scratch = {}, .models = {}};
}

}  // namespace assay::test
