#include "reports/outcome_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include <nlohmann/json.hpp>

namespace assay {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

/// Makes outcomes with something in every field.
class Maker {
  public:
    explicit Maker(unsigned seed) : random_(seed) {}

    Outcome outcome() {
        Outcome outcome;
        outcome.the_case = {text(), values()};
        outcome.the_case.probe += "x";
        outcome.resolved = values();
        outcome.status = static_cast<Status>(number(5));
        outcome.reason = flip() ? text() : "";
        for (int i = number(4); i > 0; --i) outcome.metrics.push_back(metric());
        for (int i = number(3); i > 0; --i) outcome.checks.push_back({text(), flip(), maybe(), text()});
        outcome.conditions = {maybe(), maybe(), maybe(), maybe(), maybe(), maybe()};
        for (int i = number(3); i > 0; --i)
            outcome.telemetry.push_back({text(), static_cast<Unit>(number(18)), points(), text()});
        for (int i = number(3); i > 0; --i) outcome.notes.push_back(text());
        outcome.started_at = text();
        outcome.duration_seconds = real();
        return outcome;
    }

  private:
    int number(int below) { return std::uniform_int_distribution<int>(0, below - 1)(random_); }
    bool flip() { return number(2) == 0; }

    /// Any finite double, by its bits.
    double real() {
        while (true) {
            const std::uint64_t bits = random_();
            double value = 0;
            std::memcpy(&value, &bits, sizeof value);
            if (std::isfinite(value)) return value;
        }
    }
    std::optional<double> maybe() { return flip() ? std::optional<double>(real()) : std::nullopt; }
    std::optional<Interval> interval() {
        return flip() ? std::optional<Interval>(Interval{real(), real()}) : std::nullopt;
    }

    std::string text() {
        static const char* const words[] = {"",
                                            "a b",
                                            "\"quoted\"",
                                            "back\\slash",
                                            "五 ≥ 500K",
                                            "line\nbreak",
                                            "\x01",
                                            "007",
                                            "32",
                                            "-5",
                                            "0.7",
                                            "1e5",
                                            "nan",
                                            "true",
                                            "18446744073709551615",
                                            "99999999999999999999",
                                            "-0",
                                            "1.50",
                                            "4096",
                                            "{}",
                                            "\xF0\x9F\x9A\x80"};
        return words[number(static_cast<int>(std::size(words)))];
    }
    std::vector<SeriesPoint> points() {
        std::vector<SeriesPoint> points;
        for (int i = number(4); i > 0; --i) points.push_back({real(), real()});
        return points;
    }
    std::map<std::string, std::string> values() {
        std::map<std::string, std::string> values;
        for (int i = number(5); i > 0; --i) values[text()] = text();
        return values;
    }

    Metric metric() {
        Metric metric;
        metric.name = text();
        metric.unit = static_cast<Unit>(number(static_cast<int>(Unit::text) + 1));
        metric.direction = static_cast<Direction>(number(3));
        metric.labels = values();
        metric.statistic = static_cast<Statistic>(number(10));
        if (metric.unit == Unit::version || metric.unit == Unit::text) {
            metric.text = text();
        } else {
            metric.value = real();
        }
        Summary& summary = metric.summary;
        summary.samples = static_cast<std::size_t>(number(1000));
        summary.minimum = real();
        summary.median = real();
        summary.median_ci95 = interval();
        summary.mean = real();
        summary.mean_ci95 = interval();
        summary.maximum = real();
        summary.standard_deviation = real();
        summary.median_absolute_deviation = real();
        for (const double rank : {5.0, 50.0, 90.0, 99.0, 99.9, 99.99, 100.0}) {
            if (flip()) summary.percentiles.push_back({rank, real(), interval()});
        }
        summary.sustained = maybe();
        summary.sustained_ci95 = interval();
        summary.steady = flip();
        summary.converged = flip();
        summary.interval_method = text();
        for (int i = number(50); i > 0; --i) metric.samples.push_back(real());
        for (int i = number(20); i > 0; --i) metric.series.push_back({real(), real()});
        if (flip()) {
            Histogram histogram;
            for (int i = number(100); i > 0; --i)
                histogram.record(random_() >> number(64), 1 + random_() % 5);
            metric.histogram = histogram;
        }
        if (flip()) metric.limit = Limit{real(), text()};
        return metric;
    }

