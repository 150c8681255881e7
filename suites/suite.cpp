#include "suites/suite.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "suites/embedded.h"
#include "suites/json_text.h"
#include "suites/suite_file.h"

namespace assay {
namespace {

constexpr std::string_view tier_folder = "tiers/";
constexpr std::string_view extension = ".json";

struct Content {
    std::string file;  ///< as errors name it
    std::string text;
};

/// "poc" of "poc.json" where the name lies in `folder` and in no folder below; else nothing.
std::optional<std::string> stem_in(std::string_view name, std::string_view folder) {
    if (!name.starts_with(folder) || !name.ends_with(extension)) return std::nullopt;
    const std::string_view stem = name.substr(folder.size(), name.size() - folder.size() - extension.size());
    if (stem.empty() || stem.find('/') != std::string_view::npos) return std::nullopt;
    return std::string(stem);
}

std::vector<std::string> embedded_stems(std::string_view folder) {
    std::vector<std::string> stems;
    for (const EmbeddedFile& file : embedded_files())
        if (const std::optional<std::string> stem = stem_in(file.name, folder)) stems.push_back(*stem);
    std::sort(stems.begin(), stems.end());
    return stems;
}

bool looks_like_path(const std::string& name) {
    return name.find('/') != std::string::npos || name.ends_with(extension);
}

Content read_path(const std::filesystem::path& path) {
    std::error_code ignored;
    if (std::filesystem::is_directory(path, ignored))
        throw InputError(fmt::format("{}: is a directory; a suite file is accepted", path.string()));
    std::ifstream stream(path, std::ios::binary);
    if (!stream)
        throw InputError(fmt::format(
            "{}: cannot be opened ({}); a suite's name ({}) or the path of a readable suite file is accepted",
            path.string(), std::generic_category().message(errno), alternatives(suite_names())));
    return {path.string(), {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()}};
}

Content suite_content(const std::string& name_or_path) {
    if (looks_like_path(name_or_path)) return read_path(name_or_path);
    const std::vector<std::string> names = suite_names();
    if (std::find(names.begin(), names.end(), name_or_path) == names.end())
        throw InputError(fmt::format("unknown suite \"{}\"; accepted are {} or the path of a suite file",
                                     name_or_path, alternatives(names)));
    const std::string file = name_or_path + std::string(extension);
    return {"suites/" + file, std::string(embedded_file(file).value())};
}

/// Tiers of a suite that was given by path may lie beside it, in tiers/; these come before the embedded ones.
std::filesystem::path tiers_beside(const std::string& name_or_path) {
    return looks_like_path(name_or_path) ? std::filesystem::path(name_or_path).parent_path() / tier_folder
                                         : std::filesystem::path();
}

std::vector<std::string> tiers_for(const std::string& name_or_path) {
    // What a file's suite is called is known only once it is read.
    std::vector<std::string> names =
        looks_like_path(name_or_path) ? embedded_stems(tier_folder) : tier_names(name_or_path);
    const std::filesystem::path beside = tiers_beside(name_or_path);
    std::error_code missing;
    if (!beside.empty())
        for (const std::filesystem::directory_entry& entry :
             std::filesystem::directory_iterator(beside, missing))
            if (entry.path().extension() == extension) names.push_back(entry.path().stem().string());
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    return names;
}

Content tier_content(const std::string& tier, const std::string& name_or_path) {
    if (looks_like_path(tier)) return read_path(tier);
    const std::string file = std::string(tier_folder) + tier + std::string(extension);
    const std::filesystem::path beside = tiers_beside(name_or_path);
    std::error_code missing;
    if (!beside.empty() && std::filesystem::exists(beside / (tier + std::string(extension)), missing))
        return read_path(beside / (tier + std::string(extension)));
    const std::optional<std::string_view> embedded = embedded_file(file);
    if (!embedded)
        throw InputError(fmt::format("unknown tier \"{}\"; accepted are {} or the path of a tier file", tier,
                                     alternatives(tiers_for(name_or_path))));
    return {"suites/" + file, std::string(*embedded)};
}

}  // namespace

const Probe* Catalogue::find(std::string_view probe) const {
    for (const Probe& candidate : probes)
        if (candidate.name == probe) return &candidate;
    return nullptr;
}

std::vector<std::string> suite_names() {
    return embedded_stems("");
}

std::vector<std::string> tier_names(std::string_view suite) {
    std::vector<std::string> names = embedded_stems(tier_folder);
    std::erase_if(names, [&](const std::string& name) {
        const std::string file = std::string(tier_folder) + name + std::string(extension);
        return nlohmann::json::parse(embedded_file(file).value()).value("extends", "") != suite;
    });
    return names;
}

bool names_gpu(std::string_view device) {
    return device == "each:gpu" || device.starts_with("cuda:") || device.starts_with("opencl:");
}

std::vector<SuiteEntry> entries_in_force(const Suite& suite) {
    std::vector<SuiteEntry> entries;
    for (const SuiteEntry& entry : suite.entries)
        if (entry.tiers.empty() ||
            std::find(entry.tiers.begin(), entry.tiers.end(), suite.tier) != entry.tiers.end())
            entries.push_back(entry);
    return entries;
}

Suite load_suite(const std::string& name_or_path, const std::string& tier, const Catalogue& catalogue) {
    const Content content = suite_content(name_or_path);
    SuiteFile file = read_suite_file(content.text, content.file);
    if (!file.extends.empty())
        throw InputError(
            fmt::format("{}#/extends: this is a tier of the suite \"{}\"; name the suite, and this "
                        "file after --tier",
                        content.file, file.extends));
    std::vector<std::string> tiers = tiers_for(name_or_path);
    if (!tier.empty()) {
        const Content tier_text = tier_content(tier, name_or_path);
        file = lay_over(std::move(file), read_suite_file(tier_text.text, tier_text.file));
        tiers.push_back(file.suite.tier);
    }
    check_suite(file, catalogue, tiers);
    file.suite.json = suite_to_json(file.suite);
    return std::move(file.suite);
}

Suite restore_suite(const std::string& json, const std::string& where) {
    Suite suite = read_suite_file(json, where).suite;
    suite.json = json;
    return suite;
}

}  // namespace assay
