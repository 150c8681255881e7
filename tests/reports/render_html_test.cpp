#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "report_fixture.h"
#include "reports/render_html_axis.h"
#include "reports/render_html_charts.h"
#include "reports/render_html_parts.h"
#include "reports/run_summary.h"
#include "reports/texts.h"

namespace assay {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::size_t times(const std::string& text, const std::string& part) {
    std::size_t count = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size()))
        ++count;
    return count;
}

std::string without_style(const std::string& page) {
    const std::size_t from = page.find("<style>");
    const std::size_t to = page.find("</style>");
    return page.substr(0, from) + page.substr(to + std::string("</style>").size());
}

std::string section(const std::string& page, const std::string& id) {
    const std::size_t from = page.find("id=\"" + id + "\"");
    EXPECT_NE(from, std::string::npos) << id;
    return page.substr(from, page.find("\n</section>", from) - from);
}

/// The names of the tags left open or closed wrongly, by a stack: the page must be well nested.
std::string first_nesting_error(const std::string& page) {
    static const std::set<std::string> empty_elements = {"meta", "link", "br", "img"};
    std::vector<std::string> open;
    const std::regex tag(R"(<(/?)([a-zA-Z][a-zA-Z0-9]*)((?:"[^"]*"|[^">])*?)(/?)>)");
    const std::string body = without_style(page);
    for (std::sregex_iterator at(body.begin(), body.end(), tag), end; at != end; ++at) {
        const std::string name = (*at)[2].str();
        if (empty_elements.count(name) > 0 || !(*at)[4].str().empty()) continue;
        if ((*at)[1].str().empty()) {
            open.push_back(name);
        } else if (open.empty() || open.back() != name) {
            return "</" + name + "> closes <" + (open.empty() ? "nothing" : open.back()) + ">";
        } else {
            open.pop_back();
        }
    }
    return open.empty() ? "" : "<" + open.back() + "> is never closed";
}

/// The highest and the lowest place of the chart's line (down is more), from its steps in tenths.
std::pair<double, double> heights_of_line(const std::string& chart) {
    const std::size_t from = chart.find(" d=\"", chart.find("class=\"l\"")) + 4;
    const std::string path = chart.substr(from, chart.find('"', from) - from);
    const std::regex step(R"(([Ml])(-?\d+) ?(-?\d+))");
    double y = 0, least = 1e9, most = -1e9;
    for (std::sregex_iterator at(path.begin(), path.end(), step), end; at != end; ++at) {
        y = ((*at)[1] == "M" ? 0 : y) + std::stod((*at)[3]) / 10;
        least = std::min(least, y);
        most = std::max(most, y);
    }
    return {least, most};
}

class HtmlInBothLanguages : public ::testing::TestWithParam<Language> {};
INSTANTIATE_TEST_SUITE_P(Languages, HtmlInBothLanguages, ::testing::Values(Language::en, Language::zh),
                         [](const auto& parameter) { return parameter.param == Language::en ? "en" : "zh"; });

TEST_P(HtmlInBothLanguages, EveryRequirementHasItsRowWithVerdictBoundQuoteAndReading) {
    const Report report = poc_like_report();
    const std::string page = render_html(report, GetParam());
    ASSERT_GT(report.requirements.size(), 40u);
    EXPECT_EQ(times(page, "data-requirement="), report.requirements.size());
    for (const JudgedRequirement& judged : report.requirements) {
        const std::size_t from = page.find("data-requirement=\"" + judged.requirement.id + "\"");
        ASSERT_NE(from, std::string::npos) << judged.requirement.id;
        const std::string row = page.substr(from, page.find("</tbody>", from) - from);
        EXPECT_THAT(row, HasSubstr(html::escape(in_language(judged.requirement.title, GetParam()))));
        EXPECT_THAT(row, HasSubstr(html::escape(in_language(judged.requirement.reading, GetParam()))));
        EXPECT_THAT(row, HasSubstr(html::escape(format_bound(judged.requirement, GetParam()))));
        EXPECT_THAT(row, HasSubstr(std::string(verdict_word(judged.status, GetParam()))));
        EXPECT_THAT(row, HasSubstr(std::string(verdict_sign(judged.status))));
        EXPECT_THAT(row, HasSubstr(html::escape(format_measured(judged, GetParam()))));
        for (const Source& source : judged.requirement.sources) {
            EXPECT_THAT(row, HasSubstr(html::escape(source.quote)));
            EXPECT_THAT(row, HasSubstr(source.document));
        }
    }
}

TEST_P(HtmlInBothLanguages, TagsAreWellNestedAndIdsAreUnique) {
    for (const Report& report : {poc_like_report(), hostile_report(), Report{}}) {
        const std::string page = render_html(report, GetParam());
        EXPECT_EQ(first_nesting_error(page), "");
        const std::regex id(R"( id="([^"]*)\")");
        std::set<std::string> ids;
        for (std::sregex_iterator at(page.begin(), page.end(), id), end; at != end; ++at) {
            EXPECT_TRUE(ids.insert((*at)[1].str()).second) << (*at)[1].str();
        }
        const std::regex link(R"(href="#([^"]*)\")");
        for (std::sregex_iterator at(page.begin(), page.end(), link), end; at != end; ++at) {
            EXPECT_EQ(ids.count((*at)[1].str()), 1u) << "a link to nowhere: " << (*at)[1].str();
        }
    }
}

TEST_P(HtmlInBothLanguages, NothingIsLoadedFromOutside) {
    const std::string page = render_html(poc_like_report(), GetParam());
    EXPECT_THAT(page, HasSubstr("default-src 'none'"));
    EXPECT_THAT(page, Not(HasSubstr("<script")));
    EXPECT_THAT(page, Not(HasSubstr("@import")));
    EXPECT_THAT(page, Not(HasSubstr("url(")));
    EXPECT_THAT(page, Not(HasSubstr(" src=")));
    EXPECT_THAT(page, Not(HasSubstr("http:")));
    EXPECT_THAT(page, Not(HasSubstr("https:")));
}

TEST_P(HtmlInBothLanguages, HostileTextsStayTexts) {
    const std::string page = without_style(render_html(hostile_report(), GetParam()));
    EXPECT_GT(times(page, "marker"), 200u);
    EXPECT_THAT(page, Not(HasSubstr("<script")));
    EXPECT_THAT(page, Not(HasSubstr("<img")));
    EXPECT_EQ(times(page, "marker&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&gt;&lt;img"),
              times(page, "marker"));
    for (const char c : page) EXPECT_TRUE(static_cast<unsigned char>(c) >= 0x20 || c == '\n') << int(c);
    EXPECT_THAT(page, Not(HasSubstr("\xE2\x80\xAE")));
    EXPECT_THAT(page, Not(HasSubstr("\xff")));
}

TEST_P(HtmlInBothLanguages, AnEmptyReportIsAPageThatSaysNothingWasDecided) {
    const std::string page = render_html(Report{}, GetParam());
    EXPECT_THAT(page, HasSubstr(std::string(verdict_word(RunVerdict::incomplete, GetParam()))));
    EXPECT_THAT(page, HasSubstr(std::string(phrase(GetParam(), "lead.nothing_counts"))));
    EXPECT_THAT(page, HasSubstr(std::string(phrase(GetParam(), "machine.none"))));
}

TEST(Html, TheVerdictComesFirstWithItsFiguresAndWhatIsMissing) {
    const std::string page = render_html(poc_like_report(), Language::en);
    const std::string verdict = section(page, "verdict");
    EXPECT_LT(page.find("id=\"verdict\""), page.find("id=\"requirements\""));
    EXPECT_THAT(verdict, HasSubstr("FAIL"));
    EXPECT_THAT(verdict, HasSubstr("requirement-qps-500"));
    EXPECT_THAT(verdict, HasSubstr("measured 311 request/s, required ≥ 500 request/s"));
    EXPECT_THAT(verdict, HasSubstr("mail of 3 March"));
    // What fails without counting is no part of the verdict.
    EXPECT_THAT(verdict, Not(HasSubstr("requirement-cpu-clock")));
    EXPECT_THAT(verdict, HasSubstr("quick"));
}

TEST(Html, CountedAdviceAndSoftwareStandApart) {
    const Report report = poc_like_report();
    const std::string page = render_html(report, Language::en);
    const std::size_t counted = page.find("id=\"counted\""), advice = page.find("id=\"advice\""),
                      software = page.find("id=\"software\""), after = page.find("id=\"measurements\"");
    for (const JudgedRequirement& judged : report.requirements) {
        const std::size_t row = page.find("data-requirement=\"" + judged.requirement.id + "\"");
        switch (requirement_group(judged)) {
            case RequirementGroup::counted:
                EXPECT_TRUE(row > counted && row < advice) << judged.requirement.id;
                break;
            case RequirementGroup::advice:
                EXPECT_TRUE(row > advice && row < software) << judged.requirement.id;
                break;
            case RequirementGroup::software:
                EXPECT_TRUE(row > software && row < after) << judged.requirement.id;
                break;
        }
    }
}

TEST(Html, ARemedyIsShownOnlyWhereItIsNeeded) {
    Report report = poc_like_report();
    report.requirements.resize(1);
    report.requirements[0].requirement.remedy = Text{"buy a faster disk", ""};
    for (const VerdictStatus status : {VerdictStatus::pass, VerdictStatus::not_measured}) {
        report.requirements[0].status = status;
        EXPECT_THAT(render_html(report, Language::en), Not(HasSubstr("buy a faster disk")));
    }
    report.requirements[0].status = VerdictStatus::fail;
    EXPECT_THAT(render_html(report, Language::en), HasSubstr("buy a faster disk"));
}

TEST(Html, AWaivedRequirementSaysWhatItWouldBeAndANoteStandsInWords) {
    const std::string page = render_html(poc_like_report(), Language::en);
    EXPECT_THAT(page, HasSubstr("it would be: not measured; waived because: the vendor&#39;s own figure"));
    EXPECT_THAT(page, HasSubstr(std::string(phrase(Language::en, "note.not_converged"))));
}

TEST(Html, ALeadNamesEachKindOfVerdict) {
    Report report = poc_like_report();
    const auto lead = [&] { return section(render_html(report, Language::en), "verdict"); };
    report.verdict = RunVerdict::incomplete;
    for (JudgedRequirement& judged : report.requirements) {
        if (judged.counted && judged.status == VerdictStatus::fail)
            judged.status = VerdictStatus::inconclusive;
    }
    EXPECT_THAT(lead(), HasSubstr("Nothing failed, but 2 of"));
    report.verdict = RunVerdict::pass;
    EXPECT_THAT(lead(), HasSubstr("Every requirement that counts is met"));
    report.verdict = RunVerdict::fail;
    report.failed_cases = {"storage.random_read{jobs=4}: the file was cached"};
    EXPECT_THAT(lead(), HasSubstr("the file was cached"));
    EXPECT_THAT(lead(), HasSubstr("A case that the suite requires failed"));
}

TEST(Html, EveryCaseShowsWhatBecameOfIt) {
    const Report report = poc_like_report();
    const std::string page = render_html(report, Language::en);
    for (std::size_t at = 0; at < report.outcomes.size(); ++at) {
        const std::string part = section(page, "case-" + std::to_string(at + 1));
        const Outcome& outcome = report.outcomes[at];
        EXPECT_THAT(part, HasSubstr(outcome.the_case.probe));
        EXPECT_THAT(part, HasSubstr(std::string(status_word(outcome.status, Language::en))));
        EXPECT_THAT(part, HasSubstr(html::escape(outcome.reason)));
        for (const std::string& note : outcome.notes) EXPECT_THAT(part, HasSubstr(html::escape(note)));
        for (const Check& check : outcome.checks) EXPECT_THAT(part, HasSubstr(html::escape(check.name)));
    }
    const std::vector<html::CaseTitle> titles = html::case_titles(report.outcomes);
    EXPECT_EQ(titles[4].telling, "jobs=4, queue_depth=32");
    EXPECT_EQ(titles[3].telling, "");
}

TEST(Html, AMetricIsNamedByWhatItsCaseDoesNotSay) {
    const std::string part = section(render_html(poc_like_report(), Language::en), "case-4");
    EXPECT_THAT(part, HasSubstr("<code>bandwidth {kernel=triad}</code>"));
    EXPECT_THAT(part, Not(HasSubstr("kernel=all")));
}

TEST(Html, ACaseShowsItsSpreadChecksAndConditions) {
    Report report;
    Outcome outcome;
    outcome.the_case.probe = "memory.bandwidth";
    outcome.conditions.foreign_cpu = 0.134;
    outcome.checks = {{"sums match", false, 0.25, ""}};
    Metric metric;
    metric.name = "memory.bandwidth";
    metric.unit = Unit::byte_per_second;
    metric.value = 2e9;
    metric.limit = Limit{4e9, "arithmetic"};
    metric.summary.samples = 3;
    metric.summary.minimum = 1e9;
    metric.summary.median = 2e9;
    metric.summary.maximum = 3e9;
    metric.summary.median_ci95 = Interval{1.9e9, 2.1e9};
    metric.summary.converged = false;
    outcome.metrics = {metric};
    report.outcomes = {outcome};
    const auto page = [&] { return render_html(report, Language::en); };
    EXPECT_THAT(page(), HasSubstr("1.00 / 2.00 / 3.00 GB/s"));
    EXPECT_THAT(page(), HasSubstr("1.90–2.10 GB/s"));
    EXPECT_THAT(page(), HasSubstr("50 % of the limit 4.00 GB/s (arithmetic)"));
    EXPECT_THAT(page(), HasSubstr("the time limit came before the precision asked for"));
    EXPECT_THAT(page(), Not(HasSubstr("the level drifted")));
    EXPECT_THAT(page(), HasSubstr("<b>13.4 %</b>"));
    EXPECT_THAT(page(), HasSubstr("sums match: <b>failed</b> <small>error 0.25</small>"));
    // Each part has its unit where they differ.
    report.outcomes[0].metrics[0].summary.minimum = 1e6;
    EXPECT_THAT(page(), HasSubstr("1.00 MB/s / 2.00 GB/s / 3.00 GB/s"));
}

TEST(Html, TheMachineIsGroupedByTheFrontOfItsFacts) {
    const std::string part = section(render_html(poc_like_report(), Language::en), "machine");
    EXPECT_THAT(part, HasSubstr("<h3>Processor</h3>"));
    EXPECT_THAT(part, HasSubstr("<dt>base clock</dt><dd>3.25 GHz (CPUID)</dd>"));
    EXPECT_THAT(part, HasSubstr("<dt>memory_bytes</dt><dd>405 GB</dd>"));
    EXPECT_LT(part.find("<dt>model</dt>"), part.find("<h3>Other</h3>"));
    EXPECT_GT(part.find("<dt>kernel</dt>"), part.find("<h3>Other</h3>"));
}

TEST(Html, TimesAndSizesAreMadeReadableAndNothingElseIs) {
    EXPECT_EQ(html::readable_time("2025-03-04T09:12:31Z"), "2025-03-04 09:12:31 UTC");
    EXPECT_EQ(html::readable_time("2025-03-04T09:12:31.996Z"), "2025-03-04 09:12:31 UTC");
    EXPECT_EQ(html::readable_time("2025-03-04T09:12:31+08:00"), "2025-03-04T09:12:31+08:00");
    EXPECT_EQ(html::readable_time("yesterday"), "yesterday");
    EXPECT_EQ(html::readable_value("size", "10737418240"), "10 GiB");
    EXPECT_EQ(html::readable_value("page_bytes", "2097152"), "2 MiB");
    EXPECT_EQ(html::readable_value("size", "2000000000"), "2000000000");
    EXPECT_EQ(html::readable_value("block_bytes", "4096"), "4096");
    EXPECT_EQ(html::readable_value("threads", "1048576"), "1048576");
    EXPECT_EQ(html::readable_value("size", "99999999999999999999999"), "99999999999999999999999");
}

TEST(Html, AThousandCasesRenderFastAndStaySmall) {
    const Report report = large_report(1000, 120);
    const std::chrono::steady_clock::time_point before = std::chrono::steady_clock::now();
    const std::string small = render_html(large_report(10, 120), Language::en);
    const std::string page = render_html(report, Language::en);
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - before).count();
    RecordProperty("seconds", std::to_string(seconds));
    EXPECT_LT(page.size(), 8u << 20);
    // Cost grows with the cases and no faster: a hundred times the cases, at most so many times the page.
    EXPECT_LT(page.size(), 100 * small.size());
}

TEST(HtmlCharts, ALongSeriesIsDrawnAsItsRangeInEachColumnWithoutLosingExtremes) {
    Metric metric;
    metric.unit = Unit::byte_per_second;
    for (int at = 0; at < 200000; ++at) metric.series.push_back({at * 1e-3, 100.0});
    const std::string flat = html::metric_charts(metric, "m", Language::en);
    metric.series[123457].value = 500;
    const std::string spiked = html::metric_charts(metric, "m", Language::en);
    EXPECT_LT(spiked.size(), 16000u);
    EXPECT_NE(flat, spiked);
    // The spike stretches the axis past 400, and the line goes up to it.
    EXPECT_THAT(spiked, HasSubstr(">400<"));
    EXPECT_GT(heights_of_line(spiked).second - heights_of_line(spiked).first, 80);
    EXPECT_EQ(heights_of_line(flat).second, heights_of_line(flat).first);
    EXPECT_THAT(flat, Not(HasSubstr(">400<")));
}

TEST(HtmlCharts, AHistogramMarksItsPercentiles) {
    Metric metric;
    metric.unit = Unit::second;
    metric.histogram.emplace();
    metric.histogram->record(50000, 980);
    metric.histogram->record(900000, 18);
    metric.histogram->record(40000000, 2);
    const std::string chart = html::metric_charts(metric, "latency", Language::en);
    EXPECT_THAT(chart, HasSubstr("p50 50.0 µs"));
    EXPECT_THAT(chart, HasSubstr("p99 " + format_quantity(metric.histogram->percentile(99) * 1e-9,
                                                          Unit::second, Language::en)));
    EXPECT_THAT(chart, HasSubstr("p99.9 40.0 ms"));
    EXPECT_THAT(chart, HasSubstr("10 ms"));
}

TEST(HtmlCharts, TheDashedLineIsTheHeadlineValueWithItsOwnInterval) {
    Metric metric;
    metric.unit = Unit::second;
    metric.series = {{0, 1.0}, {1, 2.0}, {2, 1.5}};
    metric.statistic = Statistic::p99;
    metric.summary.median_ci95 = Interval{1.1, 1.3};
    const auto chart = [&] { return html::metric_charts(metric, "m", Language::en); };
    metric.value = 1.2;
    const std::string without_interval = chart();
    EXPECT_THAT(without_interval, Not(HasSubstr("<rect")));
    metric.summary.percentiles = {{99, 1.2, Interval{1.15, 1.25}}};
    EXPECT_THAT(chart(), HasSubstr("<rect"));
    metric.summary.percentiles.clear();
    metric.value = 1.7;
    EXPECT_NE(chart(), without_interval);
    metric.statistic = Statistic::worst;
    EXPECT_THAT(chart(), HasSubstr("<rect"));
}

TEST(HtmlCharts, SamplesWithoutTimesAreDrawnInTheirOrderAndASingleOneNotAtAll) {
    Metric metric;
    metric.unit = Unit::byte_per_second;
    metric.samples = {1e9};
    EXPECT_EQ(html::metric_charts(metric, "m", Language::en), "");
    metric.samples = {1e9, 2e9, 1.5e9};
    EXPECT_THAT(html::metric_charts(metric, "m", Language::en), HasSubstr("GB/s"));
}

TEST(HtmlCharts, NumbersThatAreNoneDoNoHarm) {
    Metric metric;
    const double none = std::numeric_limits<double>::quiet_NaN();
    const double endless = std::numeric_limits<double>::infinity();
    metric.series = {{0, 1}, {1, none}, {none, 2}, {3, endless}, {4, 2}};
    metric.samples = {1, none, endless, 2};
    metric.value = none;
    const std::string chart = html::metric_charts(metric, "m", Language::en);
    EXPECT_THAT(chart, HasSubstr("<svg"));
    EXPECT_THAT(chart, Not(HasSubstr("nan")));
    EXPECT_THAT(chart, Not(HasSubstr("inf")));
}

TEST(HtmlCharts, TicksAreRoundAndInside) {
    EXPECT_THAT(html::axis_ticks(0, 10, 5), ::testing::ElementsAre(0, 2, 4, 6, 8, 10));
    EXPECT_THAT(html::axis_ticks(31.2, 34.1, 3), ::testing::ElementsAre(32, 33, 34));
    EXPECT_TRUE(html::axis_ticks(1, 1, 4).empty());
    EXPECT_TRUE(html::axis_ticks(0, std::numeric_limits<double>::infinity(), 4).empty());
}

TEST(HtmlCharts, TheMarkShowsTheMeasuredValueOnItsSideOfTheBound) {
    JudgedRequirement judged;
    judged.requirement.unit = Unit::ratio;
    judged.requirement.bound = {Comparison::at_least, 2, 0, ""};
    const auto bar_width = [&](double value) {
        judged.measured = value;
        const std::string mark = html::bound_mark(judged, Language::en);
        const std::regex bar(R"x(class="v" x="1" y="7" width="([0-9.]+)")x");
        std::smatch found;
        return std::regex_search(mark, found, bar) ? std::stod(found[1]) : -1;
    };
    const double at_bound = bar_width(2);
    // The scale ends at one and a half times the bound, whose line stands where the bar of its value ends.
    EXPECT_NEAR(at_bound, 148 * 2.0 / 3, 0.2);
    EXPECT_THAT(html::bound_mark(judged, Language::en), HasSubstr("class=\"t\" d=\"M99.7 "));
    EXPECT_NEAR(bar_width(1), at_bound / 2, 0.6);
    EXPECT_GT(bar_width(2.5), at_bound);
    EXPECT_THAT(html::bound_mark(judged, Language::en), Not(HasSubstr("beyond")));
    EXPECT_EQ(bar_width(20), bar_width(200));
    EXPECT_THAT(html::bound_mark(judged, Language::en), HasSubstr("beyond this scale"));
    judged.requirement.bound.low = 0;
    EXPECT_EQ(html::bound_mark(judged, Language::en), "");
    judged.requirement.bound.low = 2;
    judged.measured.reset();
    EXPECT_EQ(html::bound_mark(judged, Language::en), "");
}

}  // namespace
}  // namespace assay