    std::mt19937_64 random_;
};

void expect_same(const std::optional<Interval>& left, const std::optional<Interval>& right) {
    ASSERT_EQ(left.has_value(), right.has_value());
    if (!left) return;
    EXPECT_EQ(left->low, right->low);
    EXPECT_EQ(left->high, right->high);
}

void expect_same(const Summary& left, const Summary& right) {
    EXPECT_EQ(left.samples, right.samples);
    EXPECT_EQ(left.minimum, right.minimum);
    EXPECT_EQ(left.median, right.median);
    expect_same(left.median_ci95, right.median_ci95);
    EXPECT_EQ(left.mean, right.mean);
    expect_same(left.mean_ci95, right.mean_ci95);
    EXPECT_EQ(left.maximum, right.maximum);
    EXPECT_EQ(left.standard_deviation, right.standard_deviation);
    EXPECT_EQ(left.median_absolute_deviation, right.median_absolute_deviation);
    ASSERT_EQ(left.percentiles.size(), right.percentiles.size());
    for (std::size_t i = 0; i < left.percentiles.size(); ++i) {
        EXPECT_EQ(left.percentiles[i].rank, right.percentiles[i].rank);
        EXPECT_EQ(left.percentiles[i].value, right.percentiles[i].value);
        expect_same(left.percentiles[i].ci95, right.percentiles[i].ci95);
    }
    EXPECT_EQ(left.sustained, right.sustained);
    expect_same(left.sustained_ci95, right.sustained_ci95);
    EXPECT_EQ(left.steady, right.steady);
    EXPECT_EQ(left.converged, right.converged);
    EXPECT_EQ(left.interval_method, right.interval_method);
}

void expect_same(const Metric& left, const Metric& right) {
    EXPECT_EQ(left.name, right.name);
    EXPECT_EQ(left.unit, right.unit);
    EXPECT_EQ(left.direction, right.direction);
    EXPECT_EQ(left.labels, right.labels);
    EXPECT_EQ(left.statistic, right.statistic);
    EXPECT_EQ(left.value, right.value);
    EXPECT_EQ(left.text, right.text);
    expect_same(left.summary, right.summary);
    EXPECT_EQ(left.samples, right.samples);
    ASSERT_EQ(left.series.size(), right.series.size());
    for (std::size_t i = 0; i < left.series.size(); ++i) {
        EXPECT_EQ(left.series[i].at, right.series[i].at);
        EXPECT_EQ(left.series[i].value, right.series[i].value);
    }
    ASSERT_EQ(left.histogram.has_value(), right.histogram.has_value());
    if (left.histogram) {
        EXPECT_EQ(left.histogram->buckets(), right.histogram->buckets());
        EXPECT_EQ(left.histogram->minimum(), right.histogram->minimum());
        EXPECT_EQ(left.histogram->maximum(), right.histogram->maximum());
        EXPECT_EQ(left.histogram->count(), right.histogram->count());
        EXPECT_DOUBLE_EQ(left.histogram->mean(), right.histogram->mean());
    }
    ASSERT_EQ(left.limit.has_value(), right.limit.has_value());
    if (left.limit) {
        EXPECT_EQ(left.limit->value, right.limit->value);
        EXPECT_EQ(left.limit->source, right.limit->source);
    }
}

void expect_same(const Outcome& left, const Outcome& right) {
    EXPECT_EQ(left.the_case, right.the_case);
    EXPECT_EQ(left.resolved, right.resolved);
    EXPECT_EQ(left.status, right.status);
    EXPECT_EQ(left.reason, right.reason);
    ASSERT_EQ(left.metrics.size(), right.metrics.size());
    for (std::size_t i = 0; i < left.metrics.size(); ++i) expect_same(left.metrics[i], right.metrics[i]);
    ASSERT_EQ(left.checks.size(), right.checks.size());
    for (std::size_t i = 0; i < left.checks.size(); ++i) {
        EXPECT_EQ(left.checks[i].name, right.checks[i].name);
        EXPECT_EQ(left.checks[i].passed, right.checks[i].passed);
        EXPECT_EQ(left.checks[i].error, right.checks[i].error);
        EXPECT_EQ(left.checks[i].detail, right.checks[i].detail);
    }
    EXPECT_EQ(left.conditions.cpu_steal, right.conditions.cpu_steal);
    EXPECT_EQ(left.conditions.pressure, right.conditions.pressure);
    EXPECT_EQ(left.conditions.throttled, right.conditions.throttled);
    EXPECT_EQ(left.conditions.foreign_io, right.conditions.foreign_io);
    EXPECT_EQ(left.conditions.foreign_cpu, right.conditions.foreign_cpu);
    EXPECT_EQ(left.conditions.device_throttled, right.conditions.device_throttled);
    ASSERT_EQ(left.telemetry.size(), right.telemetry.size());
    for (std::size_t i = 0; i < left.telemetry.size(); ++i) {
        const TelemetrySeries &one = left.telemetry[i], &other = right.telemetry[i];
        EXPECT_EQ(one.name, other.name);
        EXPECT_EQ(one.unit, other.unit);
        EXPECT_EQ(one.reason, other.reason);
        ASSERT_EQ(one.points.size(), other.points.size());
        for (std::size_t j = 0; j < one.points.size(); ++j) {
            EXPECT_EQ(one.points[j].at, other.points[j].at);
            EXPECT_EQ(one.points[j].value, other.points[j].value);
        }
    }
    EXPECT_EQ(left.notes, right.notes);
    EXPECT_EQ(left.started_at, right.started_at);
    EXPECT_EQ(left.duration_seconds, right.duration_seconds);
}

TEST(OutcomeJson, ComesBackExactlyAsItWasWritten) {
    for (unsigned seed = 0; seed < 200; ++seed) {
        const Outcome outcome = Maker(seed).outcome();
        const std::string line = outcome_to_json(outcome).dump();
        const Outcome again = outcome_from_json(json::parse(line));
        expect_same(outcome, again);
        if (HasFailure()) FAIL() << "seed " << seed << ": " << line;
        EXPECT_EQ(outcome_to_json(again).dump(), line);
    }
}

Outcome small() {
    Outcome outcome;
    outcome.the_case = {"gemm.throughput", {{"precision", "int8"}, {"n", "4096"}}};
    outcome.resolved = {{"isa", "amx"}};
    Metric metric;
    metric.name = "gemm.throughput";
    metric.unit = Unit::operation_per_second;
    metric.direction = Direction::higher;
    metric.labels = {{"n", "4096"}};
    metric.value = 2;
    metric.summary.samples = 3;
    metric.summary.median = 2;
    metric.summary.median_ci95 = Interval{1.5, 2.5};
    metric.summary.percentiles = {{99, 3, Interval{2.5, 3.5}}, {99.9, 4, std::nullopt}};
    metric.samples = {1, 2, 3};
    metric.series = {{0.5, 1}};
    Histogram histogram;
    histogram.record(100, 2);
    metric.histogram = histogram;
    metric.limit = Limit{4, "datasheet"};
    outcome.metrics = {metric};
    outcome.checks = {{"result matches reference", true, 1e-7, "detail"}};
    outcome.conditions.cpu_steal = 0.25;
    outcome.notes = {"a note"};
    outcome.started_at = "2026-01-02T03:04:05Z";
    outcome.duration_seconds = 2.5;
    return outcome;
}

TEST(OutcomeJson, HasTheKeysOfTheContract) {
    const json expected = json::parse(R"({
      "schema": "assay.outcome/1",
      "case": {"probe": "gemm.throughput", "parameters": {"precision": "int8", "n": 4096}, "resolved": {"isa": "amx"}},
      "status": "measured", "reason": null,
      "metrics": [{
        "name": "gemm.throughput", "unit": "operation/second", "direction": "higher", "labels": {"n": 4096},
        "statistic": "median", "value": 2.0,
        "summary": {"samples": 3, "min": 0.0, "median": 2.0, "median_ci95": [1.5, 2.5], "mean": 0.0,
          "mean_ci95": null, "max": 0.0, "stddev": 0.0, "mad": 0.0, "percentiles": {"99": 3.0, "99.9": 4.0},
          "percentiles_ci95": {"99": [2.5, 3.5]}, "sustained": null, "sustained_ci95": null, "steady": true,
          "converged": true, "interval_method": ""},
        "samples": [1.0, 2.0, 3.0], "series": [[0.5, 1.0]],
        "histogram": {"min_ns": 100, "max_ns": 100, "mean_ns": 100.0, "buckets": [[100, 2]]},
        "limit": {"value": 4.0, "source": "datasheet"}}],
      "checks": [{"name": "result matches reference", "passed": true, "error": 1e-7, "detail": "detail"}],
      "conditions": {"cpu_steal": 0.25, "pressure": null, "throttled": null, "foreign_io": null, "foreign_cpu": null, "device_throttled": null},
      "notes": ["a note"], "started_at": "2026-01-02T03:04:05Z", "duration_seconds": 2.5})");
    EXPECT_EQ(outcome_to_json(small()), expected);
    EXPECT_EQ(case_to_json(small().the_case),
              json::parse(R"({"probe": "gemm.throughput", "parameters": {"precision": "int8", "n": 4096}})"));
    EXPECT_EQ(case_from_json(case_to_json(small().the_case)), small().the_case);
}

