#include "kernels/cuda/nvml_api.h"

#include <optional>

#include "kernels/device/shared_library.h"

namespace assay::nvml {

namespace {

constexpr const char* system_library = "libnvidia-ml.so.1";

/// The first of two names that is there: functions were renamed, and old drivers know the old name only.
template <typename Function>
void find_either(const SharedLibrary& library, const char* name, const char* former, Function*& function) {
    if (!library.find(name, function)) library.find(former, function);
}

void find_others(const SharedLibrary& library, Api& api) {
    library.find("nvmlErrorString", api.error_string);
    library.find("nvmlSystemGetDriverVersion", api.driver_version);
    library.find("nvmlSystemGetCudaDriverVersion_v2", api.cuda_version);
    library.find("nvmlDeviceGetCount_v2", api.device_count);
    library.find("nvmlDeviceGetHandleByIndex_v2", api.handle_by_index);
    library.find("nvmlDeviceGetName", api.name);
    library.find("nvmlDeviceGetUUID", api.uuid);
    library.find("nvmlDeviceGetPciInfo_v3", api.pci_info);
    library.find("nvmlDeviceGetMemoryInfo", api.memory_info);
    library.find("nvmlDeviceGetPowerUsage", api.power_usage);
    library.find("nvmlDeviceGetEnforcedPowerLimit", api.power_limit);
    library.find("nvmlDeviceGetPowerManagementDefaultLimit", api.default_power_limit);
    library.find("nvmlDeviceGetPowerManagementLimitConstraints", api.power_limit_range);
    library.find("nvmlDeviceGetTemperature", api.temperature);
    library.find("nvmlDeviceGetTemperatureV", api.temperature_query);
    library.find("nvmlDeviceGetFieldValues", api.field_values);
    library.find("nvmlDeviceGetClockInfo", api.clock);
    library.find("nvmlDeviceGetMaxClockInfo", api.maximum_clock);
    library.find("nvmlDeviceGetUtilizationRates", api.utilisation);
    find_either(library, "nvmlDeviceGetCurrentClocksEventReasons",
                "nvmlDeviceGetCurrentClocksThrottleReasons", api.clock_reasons);
    library.find("nvmlDeviceGetTotalEccErrors", api.ecc_errors);
    library.find("nvmlDeviceGetEccMode", api.ecc_mode);
    library.find("nvmlDeviceGetPersistenceMode", api.persistence_mode);
    library.find("nvmlDeviceGetMigMode", api.mig_mode);
    library.find("nvmlDeviceGetMaxPcieLinkGeneration", api.maximum_link_generation);
    library.find("nvmlDeviceGetMaxPcieLinkWidth", api.maximum_link_width);
    library.find("nvmlEventSetCreate", api.create_event_set);
    library.find("nvmlDeviceRegisterEvents", api.register_events);
    library.find("nvmlEventSetWait_v2", api.wait_for_event);
    library.find("nvmlEventSetFree", api.free_event_set);
}

}  // namespace

std::string Api::words_of(Result result) const {
    const char* const words = error_string != nullptr ? error_string(result) : nullptr;
    return (words != nullptr ? std::string(words) : std::string("error")) + " (" + std::to_string(result) +
           ")";
}

std::variant<Api, Absent> load_api(const char* library) {
    std::string error;
    const std::optional<SharedLibrary> loaded = SharedLibrary::load({library}, error);
    if (!loaded) return Absent{"NVML of driver 319 or later was not found (" + error + ")"};
    Api api{};
    for (const auto& [present, name] :
         {std::pair{loaded->find("nvmlInit_v2", api.init), "nvmlInit_v2"},
          std::pair{loaded->find("nvmlDeviceGetHandleByPciBusId_v2", api.handle_by_pci_address),
                    "nvmlDeviceGetHandleByPciBusId_v2"}}) {
        if (!present)
            return Absent{loaded->name() + " is too old: it has no " + name +
                          ", which drivers from 319 on have"};
    }
    find_others(*loaded, api);
    const Result result = api.init();
    if (result != success) return Absent{loaded->name() + ": nvmlInit_v2: " + api.words_of(result)};
    return api;
}

const std::variant<Api, Absent>& api() {
    static const std::variant<Api, Absent> loaded = load_api(system_library);
    return loaded;
}

}  // namespace assay::nvml
