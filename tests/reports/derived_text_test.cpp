#include "reports/derived_text.h"

#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "reports/texts.h"
#include "reports/utf8.h"
#include "tests/reports/judged_reports.h"
#include "tests/reports/kernel_builders.h"

namespace assay {
namespace {

using building::ceiling;
using building::dense;
using building::gemv;
using building::judged_everything;
using building::kernel_run;
using building::quantized;
using building::read_bandwidth;
using building::weight_bytes;
using nlohmann::json;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

Report report_of(std::vector<Outcome> outcomes) {
    Report report;
    report.outcomes = std::move(outcomes);
    return report;
}

std::string title(Language language = Language::en) {
    return std::string(phrase(language, "page.derived"));
}

const building::Parameters shape = {{"m", "512"}, {"n", "1024"}, {"k", "2048"}};

TEST(DerivedText, ARowHasItsShareIntervalAndTheLimitByName) {
    const Report report = report_of({dense("f32", 360e9, 512, 512, 512), dense("f64", 210e9, 512, 512, 512),
                                     ceiling("f32", 480e9), ceiling("f64", 200e9)});
    const std::string text = derived_text(report, Language::en, 100);
    EXPECT_THAT(text, ContainsRegex("gemm\\.throughput f32 +75\\.0 % +74\\.[0-9]+–75\\.[0-9]+ % +f32 "
                                    "avx512, 480 GFLOP/s"));
    EXPECT_THAT(text, ContainsRegex("gemm\\.throughput f64 +105 % ")) << "above the limit, as it is";
}

TEST(DerivedText, TheShapeIsWrittenWhereItTellsAndForF32OfAnotherShape) {
    const Report report = report_of(
        {quantized("quantized.gemm", "int8", "int8", 900e9, shape, 0.01),
         quantized("quantized.gemm", "int8", "int8", 600e9, {{"m", "1"}, {"n", "8"}, {"k", "64"}}, 1),
         dense("f32", 300e9, 512, 1024, 2048)});
    const std::string text = derived_text(report, Language::en, 120);
    EXPECT_THAT(text, ContainsRegex("quantized\\.gemm int8 512×1024×2048 +3\\.00× +[^ ]+ +300 GFLOP/s"));
    EXPECT_THAT(text, ContainsRegex("quantized\\.gemm int8 1×8×64 +2\\.00× +[^ ]+ +512×1024×2048, 300"));
}

TEST(DerivedText, AShareOfReadingSaysWhereReadingHadOtherPages) {
    Outcome product = gemv("int8", "int8", 112e9, 0.5), reading = read_bandwidth(70e9);
    product.resolved["page_bytes"] = "2097152";
    reading.resolved["pattern_read"] = "plain loop on 2097152-byte pages";
    const auto text = [&](Language language) {
        return derived_text(report_of({product, reading}), language, 100);
    };
    EXPECT_THAT(text(Language::en), Not(HasSubstr("other pages")));
    reading.resolved["pattern_read"] = "plain loop on 4096-byte pages";
    EXPECT_THAT(text(Language::en), ContainsRegex("80\\.0 % .*70\\.0 GB/s, on other pages"));
    EXPECT_THAT(text(Language::zh), HasSubstr("页大小不同"));
    reading.resolved.erase("pattern_read");
    EXPECT_THAT(text(Language::en), Not(HasSubstr("other pages"))) << "what says nothing is not another";
}

TEST(DerivedText, BytesAreExactAndHaveNoInterval) {
    EXPECT_THAT(derived_text(report_of({weight_bytes("int4", 0.5625)}), Language::en, 100),
                ContainsRegex("quantized\\.accuracy int4 +14\\.1 % +4\\.00 B"));
}

TEST(DerivedText, FitsTheColumnsInBothLanguagesAndWrapsNothingWhereThereIsRoom) {
    const Report report = report_of(kernel_run());
    for (const Language language : {Language::en, Language::zh}) {
        for (const int columns : {40, 80, 100}) {
            std::istringstream lines(derived_text(report, language, columns));
            std::size_t count = 0;
            for (std::string line; std::getline(lines, line); ++count)
                EXPECT_LE(display_width(line), columns) << line;
            // 28 figures, five headings with a rule each, and four empty lines between them.
            if (columns == 100 || (columns == 80 && language == Language::en)) {
                EXPECT_EQ(count, 42u) << columns;
            }
        }
    }
}

TEST(DerivedText, EveryRenderingHasItOnlyWhereThereIsSomething) {
    const Report with = report_of(kernel_run());
    const Report without = judged_everything();
    for (const Language language : {Language::en, Language::zh}) {
        const TextStyle style{100, false};
        const std::string heading(phrase(language, "derived.share_of_memory"));
        for (const std::string& text : {render_text(with, language, style), render_markdown(with, language),
                                        render_html(with, language)}) {
            EXPECT_THAT(text, HasSubstr(heading));
            EXPECT_THAT(text, HasSubstr("91.0 %"));
        }
        EXPECT_THAT(render_text(without, language, style), Not(HasSubstr(title(language))));
        EXPECT_THAT(render_markdown(without, language), Not(HasSubstr(title(language))));
        EXPECT_THAT(render_html(without, language), Not(HasSubstr(title(language))));
        EXPECT_THAT(render_html(without, language), Not(HasSubstr("id=\"limits\"")));
    }
}

TEST(DerivedText, MarkdownHasARowAFigure) {
    EXPECT_THAT(
        render_markdown(report_of(kernel_run()), Language::en),
        ContainsRegex("\\| quantized\\.gemv int4\\\\_g128 \\| 5\\.98× \\| [^|]+ \\| 16\\.9 G op/s \\|"));
}

TEST(DerivedText, JsonHoldsBothSidesOfEveryFigure) {
    const json report =
        json::parse(render_json(report_of({dense("f32", 360e9, 512, 512, 512), ceiling("f32", 480e9)})));
    ASSERT_EQ(report["derived"].size(), 1u);
    const json& derived = report["derived"][0];
    EXPECT_EQ(derived["kind"], "share_of_ceiling");
    EXPECT_NEAR(derived["value"].get<double>(), 0.75, 1e-12);
    EXPECT_LT(derived["ci95"][0].get<double>(), 0.75);
    EXPECT_GT(derived["ci95"][1].get<double>(), 0.75);
    EXPECT_EQ(derived["unit"], "ratio");
    EXPECT_EQ(derived["of"]["metric"], "gemm.throughput");
    EXPECT_EQ(derived["of"]["value"], 360e9);
    EXPECT_EQ(derived["of"]["resolved"],
              json::parse(R"({"arithmetic": "f32", "isa": "avx512", "threads": 2})"));
    EXPECT_EQ(derived["to"]["metric"], "gemm.ceiling");
    EXPECT_EQ(derived["to"]["case"], "gemm.ceiling{device=cpu:0,isa=auto,precision=f32,threads=auto}");
    EXPECT_EQ(derived["other_shape"], false);
    EXPECT_EQ(json::parse(render_json(judged_everything()))["derived"], json::array());
}

TEST(DerivedText, JsonNamesAFormatWithoutACase) {
    const json report = json::parse(render_json(report_of({weight_bytes("int4", 0.5625)})));
    ASSERT_EQ(report["derived"].size(), 2u);
    EXPECT_EQ(report["derived"][1]["to"]["metric"], "f16");
    EXPECT_EQ(report["derived"][1]["to"]["case"], nullptr);
    EXPECT_EQ(report["derived"][1]["ci95"], nullptr);
}

TEST(DerivedText, HostileNamesStayTexts) {
    std::vector<Outcome> outcomes = {dense("f32", 360e9, 512, 512, 512), ceiling("f32", 480e9)};
    outcomes[0].the_case.parameters["precision"] = "f32<script>|\xff\x1b";
    for (Outcome& outcome : outcomes) outcome.resolved["isa"] = "a<script>|\xff\x1b";
    const Report report = report_of(outcomes);
    EXPECT_THAT(render_html(report, Language::en), Not(HasSubstr("<script")));
    EXPECT_THAT(render_html(report, Language::en), Not(HasSubstr("\xff")));
    EXPECT_THAT(render_markdown(report, Language::en), Not(ContainsRegex("[^\\\\]<script")));
    EXPECT_THAT(render_text(report, Language::en, {}), Not(HasSubstr("\x1b")));
    EXPECT_TRUE(json::accept(render_json(report)));
}

}  // namespace
}  // namespace assay