TEST(OutcomeJson, HasTelemetryOnlyWhereADeviceToldSome) {
    EXPECT_FALSE(outcome_to_json(small()).contains("telemetry"));
    Outcome outcome = small();
    outcome.telemetry = {{"power", Unit::watt, {{0, 70}, {0.1, 350.5}}},
                         {"throttled", Unit::ratio, {{0, 0}, {0.1, 1}}, "software power cap"}};
    EXPECT_EQ(outcome_to_json(outcome)["telemetry"], json::parse(R"([
        {"name": "power", "unit": "watt", "points": [[0.0, 70.0], [0.1, 350.5]]},
        {"name": "throttled", "unit": "ratio", "points": [[0.0, 0.0], [0.1, 1.0]], "reason": "software power cap"}])"));
    json broken = outcome_to_json(outcome);
    broken["telemetry"][1]["points"][1] = 5;
    try {
        outcome_from_json(broken);
        ADD_FAILURE() << "accepted";
    } catch (const InputError& error) {
        EXPECT_THAT(error.what(), HasSubstr("/telemetry/1/points/1"));
    }
}

TEST(OutcomeJson, WritesTextOnlyForWords) {
    Outcome outcome = small();
    outcome.metrics[0].text = "ignored";
    EXPECT_FALSE(outcome_to_json(outcome)["metrics"][0].contains("text"));
    for (const Unit unit : {Unit::version, Unit::text}) {
        outcome.metrics[0].unit = unit;
        const json metric = outcome_to_json(outcome)["metrics"][0];
        EXPECT_EQ(metric["text"], "ignored");
        EXPECT_TRUE(metric["value"].is_null());
        EXPECT_EQ(outcome_from_json(outcome_to_json(outcome)).metrics[0].value, 0);
    }
}

