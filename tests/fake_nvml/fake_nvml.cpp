#include "tests/fake_nvml/fake_nvml.h"

#include <cstring>
#include <string_view>

// Written from NVML's documentation, not from our own declarations: two views of one interface. The forms of
// the library: complete; FAKE_NVML_OLD knows former names only; FAKE_NVML_ANCIENT has no nvmlInit_v2.
namespace {

enum : int {
    ok = 0,
    invalid = 2,
    unsupported = 3,
    not_found = 6,
    too_small = 7,
    no_driver = 9,
    timed_out = 10,
    lost = 15
};

FakeNvml& state() {
    static FakeNvml made;
    return made;
}

struct Device {
    FakeCard* card;
};
// Handles are addresses in here.
Device devices[16];

Device* device_of(std::size_t number) {
    devices[number] = {&state().cards[number]};
    return &devices[number];
}

/// What a function of a card says before it answers.
int refused(std::string_view function, const Device* device) {
    if (device == nullptr) return invalid;
    if (state().lost) return lost;
    const std::string& unsupported_function = state().not_supported;
    return unsupported_function == "all" || unsupported_function == function ? unsupported : ok;
}

int text_to(char* buffer, unsigned length, const std::string& text) {
    if (text.size() + 1 > length) return too_small;
    std::memcpy(buffer, text.c_str(), text.size() + 1);
    return ok;
}

struct Sets {
    FakeCard* card = nullptr;
};

}  // namespace

#define EXPORTED extern "C" __attribute__((visibility("default")))
#define ANSWER(function, device, expression)                         \
    if (const int result = refused(function, device)) return result; \
    expression;                                                      \
    return ok

EXPORTED FakeNvml* fake_nvml() {
    return &state();
}

