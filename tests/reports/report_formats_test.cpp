#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <regex>
#include <sstream>

#include <nlohmann/json.hpp>

#include "tests/reports/judged_reports.h"
#include "tests/reports/kernel_builders.h"

namespace assay {
namespace {

using building::everything;
using building::judged_everything;
using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

std::vector<std::string> lines_of(const std::string& text, const std::string& end = "\n") {
    std::vector<std::string> lines;
    std::size_t begin = 0;
    for (std::size_t at = text.find(end); at != std::string::npos; at = text.find(end, begin)) {
        lines.push_back(text.substr(begin, at - begin));
        begin = at + end.size();
    }
    if (begin < text.size()) lines.push_back(text.substr(begin));
    return lines;
}

// ---- JSON

TEST(RenderJson, HasTheKeysOfTheContract) {
    const json report = json::parse(render_json(judged_everything()));
    EXPECT_EQ(report["schema"], "assay.report/1");
    EXPECT_EQ(report["verdict"], "fail");
    EXPECT_EQ(report["suite"], "poc");
    EXPECT_EQ(report["tier"], "basic");
    EXPECT_EQ(report["title"]["zh"], "概念验证");
    EXPECT_EQ(report["run"], json::parse(R"({"quick": true, "tool_version": "0.1.0", "commit": "abcdef",
        "compiler": "gcc 12", "command_line": ["assay", "run", "poc"], "started_at": "2026-01-02T03:04:05Z",
        "machine": "host-7"})"));
    EXPECT_EQ(report["coverage"],
              json::parse(R"({"cases": 6, "measured": 2, "skipped": 1, "failed": 1, "timed_out": 0,
        "crashed": 1, "missing": 1, "requirements": 9, "counted": 5, "passed": 2, "failed_requirements": 2,
        "inconclusive": 1, "not_measured": 3, "waived": 1})"));
    EXPECT_EQ(report["failed_cases"], json::parse(R"(["gemm.throughput: wrong | result"])"));
    EXPECT_EQ(report["unfinished_cases"],
              json::parse(R"(["memory.bandwidth: signal 11", "inference.decode: not run"])"));
    EXPECT_EQ(report["waivers"],
              json::parse(R"([{"requirement": "iops-waived", "reason": "agreed, \"in writing\""}])"));
    EXPECT_EQ(report["contradictions"][0]["id"], "little-law");
    EXPECT_EQ(report["journal_notes"], json::parse(R"(["line 7 was dropped"])"));
    EXPECT_EQ(report["outcomes"].size(), 5u);
    EXPECT_EQ(report["outcomes"][0]["schema"], "assay.outcome/1");
}

TEST(RenderJson, WritesARequirementWithEverythingThatItsVerdictRestsOn) {
    const json requirement = json::parse(render_json(judged_everything()))["requirements"][1];
    EXPECT_NEAR(requirement["margin"].get<double>(), -1.0 / 7, 1e-12);
    json rest = requirement;
    rest.erase("margin");
    EXPECT_EQ(rest, json::parse(R"({
        "id": "iops-more", "status": "fail", "counts_for": ["basic"], "counted": true,
        "title": {"en": "title of iops-more", "zh": "iops-more 的标题"},
        "metric": "storage.random_read.iops", "statistic": "median", "measured": 600000.0, "ci95": [590000.0, 610000.0],
        "bound": {"at_least": 700000.0}, "unit": "operation/second",
        "source": {"document": "002", "section": "五", "quote": "目标值:IOPS≥500K,延迟≤100μs。"},
        "sources": [{"document": "002", "section": "五", "quote": "目标值:IOPS≥500K,延迟≤100μs。"},
                    {"document": "003", "section": "四", "quote": "another | \"quote\""}],
        "reading": {"en": "our reading", "zh": "我们的理解"},
        "remedy": {"en": "buy a faster disk", "zh": "换更快的盘"},
        "reason": null, "reason_id": null, "notes": [], "waived_from": null, "waiver": null})"));
}

TEST(RenderJson, SaysWhatIsMissingAndWaivedAndInWords) {
    const json requirements = json::parse(render_json(judged_everything()))["requirements"];
    EXPECT_EQ(requirements[3]["status"], "not_measured");
    EXPECT_TRUE(requirements[3]["measured"].is_null());
    EXPECT_TRUE(requirements[3]["ci95"].is_null());
    EXPECT_TRUE(requirements[3]["margin"].is_null());
    EXPECT_TRUE(requirements[3]["remedy"].is_null());
    EXPECT_EQ(requirements[3]["reason"], "crashed: signal 11");
    EXPECT_EQ(requirements[3]["reason_id"], "crashed");
    EXPECT_EQ(requirements[4]["status"], "waived");
    EXPECT_EQ(requirements[4]["waived_from"], "fail");
    EXPECT_EQ(requirements[4]["waiver"], "agreed, \"in writing\"");
    EXPECT_EQ(requirements[5]["measured"], "11.10");
    EXPECT_EQ(requirements[5]["bound"], json::parse(R"({"at_least": "11.6"})"));
    EXPECT_EQ(requirements[6]["bound"], json::parse(R"({"between": [16, 32]})"));
}

TEST(RenderJson, ShowsTheInventoryBesideTheOutcomes) {
    const json inventory = json::parse(render_json(judged_everything()))["inventory"];
    EXPECT_EQ(inventory["status"], "measured");
    EXPECT_EQ(inventory["resolved"]["cpu.model"], "A \"CPU\", <fast> & cheap | x");
    ASSERT_EQ(inventory["metrics"].size(), 2u);
    EXPECT_EQ(inventory["metrics"][0],
              json::parse(
                  R"({"name": "inventory.system.cpu_cores", "unit": "count", "labels": {}, "value": 8.0})"));
    EXPECT_EQ(inventory["metrics"][1]["value"], "11.10");
    const json empty = json::parse(render_json(Report{}))["inventory"];
    EXPECT_EQ(empty, json::parse(R"({"status": null, "metrics": [], "resolved": {}})"));
}

TEST(RenderJson, IsReadableLineByLine) {
    const std::vector<std::string> lines = lines_of(render_json(judged_everything()));
    EXPECT_EQ(lines.front(), "{");
    EXPECT_EQ(lines[1], " \"schema\": \"assay.report/1\",");
    EXPECT_EQ(lines[2], " \"verdict\": \"fail\",");
    EXPECT_EQ(lines.back(), "}");
    // Braces, 16 members, four arrays' ends, and a line for every requirement, waiver, contradiction,
    // outcome.
    EXPECT_EQ(lines.size(), 2u + 16 + 4 + 9 + 1 + 1 + 5);
    EXPECT_TRUE(render_json(judged_everything()).ends_with("\n}\n"));
}

TEST(RenderJson, StaysJsonWhateverTheMachineSaid) {
    JudgeInput input = everything();
    input.header.machine = "\xFF";
    input.header.suite = "\xFE";
    input.outcomes[2].reason = "\x80 \x01";
    const json report = json::parse(render_json(judge(input)));
    EXPECT_EQ(report["run"]["machine"], "\xEF\xBF\xBD");
    EXPECT_EQ(report["suite"], "\xEF\xBF\xBD");
}

TEST(Schemas, DescribeWhatIsWritten) {
    if (building::run_python("import jsonschema", "") != 0) {
        GTEST_SKIP() << "python3-jsonschema is not installed";
    }
    // The second schema refers to the first by its $id.
    const std::string program = R"(
import json, sys, pathlib
from jsonschema import Draft202012Validator, RefResolver
folder = pathlib.Path(sys.argv[1])
outcome = json.loads((folder / "outcome.json").read_text())
report = json.loads((folder / "report.json").read_text())
for schema in (outcome, report):
    Draft202012Validator.check_schema(schema)
resolver = RefResolver(base_uri=report["$id"], referrer=report, store={outcome["$id"]: outcome, report["$id"]: report})
validator = Draft202012Validator(report, resolver=resolver)
lines = sys.stdin.read().splitlines()
for line in lines:
    expected, document = line.split(" ", 1)
    errors = [e.json_path + ": " + e.message for e in validator.iter_errors(json.loads(document))]
    if (expected == "good") != (not errors):
        print("expected a", expected, "document:", errors, document[:200])
        sys.exit(1)
print(len(lines), "documents", file=sys.stderr)
)";
    const json good = json::parse(render_json(judged_everything()));
    const auto changed = [&](const char* pointer, const json& value) {
        json document = good;
        document[json::json_pointer(pointer)] = value;
        return document;
    };
    json no_verdict = good;
    no_verdict.erase("verdict");
    std::string documents = "good " + good.dump() + "\n";
    documents += "good " + json::parse(render_json(Report{})).dump() + "\n";
    documents += "good " + changed("/later", 1).dump() + "\n";
    documents += "bad " + no_verdict.dump() + "\n";
    documents += "bad " + changed("/verdict", "fine").dump() + "\n";
    documents += "bad " + changed("/requirements/0/status", "ok").dump() + "\n";
    documents += "bad " + changed("/requirements/3/reason", nullptr).dump() + "\n";
    documents += "bad " + changed("/requirements/4/waived_from", nullptr).dump() + "\n";
    documents += "bad " + changed("/requirements/0/bound", json::object()).dump() + "\n";
    documents += "bad " + changed("/outcomes/0/status", "fine").dump() + "\n";
    documents += "bad " + changed("/outcomes/0/metrics/0/unit", "GB/s").dump() + "\n";
    documents += "bad " + changed("/outcomes/0/metrics/0/samples", "x").dump() + "\n";
    documents += "bad " + changed("/outcomes/0/conditions/cpu_steal", "N/A").dump() + "\n";
    documents += "bad " + changed("/coverage/cases", -1).dump() + "\n";
    Report kernels;
    kernels.outcomes = building::kernel_run();
    json derived = json::parse(render_json(kernels));
    documents += "good " + derived.dump() + "\n";
    for (const char* wrong :
         {"/derived/0/kind", "/derived/0/value", "/derived/0/ci95", "/derived/0/to/metric"}) {
        json document = derived;
        document[json::json_pointer(wrong)] = false;
        documents += "bad " + document.dump() + "\n";
    }
    const std::string folder = (building::source_tree() / "suites" / "schemas").string();
    EXPECT_EQ(building::run_python(program, documents, folder), 0);
}