TEST(OutcomeJson, WritesWhatIsNotFiniteAsNullAndReadsItAsNotANumber) {
    Outcome outcome = small();
    outcome.metrics[0].value = nan;
    outcome.metrics[0].samples = {1, infinity, 3};
    outcome.metrics[0].series = {{0, -infinity}};
    outcome.metrics[0].summary.median_ci95 = Interval{nan, 2};
    outcome.metrics[0].summary.percentiles = {{99, nan, std::nullopt}};
    outcome.metrics[0].limit = Limit{infinity, ""};
    outcome.conditions.cpu_steal = nan;
    const json written = outcome_to_json(outcome);
    EXPECT_TRUE(written["metrics"][0]["value"].is_null());
    EXPECT_TRUE(written["metrics"][0]["samples"][1].is_null());
    const Outcome again = outcome_from_json(json::parse(written.dump()));
    EXPECT_TRUE(std::isnan(again.metrics[0].value));
    EXPECT_TRUE(std::isnan(again.metrics[0].samples[1]));
    EXPECT_TRUE(std::isnan(again.metrics[0].series[0].value));
    ASSERT_TRUE(again.metrics[0].summary.median_ci95.has_value());
    EXPECT_TRUE(std::isnan(again.metrics[0].summary.median_ci95->low));
    EXPECT_EQ(again.metrics[0].summary.median_ci95->high, 2);
    EXPECT_TRUE(std::isnan(again.metrics[0].summary.percentiles[0].value));
    EXPECT_TRUE(std::isnan(again.metrics[0].limit->value));
    EXPECT_EQ(again.conditions.cpu_steal, std::nullopt);
}

