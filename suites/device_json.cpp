#include "suites/device_json.h"

#include <string>

#include <nlohmann/json.hpp>

namespace assay {
namespace {

using nlohmann::json;

struct TextField {
    const char* name;
    std::string DeviceInfo::*field;
};

constexpr TextField optional_fields[] = {{"interface", &DeviceInfo::interface},
                                         {"driver_version", &DeviceInfo::driver_version},
                                         {"pci_address", &DeviceInfo::pci_address},
                                         {"compute_capability", &DeviceInfo::compute_capability},
                                         {"same_as", &DeviceInfo::same_as}};

}  // namespace

json device_to_json(const DeviceInfo& device) {
    json value = {{"id", device.id},
                  {"kind", device.kind},
                  {"name", device.name},
                  {"compute_units", device.compute_units},
                  {"memory_bytes", device.memory_bytes}};
    for (const TextField& one : optional_fields)
        if (!(device.*one.field).empty()) value[one.name] = device.*one.field;
    return value;
}

DeviceInfo device_from_json(const json& value) {
    DeviceInfo device;
    value.at("id").get_to(device.id);
    value.at("kind").get_to(device.kind);
    value.at("name").get_to(device.name);
    value.at("compute_units").get_to(device.compute_units);
    value.at("memory_bytes").get_to(device.memory_bytes);
    for (const TextField& one : optional_fields)
        if (value.contains(one.name)) value.at(one.name).get_to(device.*one.field);
    return device;
}

void add_survey(json& object, const DeviceSurvey& survey) {
    object["devices"] = json::array();
    for (const DeviceInfo& device : survey.devices) object["devices"].push_back(device_to_json(device));
    object["absences"] = survey.absences;
    object["cuda_kernels"] = survey.cuda_kernels;
}

DeviceSurvey survey_from_json(const json& object) {
    DeviceSurvey survey;
    for (const json& device : object.at("devices")) survey.devices.push_back(device_from_json(device));
    if (object.contains("absences")) object.at("absences").get_to(survey.absences);
    if (object.contains("cuda_kernels")) object.at("cuda_kernels").get_to(survey.cuda_kernels);
    return survey;
}

}  // namespace assay