// ---- JUnit

TEST(RenderJunit, IsWellFormedXml) {
    JudgeInput input = everything();
    input.header.suite = "a<b>&\"'\x01\xFF\xEF\xBF\xBE\x0B";
    input.outcomes[2].reason = "]]> <!-- \n\t\r";
    const std::string program = R"(
import sys, xml.etree.ElementTree as tree
root = tree.fromstring(sys.stdin.buffer.read())
assert root.tag == "testsuites", root.tag
for suite in root:
    count = lambda tag: sum(1 for test in suite if test.find(tag) is not None)
    assert int(suite.get("tests")) == len(suite)
    assert int(suite.get("failures")) == count("failure")
    assert int(suite.get("errors")) == count("error")
    assert int(suite.get("skipped")) == count("skipped")
assert "]]> <!-- \n\t\r" in root[1][2][0].get("message"), root[1][2][0].get("message")
assert root.get("name").startswith("assay a<b>&\"" + chr(39)), root.get("name")
)";
    std::string quoted = program;
    EXPECT_EQ(building::run_python(quoted, render_junit(judge(input))), 0);
}

std::string junit_line(const Report& report, const std::string& name) {
    for (const std::string& line : lines_of(render_junit(report))) {
        if (line.find(" name=\"" + name + "\"") != std::string::npos) return line;
    }
    return "no test case " + name;
}

