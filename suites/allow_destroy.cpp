#include "suites/allow_destroy.h"

#include <algorithm>
#include <cerrno>
#include <system_error>

#include <sys/stat.h>

#include <fmt/format.h>

#include "probes/core/os/text.h"

namespace assay {
namespace {

[[noreturn]] void refuse(const std::string& path, const std::string& what) {
    throw InputError(fmt::format("--allow-destroy {}: {}", path, what));
}

void refuse_what_is_no_target(const std::string& path) {
    constexpr const char* accepted = "a block device or a regular file is accepted";
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) {
        refuse(path, fmt::format("names nothing ({}); {}", std::generic_category().message(errno), accepted));
    }
    if (!S_ISBLK(status.st_mode) && !S_ISREG(status.st_mode)) {
        refuse(path, fmt::format("is {}; {}",
                                 S_ISDIR(status.st_mode) ? "a folder" : "neither a block device nor a file",
                                 accepted));
    }
}

std::string targets_of(std::span<const Case> cases) {
    std::vector<std::string> targets;
    for (const Case& the_case : cases) {
        const std::map<std::string, std::string>::const_iterator target = the_case.parameters.find("target");
        if (target == the_case.parameters.end() || target->second == "auto") continue;
        if (std::find(targets.begin(), targets.end(), target->second) == targets.end()) {
            targets.push_back(target->second);
        }
    }
    if (targets.empty()) return "no case has a named target";
    return fmt::format("the cases' targets are {}", fmt::join(targets, ", "));
}

}  // namespace

bool names_as_target(const Case& the_case, const std::filesystem::path& path) {
    const std::map<std::string, std::string>::const_iterator target = the_case.parameters.find("target");
    if (target == the_case.parameters.end() || path.empty()) return false;
    if (target->second == path.native()) return true;
    const std::vector<std::string_view> several = os::split(target->second, ',');
    return std::find(several.begin(), several.end(), path.native()) != several.end();
}

std::vector<std::filesystem::path> parse_allow_destroy(const std::vector<std::string>& given,
                                                       std::span<const Case> cases) {
    std::vector<std::filesystem::path> allowed;
    for (const std::string& path : given) {
        refuse_what_is_no_target(path);
        if (std::find(allowed.begin(), allowed.end(), path) != allowed.end()) {
            refuse(path, "is given twice; once is accepted");
        }
        if (std::none_of(cases.begin(), cases.end(),
                         [&](const Case& the_case) { return names_as_target(the_case, path); })) {
            refuse(path, fmt::format("is no case's target; accepted is exactly the path that a case has as "
                                     "its target, and {}",
                                     targets_of(cases)));
        }
        allowed.emplace_back(path);
    }
    return allowed;
}

}  // namespace assay