TEST(OutcomeJson, CanAlwaysBeWrittenOutEvenWithBrokenText) {
    Outcome outcome = small();
    outcome.reason = "bad \xFF byte";
    outcome.notes = {"\xC3"};
    outcome.resolved = {{"model\xFE", "\x80"}};
    outcome.metrics[0].name = "\xED\xA0\x80";
    std::string line;
    ASSERT_NO_THROW(line = outcome_to_json(outcome).dump());
    const Outcome again = outcome_from_json(json::parse(line));
    EXPECT_EQ(again.reason, "bad \xEF\xBF\xBD byte");
    EXPECT_EQ(again.notes[0], "\xEF\xBF\xBD");
}

TEST(OutcomeJson, SortsPercentilesByRankNotByText) {
    json written = outcome_to_json(small());
    written["metrics"][0]["summary"]["percentiles"] = {
        {"100", 9.0}, {"99.9", 8.0}, {"0.5", 1.0}, {"50", 2.0}};
    const Outcome again = outcome_from_json(written);
    ASSERT_EQ(again.metrics[0].summary.percentiles.size(), 4u);
    EXPECT_EQ(again.metrics[0].summary.percentiles[0].rank, 0.5);
    EXPECT_EQ(again.metrics[0].summary.percentiles[1].rank, 50);
    EXPECT_EQ(again.metrics[0].summary.percentiles[2].rank, 99.9);
    EXPECT_EQ(again.metrics[0].summary.percentiles[3].rank, 100);
}

TEST(OutcomeJson, IgnoresKeysOfLaterVersions) {
    json written = outcome_to_json(small());
    written["more"] = 1;
    written["case"]["more"] = json::object();
    written["metrics"][0]["more"] = "x";
    written["metrics"][0]["summary"]["more"] = nullptr;
    written["conditions"]["more"] = "x";
    expect_same(outcome_from_json(written), small());
}

TEST(OutcomeJson, ReadsAMinimalOutcome) {
    const Outcome outcome = outcome_from_json(json::parse(
        R"({"schema":"assay.outcome/1","case":{"probe":"a.b","parameters":{}},"status":"crashed","metrics":[]})"));
    EXPECT_EQ(outcome.the_case.probe, "a.b");
    EXPECT_EQ(outcome.status, Status::crashed);
    EXPECT_TRUE(outcome.reason.empty());
    EXPECT_EQ(outcome.duration_seconds, 0);
    const Metric metric =
        outcome_from_json(
            json::parse(
                R"({"schema":"assay.outcome/1","case":{"probe":"a.b","parameters":{}},"status":"measured","metrics":[
            {"name":"a.b","unit":"count","direction":"none","labels":{},"statistic":"mean","value":4,
             "summary":{"samples":1,"min":4,"median":4,"mean":4,"max":4,"stddev":0,"mad":0},"samples":[4]}]})"))
            .metrics.at(0);
    EXPECT_EQ(metric.value, 4);
    EXPECT_TRUE(metric.summary.steady);
    EXPECT_TRUE(metric.summary.converged);
    EXPECT_EQ(metric.histogram, std::nullopt);
    EXPECT_TRUE(metric.summary.percentiles.empty());
}

struct Broken {
    const char* pointer;  ///< what is changed
    json value;           ///< to what; discarded: taken away
    const char* where;    ///< what the error names
    const char* accepted;
};

std::string error_of(const json& written) {
    try {
        outcome_from_json(written);
    } catch (const InputError& error) {
        return error.what();
    }
    return "accepted";
}

