#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace assay::inventory {

struct CgroupLimit {
    double value = 0;
    std::string source;  ///< "cgroup v2"
};

/// The tightest memory limit, in bytes, of the process's control group and its parents as far as they are
/// visible, of both versions of control groups. Nothing where there is none.
std::optional<CgroupLimit> cgroup_memory_limit(const std::filesystem::path& root);
/// The tightest CPU quota, in CPUs' worth of time.
std::optional<CgroupLimit> cgroup_cpu_quota(const std::filesystem::path& root);

}  // namespace assay::inventory
