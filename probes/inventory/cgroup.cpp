#include "probes/inventory/cgroup.h"

#include <functional>
#include <string_view>
#include <system_error>

#include "probes/core/os/cgroup.h"
#include "probes/core/os/sysfs.h"
#include "probes/inventory/tree.h"

namespace assay::inventory {
namespace {

namespace fs = std::filesystem;

/// The least value that `read` finds in the process's group and its parents.
std::optional<CgroupLimit> tightest(const fs::path& root, std::string_view controller,
                                    const std::function<std::optional<double>(const fs::path&)>& read) {
    std::optional<CgroupLimit> least;
    for (const fs::path& folder :
         os::cgroup_folders(controller, os::read_text(root / "proc/self/cgroup").value_or(""),
                            os::read_text(root / "proc/self/mountinfo").value_or(""))) {
        const fs::path here = root / folder.relative_path();
        const std::optional<double> value = read(here);
        if (!value || (least && *value >= least->value)) continue;
        std::error_code error;
        const bool version_two =
            fs::exists(here / "memory.max", error) || fs::exists(here / "cpu.max", error);
        least = CgroupLimit{*value, version_two ? "cgroup v2" : "cgroup v1"};
    }
    return least;
}

std::optional<double> positive(const fs::path& file) {
    const std::optional<std::int64_t> value = os::read_integer(file);  // "max" is no number
    if (!value || *value <= 0) return std::nullopt;
    return static_cast<double>(*value);
}

}  // namespace

std::optional<CgroupLimit> cgroup_memory_limit(const fs::path& root) {
    // Version 1 writes "no limit" as the largest whole number of pages.
    constexpr double unlimited = 0x7000'0000'0000'0000;
    return tightest(root, "memory", [](const fs::path& group) -> std::optional<double> {
        std::optional<double> limit = positive(group / "memory.max");
        if (!limit) limit = positive(group / "memory.limit_in_bytes");
        if (!limit || *limit >= unlimited) return std::nullopt;
        return limit;
    });
}

std::optional<CgroupLimit> cgroup_cpu_quota(const fs::path& root) {
    return tightest(root, "cpu", [](const fs::path& group) -> std::optional<double> {
        const std::vector<std::string> words = split_words(text_of(group / "cpu.max"));  // "150000 100000"
        if (words.size() == 2) {
            const std::optional<long long> quota = leading_integer(words[0]);
            const std::optional<long long> period = leading_integer(words[1]);
            if (quota && period && *period > 0) {
                return static_cast<double>(*quota) / static_cast<double>(*period);
            }
            return std::nullopt;
        }
        const std::optional<double> quota = positive(group / "cpu.cfs_quota_us");
        const std::optional<double> period = positive(group / "cpu.cfs_period_us");
        if (!quota || !period) return std::nullopt;
        return *quota / *period;
    });
}

}  // namespace assay::inventory
