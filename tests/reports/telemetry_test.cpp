#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reports/report.h"
#include "reports/telemetry_text.h"
#include "reports/text_figures.h"
#include "tests/reports/telemetry_builders.h"

namespace assay {
namespace {

using building::at_least;
using building::heated_product;
using building::requirement_on;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

JudgedRequirement judged(const Outcome& outcome, double bound) {
    JudgeInput input;
    input.outcomes = {outcome};
    input.requirements = {requirement_on("gemm", "gemm.throughput", at_least(bound), Unit::flop_per_second)};
    return judge(std::move(input)).requirements.at(0);
}

/// The card as it draws its own power limit all the time.
Outcome at_its_limit(double limit = 700) {
    Outcome outcome = heated_product();
    outcome.conditions.device_throttled = 0;
    outcome.telemetry = {{"power_limit", Unit::watt, {{0, limit}, {9, limit}}},
                         {"default_power_limit", Unit::watt, {{0, 700}, {9, 700}}},
                         {"throttled", Unit::ratio, {{0, 1}, {9, 1}}},
                         {"throttled", Unit::ratio, {{0, 1}, {9, 1}}, "software power cap"}};
    return outcome;
}

TEST(JudgeTelemetry, RestsNoVerdictOnAClockThatHeatHeldDownAndNamesIt) {
    for (const double bound : {500e12, 900e12}) {
        const JudgedRequirement one = judged(heated_product(), bound);
        EXPECT_EQ(one.status, VerdictStatus::inconclusive);
        EXPECT_EQ(one.reason_id, "device_throttled");
        EXPECT_THAT(one.reason,
                    AllOf(HasSubstr("33.3 %"), HasSubstr("software thermal slowdown (33 % of the time)"),
                          HasSubstr("up to 5 %")));
    }
}

TEST(JudgeTelemetry, SaysOfEveryVerdictThatTheClockWasLimited) {
    const JudgedRequirement passed = judged(at_its_limit(), 500e12);
    EXPECT_EQ(passed.status, VerdictStatus::pass);
    EXPECT_EQ(passed.reason_id, "device_clock");
    EXPECT_THAT(passed.reason, HasSubstr("software power cap (100 % of the time)"));
    EXPECT_THAT(passed.reason, Not(HasSubstr("power limit")));
    const JudgedRequirement failed = judged(at_its_limit(), 900e12);
    EXPECT_EQ(failed.status, VerdictStatus::fail);
    EXPECT_EQ(failed.reason, passed.reason);
    // The interval lies across the bound: both are said.
    const JudgedRequirement open = judged(at_its_limit(), 690e12);
    EXPECT_EQ(open.reason_id, "across_bound");
    EXPECT_THAT(open.reason, AllOf(HasSubstr("across the bound; "), HasSubstr(passed.reason)));
    EXPECT_THAT(judged(at_its_limit(500), 500e12).reason, HasSubstr("power limit 500 W of 700 W"));
}

TEST(JudgeTelemetry, SaysNothingOfAFreeClock) {
    Outcome outcome = at_its_limit();
    for (TelemetrySeries& series : outcome.telemetry)
        if (series.name == "throttled") series.points = {{0, 0}, {9, 0}};
    EXPECT_EQ(judged(outcome, 500e12).reason, "");
    outcome.telemetry.clear();
    EXPECT_EQ(judged(outcome, 500e12).reason, "");
}

TEST(TelemetryLine, TellsMeanPowerGreatestHeatAndWhatHeldTheClockDown) {
    EXPECT_THAT(telemetry_line(heated_product(), Language::en),
                AllOf(HasSubstr("W on average"), HasSubstr("698 W at most"), HasSubstr("88.0 °C at most"),
                      HasSubstr("memory 94.0 °C at most"), HasSubstr("the power limit (64 % of the time)"),
                      HasSubstr("heat (software slowdown) (33 % of the time)")));
    EXPECT_THAT(telemetry_line(heated_product(), Language::zh),
                AllOf(HasSubstr("最高温度 88.0 °C"), HasSubstr("温度（软件降频）（占时间的 33 %）")));
    EXPECT_THAT(telemetry_line(at_its_limit(500), Language::en), HasSubstr("power limit 500 W of 700 W"));
    Outcome odd = at_its_limit();
    odd.telemetry.back().reason = "a reason of tomorrow";
    EXPECT_THAT(telemetry_line(odd, Language::zh), HasSubstr("a reason of tomorrow"));
    EXPECT_EQ(telemetry_line(Outcome(), Language::en), "");
}

TEST(TelemetryLine, StandsInTheTextAndTheMarkdownReport) {
    Report report;
    report.outcomes = {heated_product()};
    EXPECT_THAT(text_figures(report, Language::en, 200), HasSubstr("88.0 °C at most"));
    EXPECT_THAT(render_markdown(report, Language::en),
                AllOf(HasSubstr("### The device meanwhile"), HasSubstr("88.0 °C at most")));
    report.outcomes[0].telemetry.clear();
    EXPECT_THAT(render_markdown(report, Language::en), Not(HasSubstr("meanwhile")));
}

std::size_t count_of(const std::string& text, const std::string& part) {
    std::size_t count = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
    return count;
}

TEST(HtmlTelemetry, DrawsPowerHeatAndClockWithTheTimeInWhichTheClockWasHeldDown) {
    Report report;
    report.outcomes = {heated_product()};
    const std::string page = render_html(report, Language::en);
    for (const char* caption : {"<figcaption>Power<", "<figcaption>Temperature<",
                                "<figcaption>Temperature of the memory<", "<figcaption>Clock<"})
        EXPECT_EQ(count_of(page, caption), 1u) << caption;
    EXPECT_THAT(page, AllOf(HasSubstr(">power limit</text>"), HasSubstr(">highest clock</text>")));
    // Held down by heat from second 80 to 130 of 150, between x = 52 and 430: in each of the four.
    EXPECT_EQ(count_of(page, "<rect class=\"t\""), 4u);
    EXPECT_EQ(count_of(page, "<rect class=\"t\" x=\"253.6\" y=\"24\" width=\"126.0\""), 4u);
    EXPECT_THAT(page, HasSubstr("shaded: "));
    report.outcomes[0].telemetry.clear();
    EXPECT_THAT(render_html(report, Language::en), Not(HasSubstr("meanwhile")));
}

TEST(HtmlTelemetry, FoldsLoadMemoryClockAndErrorsAndMarksCriticalOnes) {
    Report report;
    report.outcomes = {heated_product()};
    std::vector<TelemetrySeries>& telemetry = report.outcomes[0].telemetry;
    const std::string before = render_html(report, Language::en);
    EXPECT_THAT(before, Not(HasSubstr("<summary>Load, and")));
    telemetry.push_back({"utilisation", Unit::ratio, {{0, 0}, {5, 1}, {150, 1}}});
    telemetry.push_back({"memory_clock", Unit::hertz, {{0, 2.6e9}, {150, 2.6e9}}});
    telemetry.push_back({"ecc_corrected", Unit::count, {{0, 3}, {80, 3}, {150, 5}}});
    telemetry.push_back({"ecc_uncorrected", Unit::count, {{0, 2}, {150, 2}}});
    telemetry.push_back({"xid", Unit::count, {{75, 63}}});
    const std::string page = render_html(report, Language::en);
    EXPECT_THAT(page, AllOf(HasSubstr("<summary>Load, and the memory"), HasSubstr("<figcaption>Load<"),
                            HasSubstr("<figcaption>Clock of the memory<"),
                            HasSubstr("<figcaption>Corrected errors of the memory (ECC)<")));
    EXPECT_THAT(page, Not(HasSubstr("<figcaption>Uncorrected"))) << "none came";
    // Half-way between x = 52 and 430, in each of the seven.
    EXPECT_EQ(count_of(page, "<path class=\"x\" d=\"M241.0 24V"), 7u);
    EXPECT_EQ(count_of(page, ">Xid 63</text>"), 7u);
    EXPECT_THAT(render_html(report, Language::zh), HasSubstr("负载、显存时钟与显存错误"));
}

TEST(HtmlTelemetry, HostileTextsAndNumbersThatAreNoneDoNoHarm) {
    Report report;
    report.outcomes = {heated_product()};
    const double nan = std::nan("");
    for (TelemetrySeries& series : report.outcomes[0].telemetry) {
        series.unit = Unit::text;
        if (series.points.size() > 3) series.points[3] = {nan, nan};
        series.points.back().value = nan;
        if (!series.reason.empty()) series.reason = "<script>marker</script>{}";
    }
    const std::string page = render_html(report, Language::en);
    EXPECT_THAT(page, Not(HasSubstr("<script>marker")));
    EXPECT_THAT(page, HasSubstr("&lt;script&gt;marker"));
}

}  // namespace
}  // namespace assay