TEST(RenderJunit, NeverLetsSomethingUndecidedLookLikeAPass) {
    const Report report = judged_everything();
    EXPECT_THAT(junit_line(report, "iops-read"), HasSubstr("time=\"0.000\"/>"));
    EXPECT_THAT(
        junit_line(report, "iops-more"),
        HasSubstr("<failure message=\"fail: measured 600 K op/s, required ≥ 700 K op/s\"/></testcase>"));
    EXPECT_THAT(junit_line(report, "iops-open"), HasSubstr("<error message=\"inconclusive: "));
    EXPECT_THAT(junit_line(report, "memory"), HasSubstr("<error message=\"not_measured: "));
    EXPECT_THAT(junit_line(report, "memory"), HasSubstr("; crashed: signal 11\"/>"));
    EXPECT_THAT(junit_line(report, "iops-waived"), HasSubstr("<skipped message=\"waived: "));
    EXPECT_THAT(junit_line(report, "iops-waived"), HasSubstr("; waived: agreed, &quot;in writing&quot;\"/>"));
    EXPECT_THAT(junit_line(report, "cuda"), HasSubstr("\"/>"));
    EXPECT_THAT(junit_line(report, "cuda"), Not(HasSubstr("message")));
    EXPECT_THAT(junit_line(report, "band"), HasSubstr("<skipped message=\"fail: "));
    EXPECT_THAT(junit_line(report, "band"), HasSubstr("; does not count for the verdict\"/>"));
    EXPECT_THAT(junit_line(report, "int8-error"), HasSubstr("<skipped "));
    const std::string text = render_junit(report);
    EXPECT_THAT(text, HasSubstr("<testsuite name=\"requirements\" tests=\"10\" failures=\"2\" errors=\"2\" "
                                "skipped=\"4\" time=\"0.000\">"));
    EXPECT_THAT(text, HasSubstr("<testsuite name=\"cases\" tests=\"6\" failures=\"1\" errors=\"2\" "
                                "skipped=\"1\" time=\"7.500\">"));
}

