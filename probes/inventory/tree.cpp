#include "probes/inventory/tree.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <fstream>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "probes/core/os/sysfs.h"

namespace assay::inventory {
namespace {

namespace fs = std::filesystem;

/// Generation of a link from the kernel's "16.0 GT/s PCIe" ("16 GT/s" on older kernels).
std::optional<int> generation_of(std::string_view speed) {
    double rate = 0;
    if (std::from_chars(speed.data(), speed.data() + speed.size(), rate).ec != std::errc())
        return std::nullopt;
    static constexpr std::pair<double, int> generations[] = {{2.5, 1}, {5, 2},  {8, 3},
                                                             {16, 4},  {32, 5}, {64, 6}};
    for (const auto& [transfers, generation] : generations) {
        if (std::abs(rate - transfers) < 0.01) return generation;
    }
    return std::nullopt;
}

/// Lanes; the kernel writes 0 or 255 where it does not know.
std::optional<int> width_of(const std::string& text) {
    const std::optional<long long> lanes = leading_integer(text);
    if (!lanes || *lanes < 1 || *lanes > 32) return std::nullopt;
    return static_cast<int>(*lanes);
}

}  // namespace

std::vector<std::string> names_in(const fs::path& folder) {
    std::vector<std::string> names;
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
        names.push_back(entry->path().filename().string());
    }
    std::sort(names.begin(), names.end());
    return names;
}

std::string trimmed(std::string_view text) {
    const auto is_space = [](char c) {
        return std::isspace(static_cast<unsigned char>(c)) != 0 || c == '\0';
    };
    while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
    return std::string(text);
}

std::string text_of(const fs::path& file) {
    return trimmed(os::read_text(file).value_or(""));
}

std::string link_name(const fs::path& link) {
    std::error_code error;
    const fs::path target = fs::read_symlink(link, error);
    return error ? std::string() : target.filename().string();
}

fs::path resolved_path(const fs::path& path) {
    std::error_code error;
    const fs::path target = fs::canonical(path, error);
    return error ? fs::path() : target;
}

std::vector<std::string> split_words(std::string_view text) {
    std::vector<std::string> words;
    std::size_t at = 0;
    while ((at = text.find_first_not_of(" \t\n", at)) != std::string_view::npos) {
        const std::size_t end = std::min(text.find_first_of(" \t\n", at), text.size());
        words.emplace_back(text.substr(at, end - at));
        at = end;
    }
    return words;
}

std::vector<std::string> lines_of(const fs::path& file) {
    std::vector<std::string> lines;
    std::ifstream stream(file);
    for (std::string line; std::getline(stream, line);) lines.push_back(std::move(line));
    return lines;
}

std::optional<long long> leading_integer(std::string_view text) {
    long long value = 0;
    if (std::from_chars(text.data(), text.data() + text.size(), value).ec != std::errc()) return std::nullopt;
    return value;
}

std::optional<int> count_of_list(std::string_view list) {
    int count = 0;
    while (!list.empty()) {
        const std::string_view part = list.substr(0, list.find(','));
        list.remove_prefix(std::min(part.size() + 1, list.size()));
        const std::optional<long long> first = leading_integer(part);
        if (!first || *first < 0) return std::nullopt;
        const std::size_t dash = part.find('-');
        const std::optional<long long> last =
            dash == std::string_view::npos ? first : leading_integer(part.substr(dash + 1));
        if (!last || *last < *first) return std::nullopt;
        count += static_cast<int>(*last - *first + 1);
    }
    if (count == 0) return std::nullopt;
    return count;
}

std::string first_dotted_number(std::string_view text) {
    for (const std::string& word : split_words(text)) {
        const std::string number = word.substr(0, word.find_first_not_of("0123456789."));
        const std::size_t dot = number.find('.');
        if (dot != std::string::npos && dot > 0 && number.back() != '.') return number;
    }
    return {};
}

PciLink link_of(const fs::path& device, const fs::path& root) {
    const fs::path stop = resolved_path(root);
    for (fs::path folder = device; !folder.empty() && folder != stop && folder != folder.root_path();
         folder = folder.parent_path()) {
        const std::string speed = text_of(folder / "current_link_speed");
        if (speed.empty()) continue;
        return {generation_of(speed), width_of(text_of(folder / "current_link_width")),
                generation_of(text_of(folder / "max_link_speed")),
                width_of(text_of(folder / "max_link_width"))};
    }
    return {};
}

std::string describe_link(const PciLink& link) {
    if (!link.known()) return {};
    std::string text = fmt::format("PCIe {}.0 x{}", *link.generation, *link.width);
    const bool could_more = link.greatest_generation.value_or(0) > *link.generation ||
                            link.greatest_width.value_or(0) > *link.width;
    if (could_more) {
        text += fmt::format(" now, device can {}.0 x{}", link.greatest_generation.value_or(*link.generation),
                            link.greatest_width.value_or(*link.width));
    }
    return text;
}

}  // namespace assay::inventory
