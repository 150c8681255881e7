// Holds "What may depend on what" by reading the sources.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <regex>
#include <string>
#include <vector>

#include <gmock/gmock.h>

namespace assay {
namespace {

namespace fs = std::filesystem;
using ::testing::IsEmpty;

struct SourceFile {
    std::string path;  ///< from the repository root
    std::string text;
};

fs::path repository() {
    return ASSAY_SOURCE_DIR;
}

const std::vector<SourceFile>& sources() {
    static const std::vector<SourceFile> files = [] {
        std::vector<SourceFile> found;
        for (const char* const layer : {"kernels", "probes", "reports", "suites"})
            for (const fs::directory_entry& entry : fs::recursive_directory_iterator(repository() / layer)) {
                const std::string extension = entry.path().extension().string();
                if (extension != ".cpp" && extension != ".h" && extension != ".cu" && extension != ".cl")
                    continue;
                std::ifstream stream(entry.path());
                found.push_back({fs::relative(entry.path(), repository()).string(),
                                 {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()}});
            }
        return found;
    }();
    return files;
}

bool lies_in(const std::string& path, const std::string& folder) {
    return path.starts_with(folder + "/");
}

/// "probes/storage" of "probes/storage/random_read.cpp"; "probes" of "probes/catalog.cpp".
std::string room_of(const std::string& path) {
    const fs::path relative(path);
    const std::string layer = relative.begin()->string();
    const std::string second = std::next(relative.begin())->string();
    const bool has_rooms = layer == "probes" || lies_in(path, "suites/cli");
    return has_rooms && std::distance(relative.begin(), relative.end()) > 2 ? layer + "/" + second : layer;
}

bool may_include(const std::string& path, const std::string& included) {
    const std::string room = room_of(path);
    const bool is_domain = room.starts_with("probes/") && room != "probes/core";
    const auto any_of = [&](std::initializer_list<const char*> folders) {
        return std::any_of(folders.begin(), folders.end(),
                           [&](const char* folder) { return lies_in(included, folder); });
    };
    if (room == "kernels") return any_of({"kernels"});
    if (room == "probes/core") return any_of({"kernels", "probes/core"});
    if (is_domain) return any_of({"kernels", "probes/core"}) || lies_in(included, room);
    if (room == "probes") return any_of({"kernels", "probes"});
    if (room == "reports") return any_of({"reports", "probes/core"});
    if (room == "suites/cli") return any_of({"kernels", "probes", "reports", "suites"});
    // Device is a part of the probes' Context, and its list is what a plan is made from.
    if (included == "kernels/device/device.h") return true;
    return any_of({"probes", "reports", "suites"}) && !lies_in(included, "suites/cli");
}

std::vector<std::string> matches(const std::string& text, const std::regex& pattern) {
    std::vector<std::string> found;
    for (std::sregex_iterator match(text.begin(), text.end(), pattern), end; match != end; ++match)
        found.push_back((*match)[1].str());
    return found;
}

/// The code without comments and without what stands in quotes.
std::string code_of(const std::string& text) {
    std::string code;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text.compare(i, 2, "//") == 0) {
            i = std::min(text.find('\n', i), text.size());
            code += '\n';
        } else if (text.compare(i, 2, "/*") == 0) {
            i = std::min(text.find("*/", i + 2), text.size() - 2) + 1;
        } else if (text.compare(i, 3, "R\"(") == 0) {
            i = std::min(text.find(")\"", i), text.size() - 2) + 1;
        } else if (text[i] == '"') {
            for (++i; i < text.size() && text[i] != '"'; ++i)
                if (text[i] == '\\') ++i;
            code += "\"\"";
        } else if (text[i] == '\'' && i + 3 < text.size() && (text[i + 2] == '\'' || text[i + 1] == '\\')) {
            i = text.find('\'', i + 2);
        } else {
            code += text[i];
        }
    }
    return code;
}

std::vector<std::string> files_that_match(const std::regex& pattern,
                                          const std::function<bool(const std::string&)>& allowed) {
    std::vector<std::string> wrong;
    for (const SourceFile& file : sources())
        if (!allowed(file.path) && std::regex_search(code_of(file.text), pattern)) wrong.push_back(file.path);
    return wrong;
}