TEST(RenderJunit, HasTheVerdictAsATestSoThatItCannotBePassedOver) {
    Report report = judged_everything();
    EXPECT_THAT(junit_line(report, "verdict"), HasSubstr("<failure "));
    report.verdict = RunVerdict::incomplete;
    EXPECT_THAT(junit_line(report, "verdict"), HasSubstr("<error "));
    report.verdict = RunVerdict::pass;
    EXPECT_THAT(junit_line(report, "verdict"), HasSubstr("time=\"0.000\"/>"));
}

TEST(RenderJunit, LetsOnlyRequiredCasesFail) {
    JudgeInput input = everything();
    EXPECT_THAT(junit_line(judge(input), "storage.random_read"), HasSubstr("time=\"1.500\"/>"));
    EXPECT_THAT(junit_line(judge(input), "gemm.throughput"),
                HasSubstr("<failure message=\"failed: wrong | result\"/>"));
    EXPECT_THAT(junit_line(judge(input), "memory.bandwidth"),
                HasSubstr("<error message=\"crashed: signal 11\"/>"));
    EXPECT_THAT(junit_line(judge(input), "memory.capacity"),
                HasSubstr("<skipped message=\"skipped: no GPU\"/>"));
    EXPECT_THAT(junit_line(judge(input), "inference.decode"), HasSubstr("<error message=\"not run\"/>"));
    input.outcomes[3].status = Status::timed_out;
    EXPECT_THAT(junit_line(judge(input), "memory.bandwidth"),
                HasSubstr("<error message=\"timed_out: signal 11\"/>"));
    for (SuiteCase& asked : input.cases) asked.required = false;
    EXPECT_THAT(junit_line(judge(input), "gemm.throughput"), HasSubstr("<skipped "));
    EXPECT_THAT(junit_line(judge(input), "memory.bandwidth"), HasSubstr("<skipped "));
    EXPECT_THAT(junit_line(judge(input), "inference.decode"), HasSubstr("<skipped "));
}

// ---- Prometheus

