#include "kernels/cpu/caches.h"

#include <algorithm>
#include <fstream>
#include <set>
#include <string>
#include <system_error>

namespace assay::kernels {

namespace {

namespace fs = std::filesystem;

std::string first_word(const fs::path& path) {
    std::ifstream file(path);
    std::string word;
    file >> word;
    return word;
}

/// "32768K" in bytes; 0 when it is none.
std::uint64_t size_of(const std::string& text) {
    std::size_t digits = 0;
    std::uint64_t value = 0;
    for (; digits < text.size() && text[digits] >= '0' && text[digits] <= '9'; ++digits)
        value = value * 10 + static_cast<std::uint64_t>(text[digits] - '0');
    if (text.substr(digits) == "K") return value << 10;
    if (text.substr(digits) == "M") return value << 20;
    return value;
}

}  // namespace

std::uint64_t last_level_cache_bytes(const fs::path& root) {
    int last_level = 0;
    std::uint64_t total = 0;
    // A cache shows once for each CPU that shares it, under the same list of them.
    std::set<std::string> counted;
    std::error_code ignored;
    for (const fs::directory_entry& cpu : fs::directory_iterator(root / "sys/devices/system/cpu", ignored)) {
        const std::string name = cpu.path().filename().string();
        if (!name.starts_with("cpu") || name.find_first_not_of("0123456789", 3) != std::string::npos)
            continue;
        for (const fs::directory_entry& cache : fs::directory_iterator(cpu.path() / "cache", ignored)) {
            const std::string level_text = first_word(cache.path() / "level");
            if (level_text.size() != 1 || first_word(cache.path() / "type") == "Instruction") continue;
            const int level = level_text[0] - '0';
            if (level < last_level) continue;
            if (level > last_level) {
                last_level = level;
                total = 0;
                counted.clear();
            }
            if (counted.insert(first_word(cache.path() / "shared_cpu_list")).second)
                total += size_of(first_word(cache.path() / "size"));
        }
    }
    return total;
}

std::vector<DataCache> data_caches_of(int cpu, const fs::path& root) {
    std::vector<DataCache> caches;
    std::error_code ignored;
    const fs::path folder = root / "sys/devices/system/cpu" / ("cpu" + std::to_string(cpu)) / "cache";
    for (const fs::directory_entry& cache : fs::directory_iterator(folder, ignored)) {
        const std::string level = first_word(cache.path() / "level");
        if (level.size() != 1 || first_word(cache.path() / "type") == "Instruction") continue;
        const std::uint64_t bytes = size_of(first_word(cache.path() / "size"));
        const std::uint64_t line = size_of(first_word(cache.path() / "coherency_line_size"));
        if (bytes != 0) caches.push_back({level[0] - '0', bytes, static_cast<std::size_t>(line)});
    }
    std::sort(caches.begin(), caches.end(),
              [](const DataCache& one, const DataCache& other) { return one.bytes < other.bytes; });
    return caches;
}

}  // namespace assay::kernels