std::vector<std::string> files_that_include(const std::string& headers,
                                            const std::function<bool(const std::string&)>& allowed) {
    const std::regex pattern("#\\s*include\\s*[<\"](" + headers + ")");
    std::vector<std::string> wrong;
    for (const SourceFile& file : sources())
        if (!allowed(file.path) && std::regex_search(file.text, pattern)) wrong.push_back(file.path);
    return wrong;
}

TEST(Dependencies, SourcesOfEveryLayerAreRead) {
    for (const char* const layer : {"kernels", "probes", "reports", "suites"})
        EXPECT_TRUE(std::any_of(sources().begin(), sources().end(), [&](const SourceFile& file) {
            return lies_in(file.path, layer);
        })) << layer;
}

TEST(Dependencies, TheRuleItselfTellsRightFromWrong) {
    EXPECT_FALSE(may_include("kernels/cpu/a.cpp", "probes/core/case.h"));
    EXPECT_FALSE(may_include("probes/core/a.cpp", "probes/catalog.h"));
    EXPECT_FALSE(may_include("probes/gemm/a.cpp", "probes/memory/memory.h"));
    EXPECT_FALSE(may_include("reports/a.cpp", "suites/suite.h"));
    EXPECT_FALSE(may_include("reports/a.cpp", "probes/gemm/gemm.h"));
    EXPECT_FALSE(may_include("suites/a.cpp", "suites/cli/cli.h"));
    EXPECT_FALSE(may_include("suites/a.cpp", "kernels/cpu/features.h"));
    EXPECT_TRUE(may_include("probes/gemm/a.cpp", "probes/gemm/gemm.h"));
    EXPECT_TRUE(may_include("probes/catalog.cpp", "probes/gemm/gemm.h"));
    EXPECT_TRUE(may_include("suites/cli/a.cpp", "reports/report.h"));
}

TEST(Dependencies, IncludesFollowTheRule) {
    const std::regex own_include("#\\s*include\\s*\"([^\"]+)\"");
    const std::vector<std::string> generated = {"assay_version.h"};
    std::vector<std::string> wrong;
    for (const SourceFile& file : sources())
        for (const std::string& included : matches(file.text, own_include)) {
            if (std::find(generated.begin(), generated.end(), included) != generated.end()) continue;
            if (!may_include(file.path, included)) wrong.push_back(file.path + " includes " + included);
        }
    EXPECT_THAT(wrong, IsEmpty());
}

TEST(Dependencies, JsonStaysOutOfKernelsAndProbes) {
    EXPECT_THAT(
        files_that_include("nlohmann",
                           [](const std::string& path) {
                               // A file format whose header is JSON.
                               const bool is_format = path == "probes/storage/weights/safetensors.cpp";
                               return is_format || lies_in(path, "reports") || lies_in(path, "suites");
                           }),
        IsEmpty());
}

TEST(Dependencies, OnlyTheCommandLineKnowsItsLibrary) {
    EXPECT_THAT(
        files_that_include("CLI/", [](const std::string& path) { return lies_in(path, "suites/cli"); }),
        IsEmpty());
}

TEST(Dependencies, VendorsHeadersStayInKernels) {
    EXPECT_THAT(files_that_include("CL/|cuda|cublas|nvml|nccl",
                                   [](const std::string& path) { return lies_in(path, "kernels"); }),
                IsEmpty());
}

TEST(Dependencies, OnlyTheCommandLineAndTheRenderersPrint) {
    const std::regex printing(
        "\\b(v?f?printf|puts|fputs|putchar|perror|fmt::(v?print|println))\\s*\\(|std::(cout|cerr|clog)\\b");
    EXPECT_THAT(files_that_match(printing,
                                 [](const std::string& path) {
                                     return lies_in(path, "suites/cli") ||
                                            path.starts_with("reports/render_");
                                 }),
                IsEmpty());
}

TEST(Dependencies, NobodyButMainEndsTheProgram) {
    const std::regex ending("(^|[^\\w.>_])(std::|::)?(exit|quick_exit)\\s*\\(");
    EXPECT_THAT(
        files_that_match(ending, [](const std::string& path) { return path == "suites/cli/main.cpp"; }),
        IsEmpty());
}

TEST(Dependencies, NoFileIsLongerThanSixHundredLines) {
    std::vector<std::string> wrong;
    for (const SourceFile& file : sources())
        if (std::count(file.text.begin(), file.text.end(), '\n') > 600) wrong.push_back(file.path);
    EXPECT_THAT(wrong, IsEmpty());
}

}  // namespace
}  // namespace assay