TEST(RenderPrometheus, KeepsToTheExpositionFormat) {
    JudgeInput input = everything();
    input.header.machine = "back\\slash \"quote\" \n newline";
    Metric& metric = input.outcomes[0].metrics[0];
    metric.name = "storage.random-read.1µ";
    metric.labels = {{"a-b", "1"}, {"a.b", "2"}, {"9", "x"}, {"statistic", "own"}, {"", "empty"}};
    Metric odd = metric;
    for (const double value : {nan, infinity, -infinity}) {
        odd.name = "odd.n" + std::to_string(input.outcomes[0].metrics.size());
        odd.value = value;
        input.outcomes[0].metrics.push_back(odd);
    }
    const std::string text = render_prometheus(judge(input));
    ASSERT_TRUE(text.ends_with('\n'));
    const std::regex comment(R"(# (HELP [a-zA-Z_:][a-zA-Z0-9_:]* .+|TYPE [a-zA-Z_:][a-zA-Z0-9_:]* gauge))");
    const std::string label = R"([a-zA-Z_][a-zA-Z0-9_]*="([^"\\]|\\["\\n])*")";
    const std::regex sample("([a-zA-Z_:][a-zA-Z0-9_:]*)(\\{(" + label + ",)*" + label +
                            "\\})? (NaN|\\+Inf|-Inf|-?[0-9][0-9.e+-]*)");
    std::string family;
    std::vector<std::string> families;
    std::vector<std::string> samples;
    for (const std::string& line : lines_of(text)) {
        if (line.starts_with("# HELP ")) {
            family = line.substr(7, line.find(' ', 7) - 7);
            families.push_back(family);
        }
        if (line.starts_with("#")) {
            EXPECT_TRUE(std::regex_match(line, comment)) << line;
            EXPECT_THAT(line, HasSubstr(" " + family + " "));
            continue;
        }
        std::smatch match;
        EXPECT_TRUE(std::regex_match(line, match, sample)) << line;
        EXPECT_EQ(match[1], family) << "every sample stands in its family's block";
        samples.push_back(line.substr(0, line.rfind(' ')));
    }
    std::sort(samples.begin(), samples.end());
    EXPECT_EQ(std::adjacent_find(samples.begin(), samples.end()), samples.end()) << "no sample twice";
    std::sort(families.begin(), families.end());
    EXPECT_EQ(std::adjacent_find(families.begin(), families.end()), families.end()) << "no family twice";
    EXPECT_THAT(text, HasSubstr("machine=\"back\\\\slash \\\"quote\\\" \\n newline\""));
    EXPECT_THAT(text, HasSubstr("assay_storage_random_read_1___operations_per_second{_=\"empty\",_9=\"x\",a_"
                                "b=\"1\",a_b_=\"2\",statistic=\"own\",statistic_=\"median\"} 600000\n"));
    EXPECT_THAT(text, HasSubstr("} NaN\n"));
    EXPECT_THAT(text, HasSubstr("} +Inf\n"));
    EXPECT_THAT(text, HasSubstr("} -Inf\n"));
}

TEST(RenderPrometheus, TellsVerdictsFiguresAndCases) {
    const std::string text = render_prometheus(judged_everything());
    for (const char* line : {
             "# TYPE assay_verdict gauge\n",
             "assay_verdict{suite=\"poc\",tier=\"basic\",verdict=\"fail\"} 1\n",
             "assay_verdict{suite=\"poc\",tier=\"basic\",verdict=\"pass\"} 0\n",
             "assay_verdict{suite=\"poc\",tier=\"basic\",verdict=\"incomplete\"} 0\n",
             "assay_run_info{suite=\"poc\",machine=\"host-7\",started_at=\"2026-01-02T03:04:05Z\",version="
             "\"0.1.0\",quick=\"true\"} 1\n",
             "assay_cases{status=\"measured\"} 2\n",
             "assay_cases{status=\"skipped\"} 1\n",
             "assay_cases{status=\"failed\"} 1\n",
             "assay_cases{status=\"timed_out\"} 0\n",
             "assay_cases{status=\"crashed\"} 1\n",
             "assay_cases{status=\"not_run\"} 1\n",
             "assay_requirement_status{id=\"iops-read\",counted=\"true\",status=\"pass\"} 1\n",
             "assay_requirement_status{id=\"iops-read\",counted=\"true\",status=\"fail\"} 0\n",
             "assay_requirement_status{id=\"iops-open\",counted=\"true\",status=\"inconclusive\"} 1\n",
             "assay_requirement_status{id=\"memory\",counted=\"true\",status=\"not_measured\"} 1\n",
             "assay_requirement_status{id=\"iops-waived\",counted=\"true\",status=\"waived\"} 1\n",
             "assay_requirement_status{id=\"band\",counted=\"false\",status=\"fail\"} 1\n",
             "assay_requirement_measured{id=\"iops-read\",unit=\"operation/second\"} 600000\n",
             "assay_requirement_margin_ratio{id=\"iops-read\"} 0.2\n",
             "assay_storage_random_read_iops_operations_per_second{queue_depth=\"32\",statistic=\"median\"} "
             "600000\n",
             "assay_inventory_system_cpu_cores_count{statistic=\"median\"} 8\n",
             "assay_inventory_system_cuda_version_info{value=\"11.10\"} 1\n",
             "# HELP assay_inventory_system_cpu_cores_count inventory.system.cpu_cores in count\n",
         }) {
        EXPECT_THAT(text, HasSubstr(line));
    }
    EXPECT_THAT(text, Not(HasSubstr("assay_requirement_measured{id=\"memory\"")));
    EXPECT_THAT(text, Not(HasSubstr("assay_requirement_margin_ratio{id=\"cuda\"")));
}

