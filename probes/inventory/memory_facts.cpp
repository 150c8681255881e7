#include <algorithm>
#include <charconv>

#include "probes/core/os/sysfs.h"
#include "probes/inventory/cgroup.h"
#include "probes/inventory/tree.h"

namespace assay::inventory {
namespace {

namespace fs = std::filesystem;

/// /proc/meminfo's "MemTotal:  24684092 kB" in bytes.
std::optional<std::uint64_t> meminfo(const std::vector<std::string>& lines, std::string_view name) {
    for (const std::string& line : lines) {
        if (!line.starts_with(name) || line.size() <= name.size() || line[name.size()] != ':') continue;
        const std::optional<long long> kibibytes = leading_integer(trimmed(line.substr(name.size() + 1)));
        if (kibibytes && *kibibytes >= 0) return static_cast<std::uint64_t>(*kibibytes) * 1024;
    }
    return std::nullopt;
}

std::vector<HugePagePool> huge_page_pools(const fs::path& root) {
    std::vector<HugePagePool> pools;
    const fs::path folder = root / "sys/kernel/mm/hugepages";
    for (const std::string& name : names_in(folder)) {
        constexpr std::string_view prefix = "hugepages-";  // hugepages-2048kB
        if (!name.starts_with(prefix)) continue;
        const std::optional<long long> kibibytes = leading_integer(name.substr(prefix.size()));
        const std::optional<std::int64_t> total = os::read_integer(folder / name / "nr_hugepages");
        if (!kibibytes || !total) continue;
        pools.push_back({static_cast<std::uint64_t>(*kibibytes) * 1024, *total,
                         os::read_integer(folder / name / "free_hugepages").value_or(0)});
    }
    return pools;
}

/// "always [madvise] never" -> "madvise".
std::string chosen_of(const std::string& choices) {
    const std::size_t open = choices.find('[');
    const std::size_t close = choices.find(']');
    if (open == std::string::npos || close == std::string::npos || close < open) return {};
    return choices.substr(open + 1, close - open - 1);
}

}  // namespace

MemoryFacts gather_memory(const fs::path& root) {
    MemoryFacts memory;
    const std::vector<std::string> lines = lines_of(root / "proc/meminfo");
    memory.total_bytes = meminfo(lines, "MemTotal");
    memory.available_bytes = meminfo(lines, "MemAvailable");
    if (const std::optional<CgroupLimit> limit = cgroup_memory_limit(root)) {
        // A limit above what there is limits nothing.
        if (!memory.total_bytes || limit->value < static_cast<double>(*memory.total_bytes)) {
            memory.limit_bytes = static_cast<std::uint64_t>(limit->value);
            memory.limit_source = limit->source;
        }
    }
    memory.huge_pages = huge_page_pools(root);
    memory.transparent_huge_pages = chosen_of(text_of(root / "sys/kernel/mm/transparent_hugepage/enabled"));
    memory.modules = os::read_memory_modules(root);
    return memory;
}

}  // namespace assay::inventory