#ifndef FAKE_NVML_ANCIENT
EXPORTED int nvmlInit_v2() {
    return state().init_result;
}
#endif
EXPORTED const char* nvmlErrorString(int result) {
    return result == no_driver ? "Driver Not Loaded" : result == not_found ? "Not Found" : "Other";
}
EXPORTED int nvmlSystemGetDriverVersion(char* version, unsigned length) {
    return text_to(version, length, state().driver);
}
EXPORTED int nvmlSystemGetCudaDriverVersion_v2(int* version) {
    *version = state().cuda;
    return ok;
}
EXPORTED int nvmlDeviceGetCount_v2(unsigned* count) {
    *count = static_cast<unsigned>(state().cards.size());
    return ok;
}
EXPORTED int nvmlDeviceGetHandleByIndex_v2(unsigned index, Device** device) {
    if (index >= state().cards.size()) return invalid;
    *device = device_of(index);
    return ok;
}
EXPORTED int nvmlDeviceGetHandleByPciBusId_v2(const char* id, Device** device) {
    for (std::size_t i = 0; i < state().cards.size(); ++i) {
        // As NVML does: the domain with four digits or with eight.
        const std::string& own = state().cards[i].bus_id;
        if (own != id && own.substr(4) != id) continue;
        *device = device_of(i);
        return ok;
    }
    return not_found;
}
EXPORTED int nvmlDeviceGetName(Device* device, char* name, unsigned length) {
    if (const int result = refused("nvmlDeviceGetName", device)) return result;
    return text_to(name, length, device->card->name);
}
EXPORTED int nvmlDeviceGetUUID(Device* device, char* uuid, unsigned length) {
    if (const int result = refused("nvmlDeviceGetUUID", device)) return result;
    return text_to(uuid, length, device->card->uuid);
}
EXPORTED int nvmlDeviceGetPciInfo_v3(Device* device, char* info) {
    if (const int result = refused("nvmlDeviceGetPciInfo_v3", device)) return result;
    std::memset(info, 0, 68);
    // char[16], then five unsigned, then char[32].
    return text_to(info + 16 + 5 * 4, 32, device->card->bus_id);
}
EXPORTED int nvmlDeviceGetMemoryInfo(Device* device, unsigned long long* total_free_used) {
    if (const int result = refused("nvmlDeviceGetMemoryInfo", device)) return result;
    const unsigned long long used = device->card->used;
    total_free_used[0] = device->card->memory;
    total_free_used[1] = device->card->memory - used;
    total_free_used[2] = used;
    return ok;
}
EXPORTED int nvmlDeviceGetPowerUsage(Device* device, unsigned* milliwatt) {
    ANSWER("nvmlDeviceGetPowerUsage", device, *milliwatt = device->card->power);
}
EXPORTED int nvmlDeviceGetEnforcedPowerLimit(Device* device, unsigned* milliwatt) {
    ANSWER("nvmlDeviceGetEnforcedPowerLimit", device, *milliwatt = device->card->power_limit);
}
EXPORTED int nvmlDeviceGetPowerManagementDefaultLimit(Device* device, unsigned* milliwatt) {
    ANSWER("nvmlDeviceGetPowerManagementDefaultLimit", device,
           *milliwatt = device->card->default_power_limit);
}
EXPORTED int nvmlDeviceGetPowerManagementLimitConstraints(Device* device, unsigned* least, unsigned* most) {
    ANSWER("nvmlDeviceGetPowerManagementLimitConstraints", device, (*least = 200'000, *most = 700'000));
}
EXPORTED int nvmlDeviceGetClockInfo(Device* device, int type, unsigned* megahertz) {
    if (type != 0 && type != 1 && type != 2) return invalid;
    ANSWER("nvmlDeviceGetClockInfo", device,
           *megahertz = type == 2   ? device->card->memory_clock
                        : type == 1 ? device->card->clock
                                    : 1);
}
EXPORTED int nvmlDeviceGetMaxClockInfo(Device* device, int type, unsigned* megahertz) {
    if (type != 1) return invalid;
    ANSWER("nvmlDeviceGetMaxClockInfo", device, *megahertz = device->card->maximum_clock);
}
EXPORTED int nvmlDeviceGetUtilizationRates(Device* device, unsigned* gpu_memory) {
    ANSWER("nvmlDeviceGetUtilizationRates", device, (gpu_memory[0] = device->card->load, gpu_memory[1] = 1));
}
EXPORTED int nvmlDeviceGetTotalEccErrors(Device* device, int type, int counter, unsigned long long* count) {
    if (counter != 0) return invalid;
    ANSWER("nvmlDeviceGetTotalEccErrors", device,
           *count = type == 1 ? device->card->uncorrected : device->card->corrected);
}
EXPORTED int nvmlDeviceGetEccMode(Device* device, int* current, int* pending) {
    ANSWER("nvmlDeviceGetEccMode", device, *current = *pending = device->card->ecc);
}
EXPORTED int nvmlDeviceGetPersistenceMode(Device* device, int* mode) {
    ANSWER("nvmlDeviceGetPersistenceMode", device, *mode = device->card->persistence);
}
EXPORTED int nvmlDeviceGetMigMode(Device* device, unsigned* current, unsigned* pending) {
    ANSWER("nvmlDeviceGetMigMode", device, *current = *pending = device->card->mig);
}
EXPORTED int nvmlDeviceGetMaxPcieLinkGeneration(Device* device, unsigned* generation) {
    ANSWER("nvmlDeviceGetMaxPcieLinkGeneration", device, *generation = device->card->link_generation);
}
EXPORTED int nvmlDeviceGetMaxPcieLinkWidth(Device* device, unsigned* width) {
    ANSWER("nvmlDeviceGetMaxPcieLinkWidth", device, *width = device->card->link_width);
}
#ifdef FAKE_NVML_OLD
EXPORTED int nvmlDeviceGetCurrentClocksThrottleReasons(Device* device, unsigned long long* bits) {
    ANSWER("nvmlDeviceGetCurrentClocksThrottleReasons", device, *bits = device->card->clock_reasons);
}
// The former way to the temperature is the only one; memory's is not told, nor are events.
EXPORTED int nvmlDeviceGetTemperature(Device* device, int sensor, unsigned* celsius) {
    if (sensor != 0) return invalid;
    ANSWER("nvmlDeviceGetTemperature", device, *celsius = device->card->temperature);
}
#else
EXPORTED int nvmlDeviceGetCurrentClocksEventReasons(Device* device, unsigned long long* bits) {
    ANSWER("nvmlDeviceGetCurrentClocksEventReasons", device, *bits = device->card->clock_reasons);
}
EXPORTED int nvmlDeviceGetTemperatureV(Device* device, int* version_sensor_celsius) {
    if (version_sensor_celsius[0] != (12 | 1 << 24) || version_sensor_celsius[1] != 0) return invalid;
    ANSWER("nvmlDeviceGetTemperatureV", device,
           version_sensor_celsius[2] = static_cast<int>(device->card->temperature));
}
EXPORTED int nvmlDeviceGetFieldValues(Device* device, int count, unsigned char* values) {
    if (const int result = refused("nvmlDeviceGetFieldValues", device)) return result;
    for (int i = 0; i < count; ++i, values += 40) {
        unsigned field = 0;
        std::memcpy(&field, values, 4);
        const int type = 1, result = field == 82 ? ok : unsupported;
        std::memcpy(values + 24, &type, 4);
        std::memcpy(values + 28, &result, 4);
        std::memcpy(values + 32, &device->card->memory_temperature, 4);
    }
    return ok;
}
EXPORTED int nvmlEventSetCreate(Sets** set) {
    *set = new Sets;
    ++state().open_event_sets;
    return ok;
}
EXPORTED int nvmlDeviceRegisterEvents(Device* device, unsigned long long types, Sets* set) {
    if (types != 8) return invalid;
    ANSWER("nvmlDeviceRegisterEvents", device, set->card = device->card);
}
EXPORTED int nvmlEventSetWait_v2(Sets* set, unsigned long long* device_type_data, unsigned milliseconds) {
    state().waits_with_time += milliseconds != 0;
    if (set->card == nullptr || set->card->xids.empty()) return timed_out;
    device_type_data[1] = 8;
    device_type_data[2] = set->card->xids.front();
    set->card->xids.pop_front();
    return ok;
}
EXPORTED int nvmlEventSetFree(Sets* set) {
    delete set;
    --state().open_event_sets;
    return ok;
}
#endif