TEST(RenderPrometheus, NamesTheUnitOnceAndGivesNoFiguresOfFailedCases) {
    JudgeInput input = everything();
    input.outcomes[0].metrics[0].unit = Unit::second;
    input.outcomes[0].metrics[0].name = "inference.recovery.seconds";
    EXPECT_THAT(render_prometheus(judge(input)), HasSubstr("\nassay_inference_recovery_seconds{"));
    input.outcomes[0].status = Status::failed;
    EXPECT_THAT(render_prometheus(judge(input)), Not(HasSubstr("assay_inference_recovery_seconds")));
}

TEST(RenderPrometheus, HasASuffixForEveryUnit) {
    const std::pair<Unit, const char*> units[] = {{Unit::second, "seconds"},
                                                  {Unit::hertz, "hertz"},
                                                  {Unit::byte, "bytes"},
                                                  {Unit::bit_per_second, "bits_per_second"},
                                                  {Unit::byte_per_second, "bytes_per_second"},
                                                  {Unit::operation, "operations"},
                                                  {Unit::operation_per_second, "operations_per_second"},
                                                  {Unit::flop_per_second, "flops_per_second"},
                                                  {Unit::token_per_second, "tokens_per_second"},
                                                  {Unit::request_per_second, "requests_per_second"},
                                                  {Unit::byte_per_operation, "bytes_per_operation"},
                                                  {Unit::watt, "watts"},
                                                  {Unit::joule, "joules"},
                                                  {Unit::celsius, "celsius"},
                                                  {Unit::ratio, "ratio"},
                                                  {Unit::count, "count"},
                                                  {Unit::version, "info"},
                                                  {Unit::text, "info"}};
    for (const auto& [unit, suffix] : units) {
        JudgeInput input = everything();
        input.outcomes[0].metrics[0].unit = unit;
        EXPECT_THAT(render_prometheus(judge(input)),
                    HasSubstr("assay_storage_random_read_iops_" + std::string(suffix) + "{"));
    }
}

// ---- CSV

/// RFC 4180.
std::vector<std::vector<std::string>> parse_csv(const std::string& text) {
    std::vector<std::vector<std::string>> rows(1, std::vector<std::string>(1));
    bool quoted = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (quoted) {
            if (text[i] != '"') {
                rows.back().back() += text[i];
            } else if (i + 1 < text.size() && text[i + 1] == '"') {
                rows.back().back() += text[i++];
            } else {
                quoted = false;
            }
        } else if (text[i] == '"') {
            quoted = true;
        } else if (text[i] == ',') {
            rows.back().emplace_back();
        } else if (text.compare(i, 2, "\r\n") == 0) {
            rows.emplace_back(1);
            ++i;
        } else {
            rows.back().back() += text[i];
        }
    }
    rows.pop_back();
    return rows;
}

