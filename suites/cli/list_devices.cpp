#include "suites/cli/list_devices.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "kernels/device/device.h"
#include "reports/terminal_table.h"
#include "reports/texts.h"
#include "suites/cli/output.h"
#include "suites/device_json.h"
#include "suites/device_survey.h"

namespace assay::cli {
namespace {

constexpr int id_width = 10;

std::string kind_in_words(const DeviceInfo& device) {
    if (device.kind == "gpu") return "GPU";
    return device.kind == "cpu" ? "CPU" : device.kind;
}

std::string first_line(const DeviceInfo& device) {
    const std::string name = device.name.empty() ? "" : device.name + ", ";
    return fmt::format("{}{}, {} compute units, {}", name, kind_in_words(device), device.compute_units,
                       format_quantity(static_cast<double>(device.memory_bytes), Unit::byte, Language::en));
}

/// How it is reached and where it sits; empty for the host.
std::string second_line(const DeviceInfo& device) {
    std::vector<std::string> parts;
    if (!device.interface.empty()) parts.push_back(device.interface);
    if (!device.driver_version.empty()) parts.push_back("driver " + device.driver_version);
    if (!device.compute_capability.empty())
        parts.push_back("compute capability " + device.compute_capability);
    if (!device.pci_address.empty()) parts.push_back("PCI " + device.pci_address);
    return fmt::format("{}", fmt::join(parts, ", "));
}

/// Under a text of `id_width` columns that stands before the first line.
std::string beside(std::string_view head, const std::string& text, int columns) {
    std::string out;
    for (const std::string& line : wrapped(text, columns - id_width)) {
        out += fmt::format("{:<{}}{}\n", head, id_width, line);
        head = {};
    }
    return out;
}

}  // namespace

void add_devices(nlohmann::json& document) {
    const OutputGuard guard;
    const DeviceSurvey survey = survey_devices();
    add_survey(document, survey);
    if (const std::optional<std::string> reason = no_gpu_reason(survey)) document["no_gpu"] = *reason;
}

std::string devices_text(int columns) {
    const DeviceSurvey survey = survey_in_child(own_program());
    std::string text = "DEVICES\n";
    for (const DeviceInfo& device : survey.devices) {
        text += beside(device.id, first_line(device), columns);
        const std::string second = second_line(device);
        if (!second.empty()) text += beside("", second, columns);
        if (!device.same_as.empty()) text += beside("", "the same card as " + device.same_as, columns);
    }
    for (const std::string& absence : survey.absences) text += beside("absent", absence, columns);
    std::vector<std::string> gpus;
    for (const DeviceInfo& device : survey.devices)
        if (is_gpu(device)) gpus.push_back(device.id);
    text += beside("GPUs", gpus.empty() ? "none" : fmt::format("{}", fmt::join(gpus, ", ")), columns);
    if (!survey.cuda_kernels.empty()) text += beside("kernels", "of CUDA: " + survey.cuda_kernels, columns);
    return text;
}

}  // namespace assay::cli
