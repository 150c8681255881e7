#include "reports/render_html_curve.h"

#include <cmath>
#include <limits>
#include <map>
#include <regex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reports/render_html_placement.h"
#include "reports/texts.h"
#include "tests/reports/curve_builders.h"

namespace assay {
namespace {

using building::add_curve_point;
using building::at_least;
using building::at_most;
using building::latency_curve;
using building::outcome_of;
using building::requirement_on;
using html::Anchor;
using html::Box;
using html::Place;
using testing::ElementsAre;
using testing::Gt;
using testing::HasSubstr;
using testing::Lt;
using testing::Not;

/// The requirements of the document: 500K IOPS within 100 µs.
Report report_of(Outcome outcome) {
    Report report;
    report.outcomes = {std::move(outcome)};
    JudgedRequirement iops, latency;
    iops.requirement = requirement_on("iops-read", "storage.random_read.iops", at_least(500e3));
    latency.requirement =
        requirement_on("latency-read", "storage.random_read.latency", at_most(100e-6), Unit::second);
    report.requirements = {iops, latency};
    return report;
}

/// The part of the report's page that is the curve of its only case.
std::string curve_of_page(const Report& report, Language language = Language::en) {
    const std::string page = render_html(report, language);
    const std::size_t from = page.find("<div class=\"curve\">");
    if (from == std::string::npos) return "";
    return page.substr(from, page.find("</div>", from) - from);
}

std::string drawing(const std::string& curve, const std::string& layout = "wide") {
    const std::size_t from = curve.find("<svg class=\"" + layout + "\"");
    if (from == std::string::npos) return "";
    return curve.substr(from, curve.find("</svg>", from) - from);
}

std::vector<std::smatch> matches(const std::string& text, const std::string& pattern) {
    const std::regex expression(pattern);
    std::vector<std::smatch> found;
    for (std::sregex_iterator at(text.begin(), text.end(), expression), end; at != end; ++at)
        found.push_back(*at);
    return found;
}

/// The places of a line, by its number: 0 mean, 1 p50, 2 p99, 3 p99.9.
std::vector<Place> line(const std::string& svg, int number) {
    const std::vector<std::smatch> found =
        matches(svg, "<polyline class=\"l c" + std::to_string(number) + "\" points=\"([^\"]*)\"");
    EXPECT_EQ(found.size(), 1u);
    std::vector<Place> places;
    if (found.empty()) return places;
    const std::string points = found[0][1];
    for (const std::smatch& point : matches(points, "([0-9.]+),([0-9.]+)"))
        places.push_back({std::stod(point[1]), std::stod(point[2])});
    return places;
}

std::optional<double> number_in(const std::string& text, const std::string& pattern) {
    const std::vector<std::smatch> found = matches(text, pattern);
    if (found.empty()) return std::nullopt;
    return std::stod(found[0][1]);
}
std::optional<double> height_of_bound(const std::string& svg) {
    return number_in(svg, "<path class=\"r y\" d=\"M[0-9.]+ ([0-9.]+)H");
}
std::optional<double> place_of_bound(const std::string& svg) {
    return number_in(svg, "<path class=\"r x\" d=\"M([0-9.]+) ");
}

TEST(HtmlCurve, EveryPointLiesAtItsIopsAndTheLogarithmOfItsLatency) {
    for (const std::string layout : {"wide", "narrow"}) {
        const Outcome outcome = latency_curve();
        const std::string curve = curve_of_page(report_of(outcome));
        const std::string svg = drawing(curve, layout);
        const std::vector<Place> mean = line(svg, 0), p99 = line(svg, 2);
        const Curve truth = *curve_of(outcome);
        ASSERT_EQ(mean.size(), truth.points.size());
        // Two points give the scales; all others have to follow.
        const CurvePoint &first = truth.points.front(), &last = truth.points.back();
        const double per_decade_of_iops =
            (mean.back().x - mean.front().x) / std::log10(last.x->value / first.x->value);
        const double per_decade =
            (mean.back().y - mean.front().y) / std::log10(last.y[0]->value / first.y[0]->value);
        EXPECT_GT(per_decade_of_iops, 0);
        EXPECT_LT(per_decade, 0);
        for (std::size_t at = 0; at < mean.size(); ++at) {
            const CurvePoint& point = truth.points[at];
            EXPECT_NEAR(mean[at].x,
                        mean[0].x + per_decade_of_iops * std::log10(point.x->value / first.x->value), 0.2);
            EXPECT_NEAR(mean[at].y,
                        mean[0].y + per_decade * std::log10(point.y[0]->value / first.y[0]->value), 0.2);
            EXPECT_NEAR(p99[at].y, mean[at].y + per_decade * std::log10(1.25), 0.2);
            EXPECT_NEAR(p99[at].x, mean[at].x, 1e-9);
        }
        // The bounds stand in the same scales.
        EXPECT_NEAR(*place_of_bound(svg), mean[0].x + per_decade_of_iops * std::log10(500e3 / first.x->value),
                    0.2);
        EXPECT_NEAR(*height_of_bound(svg), mean[0].y + per_decade * std::log10(100e-6 / first.y[0]->value),
                    0.2);
    }
}

TEST(HtmlCurve, TheBoundsLieBetweenThePointsOnTheirTwoSides) {
    const std::string svg = drawing(curve_of_page(report_of(latency_curve())));
    const std::vector<Place> mean = line(svg, 0);
    // Depths 1 2 4 8 16 24 28 32 64 72 76 78 80 96 128 256: the mean passes 100 µs between 80 and 96, the
    // IOPS pass 500K between 32 and 64.
    EXPECT_GT(mean[12].y, *height_of_bound(svg));
    EXPECT_LT(mean[13].y, *height_of_bound(svg));
    EXPECT_LT(mean[7].x, *place_of_bound(svg));
    EXPECT_GT(mean[8].x, *place_of_bound(svg));
    for (std::size_t at = 1; at < mean.size(); ++at)
        EXPECT_GT(mean[at].x, mean[at - 1].x) << "order of depths";
    EXPECT_THAT(svg, HasSubstr(">≤ 100 µs</text>"));
    EXPECT_THAT(svg, HasSubstr(">≥ 500 K op/s</text>"));
    EXPECT_THAT(svg, HasSubstr("<rect class=\"z\""));
}

TEST(HtmlCurve, BothBoundsAreWithinTheDrawingHoweverFarTheMachineIsFromThem) {
    for (const auto& [iops, latency] :
         std::initializer_list<std::pair<double, double>>{{8e3, 4e-3}, {30e6, 4e-6}, {885e3, 75e-6}}) {
        for (const std::string layout : {"wide", "narrow"}) {
            const std::string svg = drawing(curve_of_page(report_of(latency_curve(iops, latency))), layout);
            const double width = *number_in(svg, "viewBox=\"0 0 ([0-9]+) ");
            ASSERT_TRUE(place_of_bound(svg) && height_of_bound(svg));
            EXPECT_THAT(*place_of_bound(svg), testing::AllOf(Gt(50), Lt(width - 56)));
            EXPECT_THAT(*height_of_bound(svg), testing::AllOf(Gt(40), Lt(368)));
            for (const Place& place : line(svg, 3)) {
                EXPECT_THAT(place.x, testing::AllOf(Gt(50), Lt(width - 56)));
                EXPECT_THAT(place.y, testing::AllOf(Gt(40), Lt(368)));
            }
        }
    }
}

TEST(HtmlCurve, WithoutARequirementThereIsNoLineAndNoZone) {
    Report report = report_of(latency_curve());
    report.requirements[1].requirement.counts_for = {"advice"};
    std::string svg = drawing(curve_of_page(report));
    EXPECT_EQ(height_of_bound(svg), std::nullopt);
    EXPECT_NE(place_of_bound(svg), std::nullopt);
    EXPECT_THAT(svg, Not(HasSubstr("class=\"z\"")));
    EXPECT_THAT(curve_of_page(report), Not(HasSubstr(std::string(phrase(Language::en, "curve.zone_note")))));
    report.requirements.clear();
    svg = drawing(curve_of_page(report));
    EXPECT_EQ(place_of_bound(svg), std::nullopt);
    EXPECT_EQ(line(svg, 0).size(), 16u);
}

TEST(HtmlCurve, TheMeasuredPlacesWithinTheBoundAreMarked) {
    const std::string svg = drawing(curve_of_page(report_of(latency_curve())));
    const std::vector<std::smatch> rings =
        matches(svg, "<circle class=\"o\" cx=\"([0-9.]+)\" cy=\"([0-9.]+)\"");
    ASSERT_EQ(rings.size(), 2u);
    const Place depth_80 = line(svg, 0)[12], depth_32 = line(svg, 2)[7];
    EXPECT_NEAR(std::stod(rings[0][1]), depth_80.x, 0.11);
    EXPECT_NEAR(std::stod(rings[0][2]), depth_80.y, 0.11);
    EXPECT_NEAR(std::stod(rings[1][1]), depth_32.x, 0.11);
    EXPECT_NEAR(std::stod(rings[1][2]), depth_32.y, 0.11);
    EXPECT_THAT(svg, HasSubstr("mean ≤ 100 µs: 803 K op/s"));
    EXPECT_THAT(svg, HasSubstr("p99 ≤ 100 µs: 421 K op/s"));
}

TEST(HtmlCurve, AnInterpolatedPlaceIsMarkedOnTheBoundAndNoneWhereThereIsNone) {
    Outcome outcome = latency_curve();
    for (Metric& metric : outcome.metrics) {
        if (metric.name.ends_with("within_100us")) metric.value = 600e3;
        if (metric.name.ends_with("within_100us_p99")) metric.value = 0;
    }
    const std::string svg = drawing(curve_of_page(report_of(outcome)));
    const std::vector<std::smatch> rings =
        matches(svg, "<circle class=\"o\" cx=\"([0-9.]+)\" cy=\"([0-9.]+)\"");
    ASSERT_EQ(rings.size(), 1u);
    EXPECT_NEAR(std::stod(rings[0][2]), *height_of_bound(svg), 0.11);
    EXPECT_GT(std::stod(rings[0][1]), *place_of_bound(svg));
}

TEST(HtmlCurve, APointHasNoChartTableOrRowOfItsOwn) {
    const std::string page = render_html(report_of(latency_curve()), Language::en);
    const std::string part = page.substr(page.find("id=\"case-1\""));
    EXPECT_EQ(matches(part, "<figure").size(), 1u);
    EXPECT_EQ(matches(part, "<svg").size(), 2u) << "wide and narrow";
    EXPECT_EQ(matches(part, "<tr><th scope=\"row\">[0-9]+</th>").size(), 16u);
    EXPECT_THAT(part, Not(HasSubstr("depth=")));
    EXPECT_THAT(part, HasSubstr("iops_within_100us"));
    EXPECT_LT(part.size(), 60000u);
}

TEST(HtmlCurve, LinesAreNamedAtTheirEndsWithoutCoveringEachOther) {
    for (const Language language : {Language::en, Language::zh}) {
        const std::string svg = drawing(curve_of_page(report_of(latency_curve()), language));
        std::vector<double> heights;
        for (const char* name : {"statistic.p99.9", "statistic.p99", "statistic.mean", "statistic.p50"}) {
            const std::optional<double> height = number_in(
                svg, "y=\"([0-9.]+)\" class=\"k n c[0-3]\">" + std::string(phrase(language, name)) + "<");
            ASSERT_TRUE(height) << name;
            if (!heights.empty()) {
                EXPECT_GE(*height, heights.back() + 12) << name;
            }
            heights.push_back(*height);
        }
    }
}

TEST(HtmlCurve, DepthsAreWrittenWhereTheyCoverNothingAndTheEndsAlways) {
    const std::string svg = drawing(curve_of_page(report_of(latency_curve())));
    const std::vector<std::smatch> texts =
        matches(svg, "<text x=\"([0-9.]+)\" y=\"([0-9.]+)\" class=\"k( m| e|)\">([0-9]+)</text>");
    std::vector<Box> boxes;
    std::vector<std::string> names;
    for (const std::smatch& text : texts) {
        const Anchor anchor = text[3] == " m"   ? Anchor::middle
                              : text[3] == " e" ? Anchor::end
                                                : Anchor::start;
        boxes.push_back(
            html::text_box(text[4].str(), 10.5, {std::stod(text[1]), std::stod(text[2])}, anchor));
        names.push_back(text[4]);
        for (std::size_t at = 0; at + 1 < boxes.size(); ++at) EXPECT_FALSE(boxes[at].overlaps(boxes.back()));
        for (int number = 0; number < 4; ++number) {
            for (const Place& place : line(svg, number)) {
                EXPECT_FALSE(boxes.back().overlaps({place.x - 3, place.y - 3, place.x + 3, place.y + 3}))
                    << names.back();
            }
        }
    }
    // Near the ring around depth 80 its neighbours' names would stand beyond it, in the wrong order.
    for (std::size_t one = 0; one < names.size(); ++one) {
        for (std::size_t other = 0; other < names.size(); ++other) {
            if (std::stod(names[one]) < std::stod(names[other])) {
                EXPECT_LT(boxes[one].left, boxes[other].right) << names[one] << " right of " << names[other];
            }
        }
    }
    for (const char* depth : {"1", "80", "256"}) EXPECT_THAT(names, testing::Contains(depth));
    EXPECT_GE(names.size(), 10u);
}

TEST(HtmlCurve, ASinglePointIsDrawnWithoutALine) {
    Outcome outcome = outcome_of("storage.latency_curve");
    add_curve_point(outcome, "1", 13e3, 75e-6);
    const std::string svg = drawing(curve_of_page(report_of(outcome)));
    EXPECT_THAT(svg, Not(HasSubstr("<polyline")));
    EXPECT_EQ(matches(svg, "class=\"v c[0-3]\"").size(), 4u);
    EXPECT_NE(height_of_bound(svg), std::nullopt);
}

TEST(HtmlCurve, NumbersThatAreNoneAndZeroesAreNotDrawnAndDoNoHarm) {
    const double none = std::numeric_limits<double>::quiet_NaN();
    const double endless = std::numeric_limits<double>::infinity();
    Outcome outcome = outcome_of("storage.latency_curve");
    add_curve_point(outcome, "1", 13e3, 75e-6);
    add_curve_point(outcome, "2", none, 75e-6);
    add_curve_point(outcome, "4", 52e3, 0);
    add_curve_point(outcome, "8", endless, 75e-6);
    add_curve_point(outcome, "16", 0, 75e-6);
    add_curve_point(outcome, "32", 210e3, endless);
    add_curve_point(outcome, "64", 420e3, 150e-6);
    add_curve_point(outcome, "128", -5, 1e-3);
    std::string curve = curve_of_page(report_of(outcome));
    EXPECT_EQ(line(drawing(curve), 0).size(), 2u);
    EXPECT_EQ(matches(curve, "<tr><th scope=\"row\">").size(), 8u);
    for (const char* nonsense : {"nan", "inf\"", "inf ", "-nan"})
        EXPECT_THAT(curve, Not(HasSubstr(nonsense)));

    for (Metric& metric : outcome.metrics) metric.value = none;
    for (Metric& metric : outcome.metrics) metric.summary.mean = metric.summary.median = none;
    curve = curve_of_page(report_of(outcome));
    EXPECT_EQ(drawing(curve), "") << "nothing to draw";
    EXPECT_EQ(matches(curve, "<tr><th scope=\"row\">").size(), 8u);
}

TEST(HtmlCurve, HostileLabelsAndBoundsStayTexts) {
    Outcome outcome = outcome_of("storage.latency_curve");
    add_curve_point(outcome, "1<script>\"'&\xff", 13e3, 75e-6);
    add_curve_point(outcome, "2", 26e3, 75e-6);
    const std::string curve = curve_of_page(report_of(outcome));
    EXPECT_THAT(curve, Not(HasSubstr("<script")));
    EXPECT_THAT(curve, Not(HasSubstr("\xff")));
    EXPECT_THAT(curve, HasSubstr("<th scope=\"row\">1&lt;script&gt;&quot;&#39;&amp;"));
}

TEST(HtmlCurve, SaysItInBothLanguages) {
    for (const Language language : {Language::en, Language::zh}) {
        const std::string curve = curve_of_page(report_of(latency_curve()), language);
        for (const char* key : {"curve.latency_by_iops", "curve.depth", "curve.depth_note", "curve.iops",
                                "curve.latency", "curve.in_flight", "curve.zone_note"}) {
            EXPECT_THAT(curve, HasSubstr(std::string(phrase(language, key)))) << key;
        }
    }
}

/// Holds every place of a line to logarithmic scales, of which its two ends give the measure.
class LogarithmicScales {
  public:
    LogarithmicScales(const std::vector<Place>& places, const std::vector<std::pair<double, double>>& values)
        : places_(places),
          values_(values),
          across_((places.back().x - places.front().x) /
                  std::log(values.back().first / values.front().first)) {
        double lowest = values.front().second, highest = lowest;
        Place low = places.front(), high = low;
        for (std::size_t at = 0; at < values.size(); ++at) {
            if (values[at].second < lowest) lowest = values[at].second, low = places[at];
            if (values[at].second > highest) highest = values[at].second, high = places[at];
        }
        up_ = (high.y - low.y) / std::log(highest / lowest);
    }
    double x(double value) const {
        return places_.front().x + across_ * std::log(value / values_.front().first);
    }
    double y(double value) const {
        return places_.front().y + up_ * std::log(value / values_.front().second);
    }
    void expect_all() const {
        EXPECT_GT(across_, 0);
        EXPECT_LT(up_, 0);
        for (std::size_t at = 0; at < places_.size(); ++at) {
            EXPECT_NEAR(places_[at].x, x(values_[at].first), 0.2) << at;
            EXPECT_NEAR(places_[at].y, y(values_[at].second), 0.2) << at;
        }
    }

