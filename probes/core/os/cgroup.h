#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

namespace assay::os {

/// The folders of this process's control group for `controller` ("cpu", "memory", "io"), its own first, then
/// its ancestors up to the root of what is mounted here. Version 1 hierarchies as well as version 2; a
/// container that sees only its own part is understood. Empty where there are none.
std::vector<std::filesystem::path> cgroup_folders(std::string_view controller);

/// The same from the texts of /proc/self/cgroup and /proc/self/mountinfo.
std::vector<std::filesystem::path> cgroup_folders(std::string_view controller, std::string_view cgroup,
                                                  std::string_view mountinfo);

}  // namespace assay::os
