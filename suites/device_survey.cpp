#include "suites/device_survey.h"

#include <algorithm>
#include <csignal>
#include <cstring>
#include <memory>
#include <system_error>
#include <variant>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "probes/core/os/child_process.h"
#include "suites/device_json.h"

namespace assay {
namespace {

DeviceSurvey cpu_alone(const std::string& why, const std::string& last_words) {
    DeviceSurvey survey;
    // Opening the CPU loads nobody's driver.
    survey.devices.push_back(std::get<std::unique_ptr<Device>>(open_device("cpu:0"))->info());
    survey.absences.push_back(
        fmt::format("no accelerator is used: asking their drivers {}{}", why,
                    last_words.empty() ? "" : fmt::format("; it said last: {}", last_words)));
    return survey;
}

std::string how_it_ended(const os::ChildExit& exit, double time_limit) {
    if (exit.timed_out) return fmt::format("did not end within {:g} s", time_limit);
    if (exit.out_of_memory) return "was ended by the kernel's out-of-memory killer";
    if (exit.signal != 0) {
        const char* const name = ::sigabbrev_np(exit.signal);
        return name == nullptr ? fmt::format("crashed with signal {}", exit.signal)
                               : fmt::format("crashed with SIG{}", name);
    }
    if (exit.exit_code != 0) return fmt::format("failed with exit code {}", exit.exit_code);
    return "gave an answer that is none";
}

std::string described(const DeviceInfo& device) {
    std::vector<std::string> parts;
    if (!device.name.empty()) parts.push_back(device.name);
    if (!device.same_as.empty()) {
        parts.push_back("the same as " + device.same_as);
    } else if (device.kind == "cpu" && !device.id.starts_with("cpu:")) {
        parts.emplace_back("a CPU");  // that OpenCL reaches
    } else if (device.kind != "cpu" && device.kind != "gpu") {
        parts.emplace_back("no GPU");
    }
    return parts.empty() ? device.id : fmt::format("{} ({})", device.id, fmt::join(parts, ", "));
}

/// "its devices are cpu:0 (AMD EPYC), opencl:0 (pthread, a CPU)".
std::string devices_in_words(const DeviceSurvey& survey) {
    std::vector<std::string> names;
    for (const DeviceInfo& device : survey.devices) names.push_back(described(device));
    if (names.empty()) return "it has no device";
    return fmt::format("its devices are {}", fmt::join(names, ", "));
}

/// The absences that speak of how that device would be reached.
std::vector<std::string> absences_of(const DeviceSurvey& survey, std::string_view id) {
    if (id.starts_with("cpu:")) return {};
    const std::string_view other = id.starts_with("cuda:") ? "OpenCL" : "CUDA";
    std::vector<std::string> found;
    for (const std::string& absence : survey.absences)
        if (absence.find(other) == std::string::npos) found.push_back(absence);
    return found;
}

std::string joined(std::string reason, const std::vector<std::string>& absences) {
    for (const std::string& absence : absences) reason += "; " + absence;
    return reason;
}

}  // namespace

DeviceSurvey survey_in_child(const std::filesystem::path& program, std::chrono::duration<double> time_limit) {
    std::string last_words;
    os::ChildOptions options;
    options.time_limit = time_limit;
    options.on_error_line = [&](std::string_view line) {
        if (!line.empty()) last_words = line;
    };
    os::ChildExit exit;
    try {
        exit = os::run_child({program.string(), "list", "devices", "--json"}, options);
    } catch (const std::system_error& error) {
        return cpu_alone(fmt::format("could not be begun ({})", error.what()), "");
    }
    if (!exit.timed_out && exit.signal == 0 && exit.exit_code == 0) {
        try {
            DeviceSurvey survey = survey_from_json(nlohmann::json::parse(exit.output));
            if (!survey.devices.empty()) return survey;
        } catch (const nlohmann::json::exception&) {
            // Said below.
        }
    }
    return cpu_alone(how_it_ended(exit, time_limit.count()), last_words);
}

bool is_gpu(const DeviceInfo& device) {
    return device.kind == "gpu" && device.same_as.empty();
}

std::optional<std::string> no_gpu_reason(const DeviceSurvey& survey) {
    if (std::any_of(survey.devices.begin(), survey.devices.end(), is_gpu)) return std::nullopt;
    return joined("no GPU found on this machine: " + devices_in_words(survey), survey.absences);
}

std::string no_device_reason(const DeviceSurvey& survey, std::string_view id) {
    return joined(fmt::format("no device {} on this machine: {}", id, devices_in_words(survey)),
                  absences_of(survey, id));
}

}  // namespace assay