  private:
    std::vector<Place> places_;
    std::vector<std::pair<double, double>> values_;
    double across_ = 0, up_ = 0;
};

/// The ticks below the drawing: their texts and places.
std::vector<std::pair<std::string, double>> ticks(const std::string& svg) {
    std::vector<std::pair<std::string, double>> found;
    for (const std::smatch& tick :
         matches(svg, "<path class=\"a\" d=\"M([0-9.]+) [0-9.]+v4\"/><text x=\"([0-9.]+)\"[^>]*>([^<]+)<")) {
        EXPECT_EQ(tick[1], tick[2]);
        found.emplace_back(tick[3], std::stod(tick[1]));
    }
    return found;
}

/// Upright lines by the names beside them.
std::map<std::string, double> guides(const std::string& svg) {
    std::map<std::string, double> found;
    for (const std::smatch& guide :
         matches(svg,
                 "<path class=\"h\" d=\"M([0-9.]+) [0-9.]+V[0-9.]+\"/><text x=\"([0-9.]+)\"[^>]*>([^<]+)<")) {
        EXPECT_NEAR(std::stod(guide[2]), std::stod(guide[1]) + 4, 0.11);
        found[guide[3]] = std::stod(guide[1]);
    }
    return found;
}

TEST(HtmlCurve, BandwidthIsDrawnByTheNumberOfThreads) {
    const Outcome outcome = building::bandwidth_scaling();
    for (const std::string layout : {"wide", "narrow"}) {
        const std::string svg = drawing(curve_of_page(report_of(outcome)), layout);
        std::vector<std::pair<double, double>> values;
        for (const Metric& metric : outcome.metrics)
            values.emplace_back(std::stod(metric.labels.at("threads")), metric.value);
        const std::vector<Place> places = line(svg, 0);
        ASSERT_EQ(places.size(), 7u);
        const LogarithmicScales scales(places, values);
        scales.expect_all();
        std::vector<std::string> numbers;
        for (const auto& [text, x] : ticks(svg)) {
            EXPECT_NEAR(x, scales.x(std::stod(text)), 0.2) << text;
            numbers.push_back(text);
        }
        EXPECT_THAT(numbers, ElementsAre("1", "2", "5", "10", "20"));
        EXPECT_EQ(guides(svg).size(), 0u);
    }
    EXPECT_THAT(curve_of_page(report_of(outcome)), HasSubstr("each thread on a CPU of its own, cores first"));
}

TEST(HtmlCurve, LatencyIsDrawnBySizeOnEachKindOfPagesWithTheCachesMarked) {
    const Outcome outcome = building::memory_latency();
    for (const std::string layout : {"wide", "narrow"}) {
        const std::string svg = drawing(curve_of_page(report_of(outcome)), layout);
        const char* const pages[] = {"4096", "2097152"};
        for (int series = 0; series < 2; ++series) {
            std::vector<std::pair<double, double>> values;
            for (const Metric& metric : outcome.metrics)
                if (metric.labels.contains("page_bytes") && metric.labels.at("page_bytes") == pages[series])
                    values.emplace_back(std::stod(metric.labels.at("bytes")), metric.value);
            const std::vector<Place> places = line(svg, series);
            ASSERT_EQ(places.size(), values.size());
            const LogarithmicScales scales(places, values);
            scales.expect_all();
            const std::map<std::string, double> caches = guides(svg);
            ASSERT_EQ(caches.size(), 3u);
            EXPECT_NEAR(caches.at("L1"), scales.x(49152), 0.2);
            EXPECT_NEAR(caches.at("L2"), scales.x(1310720), 0.2);
            EXPECT_NEAR(caches.at("L3"), scales.x(37748736), 0.2);
            const std::vector<std::pair<std::string, double>> sizes = ticks(svg);
            ASSERT_GE(sizes.size(), 4u);
            EXPECT_EQ(sizes.front().first, "16 KiB");
            for (const auto& [text, x] : sizes) {
                const double unit = text.ends_with("KiB") ? 0x1p10 : text.ends_with("MiB") ? 0x1p20 : 0x1p30;
                EXPECT_NEAR(x, scales.x(unit * std::stod(text)), 0.2) << text;
            }
            for (std::size_t at = 1; at < sizes.size(); ++at)
                EXPECT_GE(sizes[at].second - sizes[at - 1].second, 50) << "texts do not touch";
        }
        EXPECT_THAT(svg, HasSubstr(">4 KiB pages<"));
        EXPECT_THAT(svg, HasSubstr(">2 MiB pages<"));
    }
}

TEST(HtmlCurve, ACacheBeyondTheSizesMeasuredIsNotMarked) {
    Outcome outcome = building::memory_latency();
    for (Metric& metric : outcome.metrics) {
        if (metric.name == "memory.latency.l1_claimed") metric.value = 8192;
        if (metric.name == "memory.latency.l3_claimed") metric.value = 0x1p40;
    }
    const std::map<std::string, double> caches = guides(drawing(curve_of_page(report_of(outcome))));
    ASSERT_EQ(caches.size(), 1u);
    EXPECT_TRUE(caches.contains("L2"));
}

TEST(HtmlCurve, LatencyUnderLoadIsDrawnByTheBandwidthReached) {
    const Outcome outcome = building::loaded_latency();
    for (const std::string layout : {"wide", "narrow"}) {
        const std::string svg = drawing(curve_of_page(report_of(outcome)), layout);
        std::vector<std::pair<double, double>> values;
        for (std::size_t at = 0; at < outcome.metrics.size(); at += 2)
            values.emplace_back(outcome.metrics[at + 1].value, outcome.metrics[at].value);
        const std::vector<Place> places = line(svg, 0);
        ASSERT_EQ(places.size(), 5u);
        const LogarithmicScales scales(places, values);
        scales.expect_all();
        for (const auto& [text, x] : ticks(svg)) EXPECT_NEAR(x, scales.x(1e9 * std::stod(text)), 0.2) << text;
        // The steps' numbers, of which idle and full load are always there.
        for (const char* const step : {"0", "4"})
            EXPECT_EQ(matches(svg, std::string("class=\"k( m| e|)\">") + step + "</text>").size(), 1u)
                << step;
    }
}

TEST(HtmlPlacement, SpreadKeepsTheOrderTheDistanceAndTheFrame) {
    EXPECT_THAT(html::spread({50, 52, 10}, 12, 0, 100), ElementsAre(50, 62, 10));
    EXPECT_THAT(html::spread({98, 99}, 12, 0, 100), ElementsAre(88, 100));
    EXPECT_THAT(html::spread({2, 1}, 12, 5, 100), ElementsAre(17, 5));
}

TEST(HtmlPlacement, ABoxIsFreeInsideTheFrameAndOffTheLines) {
    html::Occupancy taken({0, 0, 100, 100});
    EXPECT_TRUE(taken.is_free({10, 10, 20, 20}));
    EXPECT_FALSE(taken.is_free({95, 10, 105, 20}));
    taken.take_line({{0, 0}, {100, 100}});
    EXPECT_FALSE(taken.is_free({40, 45, 50, 55}));
    EXPECT_TRUE(taken.is_free({60, 10, 80, 30}));
}

}  // namespace
}  // namespace assay