TEST(OutcomeJson, SaysWhereAndWhatWouldBeAcceptedWhenItIsUnusable) {
    const json gone(json::value_t::discarded);
    const Broken broken[] = {
        {"/schema", "assay.outcome/2", "outcome#/schema:", "\"assay.outcome/1\""},
        {"/schema", gone, "outcome#:", "\"schema\" is missing"},
        {"/case", gone, "outcome#:", "\"case\" is missing"},
        {"/case", 5, "outcome#/case:", "expected an object, not 5"},
        {"/case/probe", gone, "outcome#/case:", "\"probe\" is missing"},
        {"/case/probe", "", "outcome#/case:", "no name"},
        {"/case/parameters", json::array(),
         "outcome#/case/parameters:", "expected an object, not an array of 0"},
        {"/case/parameters/n", nullptr, "outcome#/case/parameters/n:", "expected a number, a string"},
        {"/case/parameters/n", json::array({1}), "outcome#/case/parameters/n:", "not an array of 1"},
        {"/case/resolved", "x", "outcome#/case/resolved:", "expected an object, not \"x\""},
        {"/status", "fine", "outcome#/status:", "measured, skipped, failed, timed_out, crashed"},
        {"/status", gone, "outcome#:", "\"status\" is missing"},
        {"/reason", 5, "outcome#/reason:", "expected a string"},
        {"/metrics", json::object(), "outcome#/metrics:", "expected an array, not an object"},
        {"/metrics", gone, "outcome#:", "\"metrics\" is missing"},
        {"/metrics/0", 1, "outcome#/metrics/0:", "expected an object"},
        {"/metrics/0/name", gone, "outcome#/metrics/0:", "\"name\" is missing"},
        {"/metrics/0/unit", "furlong", "outcome#/metrics/0/unit:", "byte/second"},
        {"/metrics/0/unit", "text", "outcome#/metrics/0:", "\"text\" is missing"},
        {"/metrics/0/direction", "up", "outcome#/metrics/0/direction:", "higher, lower, none"},
        {"/metrics/0/labels", gone, "outcome#/metrics/0:", "\"labels\" is missing"},
        {"/metrics/0/statistic", "p98", "outcome#/metrics/0/statistic:", "p99.9, p99.99, worst, sustained"},
        {"/metrics/0/value", "2", "outcome#/metrics/0/value:", "expected a number, not \"2\""},
        {"/metrics/0/value", true, "outcome#/metrics/0/value:", "expected a number, not true"},
        {"/metrics/0/summary", gone, "outcome#/metrics/0:", "\"summary\" is missing"},
        {"/metrics/0/summary/samples", -1, "outcome#/metrics/0/summary/samples:", "whole number"},
        {"/metrics/0/summary/samples", 1.5, "outcome#/metrics/0/summary/samples:", "whole number"},
        {"/metrics/0/summary/min", gone, "outcome#/metrics/0/summary:", "\"min\" is missing"},
        {"/metrics/0/summary/median_ci95", json::array({1}),
         "outcome#/metrics/0/summary/median_ci95:", "two numbers"},
        {"/metrics/0/summary/median_ci95", json::array({1, 2, 3}),
         "outcome#/metrics/0/summary/median_ci95:", "array of 3"},
        {"/metrics/0/summary/percentiles/101", 1, "outcome#/metrics/0/summary/percentiles/101:", "0 to 100"},
        {"/metrics/0/summary/percentiles/-1", 1, "outcome#/metrics/0/summary/percentiles/-1:", "0 to 100"},
        {"/metrics/0/summary/percentiles/p99", 1, "outcome#/metrics/0/summary/percentiles/p99:", "0 to 100"},
        {"/metrics/0/summary/percentiles/9x", 1, "outcome#/metrics/0/summary/percentiles/9x:", "0 to 100"},
        {"/metrics/0/summary/percentiles_ci95/99", 1,
         "outcome#/metrics/0/summary/percentiles_ci95/99:", "array"},
        {"/metrics/0/summary/steady", 1, "outcome#/metrics/0/summary/steady:", "true or false"},
        {"/metrics/0/samples", gone, "outcome#/metrics/0:", "\"samples\" is missing"},
        {"/metrics/0/samples/1", "x", "outcome#/metrics/0/samples/1:", "expected a number"},
        {"/metrics/0/series/0", json::array({1}), "outcome#/metrics/0/series/0:", "[seconds, value]"},
        {"/metrics/0/series/0/0", "x", "outcome#/metrics/0/series/0/0:", "expected a number"},
        {"/metrics/0/histogram/min_ns", gone, "outcome#/metrics/0/histogram:", "\"min_ns\" is missing"},
        {"/metrics/0/histogram/max_ns", -5, "outcome#/metrics/0/histogram/max_ns:", "whole number"},
        {"/metrics/0/histogram/mean_ns", nullptr,
         "outcome#/metrics/0/histogram/mean_ns:", "expected a number"},
        {"/metrics/0/histogram/buckets/0", json::array({1, 2, 3}),
         "outcome#/metrics/0/histogram/buckets/0:", "count"},
        {"/metrics/0/histogram/buckets/0/1", -1, "outcome#/metrics/0/histogram/buckets/0/1:", "whole number"},
        {"/metrics/0/limit", 4, "outcome#/metrics/0/limit:", "expected an object"},
        {"/metrics/0/limit/value", gone, "outcome#/metrics/0/limit:", "\"value\" is missing"},
        {"/checks", json::object(), "outcome#/checks:", "expected an array"},
        {"/checks/0/passed", "yes", "outcome#/checks/0/passed:", "true or false"},
        {"/conditions", json::array(), "outcome#/conditions:", "expected an object"},
        {"/conditions/cpu_steal", "N/A", "outcome#/conditions/cpu_steal:", "expected a number, not \"N/A\""},
        {"/notes/0", 5, "outcome#/notes/0:", "expected a string, not 5"},
        {"/duration_seconds", "1", "outcome#/duration_seconds:", "expected a number"},
        {"/metrics/0/na~me~1x", 1, "accepted", ""},
    };
    for (const Broken& one : broken) {
        json written = outcome_to_json(small());
        const std::string pointer = one.pointer;
        const std::size_t slash = pointer.rfind('/');
        json& parent = written[json::json_pointer(pointer.substr(0, slash))];
        const std::string key = pointer.substr(slash + 1);
        if (one.value.is_discarded()) {
            parent.erase(key);
        } else if (parent.is_array()) {
            parent[std::stoul(key)] = one.value;
        } else {
            parent[key] = one.value;
        }
        const std::string error = error_of(written);
        EXPECT_THAT(error, AllOf(testing::StartsWith(one.where), HasSubstr(one.accepted))) << pointer;
        EXPECT_EQ(error.find('\n'), std::string::npos) << "one line only";
    }
    EXPECT_THAT(error_of(json::parse("[]")), testing::StartsWith("outcome#: expected an object"));
    EXPECT_THROW(case_from_json(json::parse(R"({"probe":"a"})")), InputError);
}

