// Every quote of every suite stands, byte for byte, in the embedded excerpt of the document that it names.

#include <string>
#include <string_view>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "suites/embedded.h"

namespace assay {
namespace {

void check_sources(const nlohmann::json& row, std::string_view file) {
    ASSERT_FALSE(row.at("sources").empty()) << file << ": " << row.at("id");
    for (const nlohmann::json& source : row.at("sources")) {
        std::string document = source.at("document").get<std::string>();
        std::optional<std::string_view> excerpt = embedded_file("documents/" + document + ".txt");
        ASSERT_TRUE(excerpt.has_value()) << file << " names document " << document;
        std::string quote = source.at("quote").get<std::string>();
        ASSERT_FALSE(quote.empty());
        EXPECT_NE(excerpt->find(quote), std::string_view::npos)
            << file << ", " << row.at("id") << ": not in document " << document << ": " << quote;
    }
}

TEST(Documents, EveryQuoteOfEverySuiteStandsInItsDocument) {
    std::size_t rows = 0;
    for (const EmbeddedFile& file : embedded_files()) {
        bool is_suite = file.name == "poc.json" || file.name.starts_with("tiers/");
        if (!is_suite) continue;
        nlohmann::json suite = nlohmann::json::parse(file.content);
        for (const char* section : {"requirements", "contradictions"})
            for (const nlohmann::json& row : suite.value(section, nlohmann::json::array())) {
                check_sources(row, file.name);
                ++rows;
            }
    }
    EXPECT_GE(rows, 49u + 11u);  // the rows of the documents and at least one for each tier
}

TEST(Documents, EveryTextOfEverySuiteIsInBothLanguages) {
    for (const EmbeddedFile& file : embedded_files()) {
        if (file.name != "poc.json" && !file.name.starts_with("tiers/")) continue;
        nlohmann::json suite = nlohmann::json::parse(file.content);
        for (const char* section : {"requirements", "contradictions"})
            for (const nlohmann::json& row : suite.value(section, nlohmann::json::array()))
                for (const char* key : {"title", "reading", "remedy", "explanation"})
                    if (row.contains(key)) {
                        EXPECT_FALSE(row.at(key).at("en").get<std::string>().empty()) << row.at("id");
                        EXPECT_FALSE(row.at(key).at("zh").get<std::string>().empty()) << row.at("id");
                    }
    }
}

}  // namespace
}  // namespace assay
