#include "reports/curve.h"

#include <algorithm>
#include <limits>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reports/curve_table.h"
#include "reports/text_figures.h"
#include "reports/texts.h"
#include "reports/utf8.h"
#include "tests/reports/curve_builders.h"

namespace assay {
namespace {

using building::add_curve_point;
using building::at_least;
using building::at_most;
using building::latency_curve;
using building::outcome_of;
using building::outcome_with_status;
using building::requirement_on;
using building::sampled;
using testing::ContainsRegex;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr double none = std::numeric_limits<double>::quiet_NaN();
constexpr double endless = std::numeric_limits<double>::infinity();

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
}

std::size_t times(const std::string& text, const std::string& part) {
    std::size_t count = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
    return count;
}

Outcome outcome_with_depths(const std::vector<std::string>& depths) {
    Outcome outcome = outcome_of("storage.latency_curve");
    for (const std::string& depth : depths) add_curve_point(outcome, depth, 1000, 1e-3);
    return outcome;
}

std::vector<std::string> depths_of(const Curve& curve) {
    std::vector<std::string> depths;
    for (const CurvePoint& point : curve.points) depths.push_back(point.at);
    return depths;
}

Report report_of(Outcome outcome) {
    Report report;
    report.outcomes = {std::move(outcome)};
    return report;
}

JudgedRequirement judged(Requirement requirement) {
    JudgedRequirement judged;
    judged.requirement = std::move(requirement);
    return judged;
}

TEST(Curve, PointsAreInTheOrderOfTheirLabelsAsNumbers) {
    const Outcome outcome = outcome_with_depths({"16", "256", "1", "128", "2", "deep", "9", "0.5"});
    EXPECT_THAT(depths_of(*curve_of(outcome)), ElementsAre("0.5", "1", "2", "9", "16", "128", "256", "deep"));
}

TEST(Curve, APointHoldsTheMetricsOfItsLabelWhateverTheirOrder) {
    Outcome outcome = outcome_of("storage.latency_curve");
    add_curve_point(outcome, "1", 1000, 1e-3);
    add_curve_point(outcome, "2", 2000, 2e-3);
    std::reverse(outcome.metrics.begin(), outcome.metrics.end());
    const Curve curve = *curve_of(outcome);
    ASSERT_EQ(curve.points.size(), 2u);
    EXPECT_EQ(curve.points[0].x->value, 1000);
    EXPECT_EQ(curve.points[0].y[0]->value, 1e-3);
    EXPECT_EQ(curve.points[1].x->value, 2000);
    EXPECT_EQ(curve.points[1].y[0]->value, 2e-3);
    EXPECT_EQ(curve.points[1].aside->labels.at("depth"), "2");
}

TEST(Curve, OtherProbesAndOutcomesWithoutPointsHaveNone) {
    Outcome other = latency_curve();
    other.the_case.probe = "storage.random_read";
    EXPECT_EQ(curve_of(other), std::nullopt);
    EXPECT_EQ(metrics_beside_curve(other).size(), other.metrics.size());
    EXPECT_EQ(curve_of(outcome_of("storage.latency_curve")), std::nullopt);
}

TEST(Curve, WhatIsNoPointStandsBesideIt) {
    Outcome outcome = latency_curve();
    // The name alone makes no point: without the axis label it is shown like any other metric.
    outcome.metrics.push_back(sampled("storage.latency_curve.iops", 7, std::nullopt));
    std::vector<std::string> names;
    for (const Metric* metric : metrics_beside_curve(outcome)) names.push_back(metric->name);
    EXPECT_THAT(names,
                ElementsAre("storage.latency_curve.iops_within_100us",
                            "storage.latency_curve.iops_within_100us_p99", "storage.latency_curve.iops"));
}

TEST(Curve, ReferencesAreBoundsThatCountForEveryRunAndLookTheRightWay) {
    Report report;
    const auto add = [&](double bound, Comparison comparison, const char* counts_for, const char* metric) {
        Requirement requirement = requirement_on("r", metric, {comparison, bound, 0, ""}, Unit::second);
        requirement.counts_for = {counts_for};
        report.requirements.push_back(judged(requirement));
    };
    const auto found = [&] { return reference_for("latency", Direction::lower, report); };
    EXPECT_EQ(found(), nullptr);
    add(1, Comparison::at_most, "advice", "latency");
    add(2, Comparison::at_least, "poc", "latency");
    add(3, Comparison::at_most, "poc", "other");
    add(0, Comparison::at_most, "poc", "latency");
    add(none, Comparison::at_most, "poc", "latency");
    add(endless, Comparison::at_most, "poc", "latency");
    EXPECT_EQ(found(), nullptr);
    add(5, Comparison::below, "poc", "latency");
    add(6, Comparison::at_most, "poc", "latency");
    ASSERT_NE(found(), nullptr);
    EXPECT_EQ(found()->bound.low, 5);
    EXPECT_EQ(reference_for("latency", Direction::higher, report)->bound.low, 2);
    report.requirements[6].requirement.divided_by = Selection{};
    EXPECT_EQ(found()->bound.low, 6) << "a ratio's bound is none of its metric";
}

TEST(CurveTable, ShowsEachPointInARowWithEveryFigure) {
    Outcome outcome = outcome_of("storage.latency_curve");
    add_curve_point(outcome, "16", 213e3, 80e-6);
    add_curve_point(outcome, "2", 26.7e3, 75e-6);
    const std::string text = curve_text(*curve_of(outcome), Language::en, 100);
    EXPECT_THAT(text, ContainsRegex("Depth +IOPS +In flight +mean +95 % interval +p50 +p99 +p99.9"));
    EXPECT_THAT(text,
                ContainsRegex("2 +26.7 K op/s +2 +75.0 µs +74.[23]–75.8 µs +72.[78] µs +93.[78] µs +180 µs"));
    EXPECT_LT(text.find("\n2 "), text.find("\n16 "));
}

TEST(CurveTable, FitsNarrowTerminalsByLeavingOutWhatTellsLeast) {
    const Outcome outcome = latency_curve(76e3, 48e-6);
    const Curve curve = *curve_of(outcome);
    for (const Language language : {Language::en, Language::zh}) {
        for (const int columns : {40, 60, 80, 100}) {
            const std::string text = curve_text(curve, language, columns);
            for (const std::string& line : lines_of(text)) EXPECT_LE(display_width(line), columns) << line;
            EXPECT_THAT(text, HasSubstr(std::string(phrase(language, "curve.depth"))));
            EXPECT_THAT(text, HasSubstr("p99"));
        }
        // A row a point at 60 columns too: nothing is wrapped.
        EXPECT_EQ(lines_of(curve_text(curve, language, 60)).size(), curve.points.size() + 2);
        const std::string in_flight(phrase(language, "curve.in_flight"));
        EXPECT_THAT(curve_text(curve, language, 100), HasSubstr(in_flight));
        EXPECT_THAT(curve_text(curve, language, 60), Not(HasSubstr(in_flight)));
    }
}

TEST(CurveTable, WhatIsNoNumberOrMissingIsADashAndAnEmptyColumnIsLeftOut) {
    Outcome outcome = outcome_of("storage.latency_curve");
    add_curve_point(outcome, "1", none, endless);
    add_curve_point(outcome, "2", 1000, 1e-3);
    std::erase_if(outcome.metrics, [](const Metric& metric) { return metric.name.ends_with("in_flight"); });
    const std::string text = curve_text(*curve_of(outcome), Language::en, 100);
    EXPECT_THAT(text, ContainsRegex("\n1 +– +– +– +– +– +–\n"));
    EXPECT_THAT(text, ContainsRegex("\n2 +1.00 K op/s +1.00 ms"));
    EXPECT_THAT(text, Not(HasSubstr("In flight")));
    EXPECT_THAT(text, Not(HasSubstr("nan")));
    EXPECT_THAT(text, Not(HasSubstr("inf")));
}

TEST(CurveTable, StandsInTheTerminalsReportInsteadOfARowAMetric) {
    const Report report = report_of(latency_curve());
    const std::string text = text_figures(report, Language::en, 100);
    EXPECT_THAT(text, ContainsRegex("storage.latency_curve.iops_within_100us +803 K op/s"));
    EXPECT_THAT(text, HasSubstr("Latency at the IOPS reached (storage.latency_curve)\nDepth "));
    EXPECT_THAT(text, Not(HasSubstr("depth=")));
    EXPECT_EQ(lines_of(text).size(), 2u + 2u + 1u + 1u + 2u + 16u);
    EXPECT_THAT(text_figures(report, Language::zh, 80),
                HasSubstr(std::string(phrase(Language::zh, "curve.depth"))));
}

TEST(CurveTable, OfAFailedCaseNoFigureIsShownInTheTerminal) {
    const Report report = report_of(outcome_with_status(latency_curve(), Status::failed, "a cached read"));
    const std::string text = text_figures(report, Language::en, 100);
    EXPECT_THAT(text, HasSubstr("a cached read"));
    EXPECT_THAT(text, Not(HasSubstr("op/s")));
}

TEST(CurveTable, StandsInMarkdownInsteadOfARowAMetric) {
    for (const Language language : {Language::en, Language::zh}) {
        const std::string text = render_markdown(report_of(latency_curve()), language);
        EXPECT_THAT(text, HasSubstr("### " + std::string(phrase(language, "curve.latency_by_iops"))));
        EXPECT_THAT(text, HasSubstr("| 80 | 803 K op/s | 80 | 99.6 µs | "));
        EXPECT_LT(text.find("\n| 2 |"), text.find("\n| 16 |"));
        EXPECT_THAT(text, Not(HasSubstr("depth=")));
        EXPECT_THAT(text, HasSubstr("iops\\_within\\_100us |"));
    }
}

TEST(CurveTable, HostileLabelsSteerNoTerminalAndNoMarkdown) {
    const Report report = report_of(outcome_with_depths({"1\x1b[31m|`<b>\xff", "2"}));
    const std::string text = text_figures(report, Language::en, 100);
    EXPECT_THAT(text, Not(HasSubstr("\x1b")));
    EXPECT_THAT(text, Not(HasSubstr("\xff")));
    const std::string markdown = render_markdown(report, Language::en);
    EXPECT_THAT(markdown, HasSubstr("\\|\\`\\<b\\>"));
    EXPECT_THAT(markdown, Not(HasSubstr("\x1b")));
}

TEST(CurveFormats, CsvAndPrometheusHoldEveryPointApartByItsLabel) {
    const Report report = report_of(latency_curve());
    const std::string csv = render_csv(report);
    EXPECT_EQ(times(csv, "storage.latency_curve.iops{depth="), 16u);
    EXPECT_EQ(times(csv, "storage.latency_curve.latency{depth="), 16u);
    EXPECT_EQ(times(csv, "storage.latency_curve.in_flight{depth="), 16u);
    EXPECT_THAT(csv,
                ContainsRegex("mean,[0-9.e-]+,[0-9.e-]+,[0-9.e-]+,second,,,,,storage.latency_curve.latency"));
    const std::string exposition = render_prometheus(report);
    const std::optional<Curve> curve = curve_of(report.outcomes[0]);
    ASSERT_TRUE(curve);
    for (const CurvePoint& point : curve->points) {
        EXPECT_THAT(exposition,
                    HasSubstr("\nassay_storage_latency_curve_iops_operations_per_second{depth=\"" + point.at +
                              "\",statistic=\"median\"} "));
        EXPECT_THAT(exposition, HasSubstr("\nassay_storage_latency_curve_latency_seconds{depth=\"" +
                                          point.at + "\",statistic=\"mean\"} "));
    }
    EXPECT_EQ(times(exposition, "\nassay_storage_latency_curve_in_flight_count{depth="), 16u);
}

TEST(CurveFormats, JUnitHasOneCaseForTheWholeCurveAndJsonEveryMetric) {
    const Report report = report_of(latency_curve());
    EXPECT_EQ(times(render_junit(report), "classname=\"cases\""), 1u);
    EXPECT_EQ(times(render_json(report), "\"depth\""), 48u);
}

}  // namespace
}  // namespace assay