TEST(OutcomeJson, EscapesTheKeysOfAPointerAndCutsLongText) {
    json written = outcome_to_json(small());
    written["case"]["parameters"]["a/b~c"] = nullptr;
    EXPECT_THAT(error_of(written), testing::StartsWith("outcome#/case/parameters/a~1b~0c:"));
    written = outcome_to_json(small());
    std::string long_text;
    for (int i = 0; i < 40; ++i) long_text += "五";
    written["metrics"][0]["value"] = long_text;
    const std::string error = error_of(written);
    EXPECT_LT(error.size(), 130u);
    EXPECT_TRUE(error.ends_with("五...")) << error;
    // Wherever the cut would fall within a character, the character goes as a whole.
    for (const char* start : {"a", "ab", "abc"}) {
        written["metrics"][0]["value"] = start + long_text;
        const std::string shifted = error_of(written);
        EXPECT_TRUE(shifted.ends_with("五...")) << shifted;
        EXPECT_LT(shifted.size(), 130u);
    }
}

TEST(OutcomeJson, KeepsNumbersAsNumbersOnlyWhereTheTextComesBack) {
    for (const char* number : {"32", "0", "-5", "4096", "0.7", "2.5", "18446744073709551615",
                               "-9223372036854775808", "1e-07", "1e+20"}) {
        EXPECT_TRUE(value_to_json(number).is_number()) << number;
        EXPECT_EQ(value_from_json(value_to_json(number)), number);
    }
    for (const char* text : {"", "auto", "007", "1.50", "1e5", "+5", "0x10", "nan", "inf", "-inf", "true",
                             " 5", "5 ", "99999999999999999999999", "1e999", "-0", "4K"}) {
        EXPECT_TRUE(value_to_json(text).is_string()) << text;
        EXPECT_EQ(value_from_json(value_to_json(text)), text);
    }
    EXPECT_TRUE(value_to_json("18446744073709551615").is_number_unsigned());
    EXPECT_EQ(value_from_json(json(true)), "true");
    EXPECT_EQ(value_from_json(json(false)), "false");
    EXPECT_THROW(value_from_json(json(nullptr)), InputError);
    EXPECT_THROW(value_from_json(json::array()), InputError);
}

}  // namespace
}  // namespace assay
