#include "reports/render_html_roofline.h"

#include <cmath>
#include <limits>
#include <regex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reports/render_html_placement.h"
#include "reports/texts.h"
#include "tests/reports/kernel_builders.h"

namespace assay {
namespace {

using building::ceiling;
using building::crowded_run;
using building::dense;
using building::gemv;
using building::kernel_run;
using building::read_bandwidth;
using html::Box;
using html::Place;
using testing::Ge;
using testing::HasSubstr;
using testing::Le;
using testing::Not;
using testing::SizeIs;

std::vector<std::smatch> matches(const std::string& text, const std::string& pattern) {
    const std::regex expression(pattern);
    return {std::sregex_iterator(text.begin(), text.end(), expression), std::sregex_iterator()};
}

/// The section of the page; empty where there is none.
std::string section(const std::vector<Outcome>& outcomes, Language language = Language::en) {
    Report report;
    report.outcomes = outcomes;
    const std::string page = render_html(report, language);
    const std::size_t from = page.find("<section id=\"limits\">");
    return from == std::string::npos ? "" : page.substr(from, page.find("</section>", from) - from);
}

std::string drawing(const std::string& section, const std::string& layout = "wide") {
    const std::size_t from = section.find("<svg class=\"" + layout + "\"");
    if (from == std::string::npos) return "";
    return section.substr(from, section.find("</svg>", from) - from);
}

/// Value and place of two ticks give the whole of a logarithmic axis, without the code that drew it.
struct ReadAxis {
    double value = 1, place = 0, per_decade = 0;
    double at(double wanted) const { return place + per_decade * std::log10(wanted / value); }
};

ReadAxis axis_through(const std::vector<std::pair<double, double>>& ticks) {
    EXPECT_GE(ticks.size(), 2u);
    if (ticks.size() < 2) return {};
    const auto [value, place] = ticks.front();
    const auto [last, last_place] = ticks.back();
    return {value, place, (last_place - place) / std::log10(last / value)};
}

ReadAxis intensity_axis(const std::string& svg) {
    std::vector<std::pair<double, double>> ticks;
    for (const std::smatch& tick :
         matches(svg, "<path class=\"a\" d=\"M([0-9.]+) [0-9.]+v4\"/><text [^>]*>([0-9.e+]+)</text>"))
        ticks.push_back({std::stod(tick[2]), std::stod(tick[1])});
    return axis_through(ticks);
}

ReadAxis rate_axis(const std::string& svg) {
    const std::map<std::string, double> factors = {{"M", 1e6}, {"G", 1e9}, {"T", 1e12}};
    std::vector<std::pair<double, double>> ticks;
    for (const std::smatch& tick : matches(
             svg, "<path class=\"g\" d=\"M[0-9.]+ ([0-9.]+)H[0-9.]+\"/><text [^>]*>([0-9.]+) ([MGT]) op/s"))
        ticks.push_back({std::stod(tick[2]) * factors.at(tick[3]), std::stod(tick[1])});
    return axis_through(ticks);
}

struct Line {
    Place from, to;
};

std::vector<Line> lines(const std::string& svg, const std::string& style) {
    std::vector<Line> found;
    for (const std::smatch& line :
         matches(svg, "class=\"roof " + style + "\" d=\"M([0-9.]+) ([0-9.]+)L([0-9.]+) ([0-9.]+)\""))
        found.push_back({{std::stod(line[1]), std::stod(line[2])}, {std::stod(line[3]), std::stod(line[4])}});
    return found;
}

constexpr double exactness = 0.35;  // two rounded tenths, carried on from the ticks

TEST(HtmlRoofline, EveryRoofStandsAtItsFigureAndBeginsAtItsRidge) {
    for (const std::string layout : {"wide", "narrow"}) {
        const std::string svg = drawing(section(kernel_run()), layout);
        const ReadAxis x = intensity_axis(svg), y = rate_axis(svg);
        const std::vector<Line> level = lines(svg, "level"), slope = lines(svg, "slope");
        ASSERT_THAT(level, SizeIs(4));
        ASSERT_THAT(slope, SizeIs(1));
        const double ceilings[] = {1.9e12, 900e9, 480e9, 240e9};
        for (std::size_t at = 0; at < 4; ++at) {
            EXPECT_NEAR(level[at].from.y, y.at(ceilings[at]), exactness);
            EXPECT_EQ(level[at].from.y, level[at].to.y);
            // 480 GFLOP/s at 35 GB/s: from 13.7 operations a byte on, memory is no limit.
            EXPECT_NEAR(level[at].from.x, x.at(ceilings[at] / 35e9), exactness);
            EXPECT_GT(level[at].to.x, level[at].from.x + 30);
        }
        // The slope ends at the highest roof; where it begins, it does 35 G operations at one a byte.
        EXPECT_NEAR(slope[0].to.x, x.at(1.9e12 / 35e9), exactness);
        EXPECT_NEAR(slope[0].to.y, y.at(1.9e12), exactness);
        const double decades = (slope[0].from.x - x.at(1)) / x.per_decade;
        EXPECT_NEAR(slope[0].from.y, y.at(35e9 * std::pow(10, decades)), exactness);
    }
}

TEST(HtmlRoofline, EveryKernelStandsAtItsIntensityAndItsRate) {
    for (const std::string layout : {"wide", "narrow"}) {
        const std::vector<Outcome> outcomes = {read_bandwidth(35e9), ceiling("f32", 480e9),
                                               ceiling("int8", 1.9e12), dense("f32", 437e9, 2048, 2048, 2048),
                                               dense("f64", 30e9, 64, 64, 64)};
        const std::string svg = drawing(section(outcomes), layout);
        const ReadAxis x = intensity_axis(svg), y = rate_axis(svg);
        const std::vector<std::smatch> dots =
            matches(svg, "<circle class=\"v c0\" cx=\"([0-9.]+)\" cy=\"([0-9.]+)\"");
        ASSERT_THAT(dots, SizeIs(2));
        // n / 6 operations a byte, where three matrices of 4-byte elements move.
        EXPECT_NEAR(std::stod(dots[0][1]), x.at(2048.0 / 6), exactness);
        EXPECT_NEAR(std::stod(dots[0][2]), y.at(437e9), exactness);
        EXPECT_NEAR(std::stod(dots[1][1]), x.at(64.0 / 6), exactness);
        EXPECT_NEAR(std::stod(dots[1][2]), y.at(30e9), exactness);
    }
}

TEST(HtmlRoofline, AKernelAboveARoofIsDrawnAboveIt) {
    const std::vector<Outcome> outcomes = {read_bandwidth(35e9), ceiling("f32", 400e9),
                                           dense("f32", 500e9, 2048, 2048, 2048)};
    const std::string svg = drawing(section(outcomes));
    const std::vector<std::smatch> dot =
        matches(svg, "<circle class=\"v c0\" cx=\"[0-9.]+\" cy=\"([0-9.]+)\"");
    ASSERT_THAT(dot, SizeIs(1));
    EXPECT_LT(std::stod(dot[0][1]), lines(svg, "level")[0].from.y);
}

/// What every label covers, by a rule of this test: digits and letters of bold text of 10.5 are at most
/// 0.66 of that wide.
std::vector<std::pair<std::string, Box>> labels(const std::string& svg) {
    std::vector<std::pair<std::string, Box>> found;
    for (const std::smatch& text :
         matches(svg,
                 "<text x=\"([0-9.]+)\" y=\"([0-9.]+)\" class=\"k (?:u|n c[0-3])( e| m|)\">([^<]*)</text>")) {
        const double x = std::stod(text[1]), y = std::stod(text[2]);
        double width = 0;
        for (const char character : text[4].str())
            width += (static_cast<unsigned char>(character) & 0xC0) == 0x80 ? 3.5 : 0.66 * 10.5;
        const double left = text[3] == " e" ? x - width : text[3] == " m" ? x - width / 2 : x;
        found.push_back({text[4], {left, y - 8, left + width, y + 2}});
    }
    return found;
}

TEST(HtmlRoofline, NoLabelCoversAnotherOrLeavesTheDrawing) {
    for (const Language language : {Language::en, Language::zh}) {
        for (const std::string layout : {"wide", "narrow"}) {
            for (const bool is_crowded : {false, true}) {
                const std::string svg =
                    drawing(section(is_crowded ? crowded_run() : kernel_run(), language), layout);
                const std::vector<std::pair<std::string, Box>> all = labels(svg);
                ASSERT_THAT(all, SizeIs(is_crowded ? 1 + 10 + 18 : 1 + 4 + 12)) << "memory, roofs, kernels";
                const double width = std::stod(matches(svg, "viewBox=\"0 0 ([0-9]+) ")[0][1]);
                for (std::size_t one = 0; one < all.size(); ++one) {
                    const auto& [name, box] = all[one];
                    EXPECT_GT(box.left, 58) << name;
                    EXPECT_LT(box.right, width) << name;
                    EXPECT_GT(box.top, 30) << name;
                    EXPECT_LT(box.bottom, 400) << name;
                    for (std::size_t other = 0; other < one; ++other)
                        EXPECT_FALSE(box.overlaps(all[other].second))
                            << name << " over " << all[other].first << " in " << layout;
                }
            }
        }
    }
}

TEST(HtmlRoofline, NoNumberStandsOnARoofOrOnAMarker) {
    for (const std::string layout : {"wide", "narrow"}) {
        const std::string svg = drawing(section(crowded_run()), layout);
        std::vector<Box> boxes;
        for (const auto& [name, box] : labels(svg)) {
            if (name.size() <= 2) boxes.push_back(box);
        }
        ASSERT_THAT(boxes, SizeIs(18));
        for (const Box& box : boxes) {
            for (const Line& line : lines(svg, "level")) {
                EXPECT_FALSE(box.overlaps({line.from.x, line.from.y - 0.8, line.to.x, line.from.y + 0.8}));
            }
            for (const std::smatch& dot :
                 matches(svg, "<circle class=\"v c0\" cx=\"([0-9.]+)\" cy=\"([0-9.]+)\"")) {
                const double x = std::stod(dot[1]), y = std::stod(dot[2]);
                EXPECT_FALSE(box.overlaps({x - 3, y - 3, x + 3, y + 3}));
            }
        }
    }
}

TEST(HtmlRoofline, NoLabelStandsOnTheSlope) {
    for (const std::string layout : {"wide", "narrow"}) {
        const std::string svg = drawing(section(crowded_run()), layout);
        const Line slope = lines(svg, "slope")[0];
        for (const auto& [name, box] : labels(svg)) {
            for (int at = 0; at <= 400; ++at) {
                const double x = slope.from.x + (slope.to.x - slope.from.x) * at / 400;
                const double y = slope.from.y + (slope.to.y - slope.from.y) * at / 400;
                EXPECT_FALSE(box.overlaps({x - 0.6, y - 0.6, x + 0.6, y + 0.6})) << name << " in " << layout;
            }
        }
    }
}

TEST(HtmlRoofline, RoofsAreNamedByPrecisionIsaAndFigure) {
    const std::string svg = drawing(section(kernel_run()));
    for (const char* name : {">f32 avx512 480 GFLOP/s<", ">int8 avx512 1.90 T op/s<", ">memory 35.0 GB/s<"})
        EXPECT_THAT(svg, HasSubstr(name));
    EXPECT_THAT(svg,
                HasSubstr("<title>gemm.ceiling f32 avx512, fma f32, threads=2: 480 GFLOP/s (95 % interval "
                          "477.6–482.4 GFLOP/s)</title>"));
    EXPECT_THAT(svg, HasSubstr("<title>memory.bandwidth, kernel read: 35.0 GB/s (95 % interval"));
    EXPECT_THAT(svg, HasSubstr("<title>1 gemm.throughput f32 · 341 op/B · 437 GFLOP/s (95 % interval"));
}

TEST(HtmlRoofline, TheDrawingIsAnImageWithATitleAndATableSaysTheSame) {
    const std::string part = section(kernel_run());
    for (const std::string layout : {"wide", "narrow"})
        EXPECT_THAT(drawing(part, layout),
                    testing::ContainsRegex("role=\"img\"[^>]*><title>Roofline of cpu:0</title>"));
    EXPECT_THAT(matches(part, "<th scope=\"row\" class=\"c[0-3]\">"), SizeIs(12));
    EXPECT_THAT(part, HasSubstr("12</th><td>quantized.gemv f32</td><td class=\"number\">0.500</td>"));
}

TEST(HtmlRoofline, WhatIsMissingIsSaidAndTheRestIsDrawn) {
    for (const Language language : {Language::en, Language::zh}) {
        const auto says = [&](const std::string& part, std::string_view key) {
            return part.find(phrase(language, key)) != std::string::npos;
        };
        std::vector<Outcome> outcomes = kernel_run();
        EXPECT_FALSE(says(section(outcomes, language), "roofline.no_memory"));
        EXPECT_FALSE(says(section(outcomes, language), "roofline.no_ceiling"));
        EXPECT_FALSE(says(section(outcomes, language), "roofline.no_points"));

        const Outcome memory = outcomes.front();
        outcomes.erase(outcomes.begin());
        std::string part = section(outcomes, language);
        EXPECT_TRUE(says(part, "roofline.no_memory"));
        EXPECT_THAT(lines(drawing(part), "slope"), SizeIs(0));
        ASSERT_THAT(lines(drawing(part), "level"), SizeIs(4));
        EXPECT_LT(lines(drawing(part), "level")[0].from.x, 70) << "over the whole width";

        outcomes.erase(outcomes.begin(), outcomes.begin() + 4);
        outcomes.insert(outcomes.begin(), memory);
        part = section(outcomes, language);
        EXPECT_TRUE(says(part, "roofline.no_ceiling"));
        EXPECT_FALSE(says(part, "roofline.no_memory"));
        EXPECT_THAT(lines(drawing(part), "slope"), SizeIs(1));
        EXPECT_THAT(lines(drawing(part), "level"), SizeIs(0));

        part = section({memory, ceiling("f32", 480e9)}, language);
        EXPECT_TRUE(says(part, "roofline.no_points"));
        EXPECT_THAT(lines(drawing(part), "level"), SizeIs(1));
        EXPECT_THAT(part, Not(HasSubstr("<table class=\"points\">")));

        part = section({gemv("int8", "int8", 65e9, 0.5)}, language);
        EXPECT_TRUE(says(part, "roofline.no_memory") && says(part, "roofline.no_ceiling"));
        EXPECT_THAT(matches(drawing(part), "class=\"v c0\""), SizeIs(1));
    }
    EXPECT_EQ(section({read_bandwidth(35e9)}), "");
}

TEST(HtmlRoofline, NumbersThatAreNoneAndFarOnesDoNoHarm) {
    const double none = std::numeric_limits<double>::quiet_NaN();
    const double endless = std::numeric_limits<double>::infinity();
    for (const double odd : {none, endless, 0.0, -3.0, 1e-29, 1e29}) {
        std::vector<Outcome> outcomes = kernel_run();
        outcomes[0] = read_bandwidth(odd);
        outcomes[2] = ceiling("f32", odd);
        outcomes[5] = dense("f32", odd, 64, 64, 64);
        outcomes.push_back(gemv("int8", "int8", 65e9, odd));
        for (Outcome& outcome : outcomes) outcome.metrics[0].summary.median_ci95 = Interval{odd, none};
        for (const Language language : {Language::en, Language::zh}) {
            const std::string part = section(outcomes, language);
            for (const char* nonsense : {"nan", "inf\"", "inf ", ">inf"})
                EXPECT_THAT(part, Not(HasSubstr(nonsense)));
            EXPECT_THAT(matches(drawing(part), "class=\"v c[0-3]\"").size(), Ge(11u));
            EXPECT_THAT(matches(drawing(part), "v4\"/>").size(), Le(9u)) << "ticks at " << odd;
            EXPECT_LT(part.size(), 60000u);
        }
    }
}

TEST(HtmlRoofline, EveryDeviceHasADrawingOfItsOwn) {
    std::vector<Outcome> outcomes = kernel_run();
    outcomes.push_back(ceiling("f32", 60e12, "sm_90", "2", "auto", "cuda:0<"));
    const std::string part = section(outcomes);
    EXPECT_THAT(matches(part, "<figure>"), SizeIs(2));
    EXPECT_THAT(part, HasSubstr("Roofline of cuda:0&lt;"));
}

TEST(HtmlRoofline, SaysItInBothLanguages) {
    for (const Language language : {Language::en, Language::zh}) {
        const std::string part = section(kernel_run(), language);
        for (const char* key : {"page.derived", "page.derived_figures", "derived.note", "derived.result",
                                "roofline.note", "roofline.intensity", "roofline.rate", "roofline.kernel"})
            EXPECT_THAT(part, HasSubstr(std::string(phrase(language, key)))) << key;
    }
}

}  // namespace
}  // namespace assay
