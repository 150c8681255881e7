#pragma once

#include <optional>
#include <string_view>
#include <vector>

namespace assay {

/// A file of suites/ that is part of the binary: "poc.json", "tiers/basic.json", "models.json",
/// "documents/002.txt".
struct EmbeddedFile {
    std::string_view name;
    std::string_view content;
};
std::vector<EmbeddedFile> embedded_files();
std::optional<std::string_view> embedded_file(std::string_view name);

}  // namespace assay