TEST(RenderCsv, IsOneTableOfRequirementsAndMetrics) {
    const std::string text = render_csv(judged_everything());
    EXPECT_TRUE(text.ends_with("\r\n"));
    const std::vector<std::vector<std::string>> rows = parse_csv(text);
    ASSERT_EQ(rows.size(), 1u + 9 + 3 + 3);
    EXPECT_THAT(rows[0], ElementsAre("kind", "name", "status", "counted", "statistic", "value", "ci_low",
                                     "ci_high", "unit", "comparison", "bound", "bound_high", "margin",
                                     "metric", "documents", "reason"));
    for (const std::vector<std::string>& row : rows) EXPECT_EQ(row.size(), rows[0].size());
    EXPECT_THAT(rows[1], ElementsAre("requirement", "iops-read", "pass", "true", "median", "600000", "590000",
                                     "610000", "operation/second", "at_least", "500000", "", "0.2",
                                     "storage.random_read.iops", "002 五", ""));
    EXPECT_EQ(rows[2][14], "002 五; 003 四");
    EXPECT_THAT(rows[4], ElementsAre("requirement", "memory", "not_measured", "true", "median", "", "", "",
                                     "byte/second", "at_least", "1", "", "", "memory.bandwidth", "002 五",
                                     "crashed: signal 11"));
    EXPECT_THAT(rows[6],
                ElementsAre("requirement", "cuda", "pass", "false", "median", "11.10", "", "", "version",
                            "at_least", "11.6", "", "", "inventory.system.cuda_version", "002 五", ""));
    EXPECT_EQ(rows[7][9], "between");
    EXPECT_EQ(rows[7][10], "16");
    EXPECT_EQ(rows[7][11], "32");
    EXPECT_EQ(rows[7][12], "-0.5");
    EXPECT_THAT(rows[10], ElementsAre("metric", "storage.random_read", "measured", "", "median", "600000",
                                      "590000", "610000", "operation/second", "", "", "", "",
                                      "storage.random_read.iops{queue_depth=32}", "", ""));
    EXPECT_EQ(rows[12][5], "11.10");
    EXPECT_THAT(rows[13], ElementsAre("metric", "gemm.throughput", "failed", "", "", "", "", "", "", "", "",
                                      "", "", "", "", "wrong | result"));
}

TEST(RenderCsv, GivesTheIntervalOfTheHeadlineStatistic) {
    JudgeInput input = everything();
    Metric& metric = input.outcomes[0].metrics[0];
    metric.summary.median_ci95 = Interval{1, 2};
    metric.summary.mean_ci95 = Interval{3, 4};
    metric.summary.sustained_ci95 = Interval{5, 6};
    metric.summary.percentiles = {{90, 0, Interval{7, 8}}, {99.9, 0, Interval{9, 10}}};
    const std::tuple<Statistic, const char*, const char*> expected[] = {
        {Statistic::median, "1", "2"}, {Statistic::mean, "3", "4"},   {Statistic::sustained, "5", "6"},
        {Statistic::p90, "7", "8"},    {Statistic::p99_9, "9", "10"}, {Statistic::p99, "", ""},
        {Statistic::worst, "", ""}};
    for (const auto& [statistic, low, high] : expected) {
        input.outcomes[0].metrics[0].statistic = statistic;
        const std::vector<std::string> row = parse_csv(render_csv(judge(input)))[10];
        EXPECT_EQ(row[6], low);
        EXPECT_EQ(row[7], high);
    }
}

TEST(RenderCsv, QuotesWhatNeedsIt) {
    JudgeInput input = everything();
    input.outcomes[2].reason = "a,b \"c\"\nd\re";
    const std::string text = render_csv(judge(input));
    EXPECT_THAT(text, HasSubstr("\"a,b \"\"c\"\"\nd\re\""));
    EXPECT_EQ(parse_csv(text)[13][15], "a,b \"c\"\nd\re");
    for (const char* plain : {"a,b", "a\"b", "a\rb", "a\nb"}) {
        input.outcomes[2].reason = plain;
        EXPECT_EQ(parse_csv(render_csv(judge(input)))[13][15], plain);
    }
    input.outcomes[0].metrics[0].value = nan;
    EXPECT_EQ(parse_csv(render_csv(judge(input)))[10][5], "");
}

}  // namespace
}  // namespace assay
