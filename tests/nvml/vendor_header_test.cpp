// Our own declarations against the vendor's header, where there is one (CUDA's toolkit brings it).
#pragma GCC diagnostic ignored "-Wpedantic"
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
#if __has_include(<nvml.h>)
#include <nvml.h>
#elif __has_include("/usr/local/cuda/include/nvml.h")
#include "/usr/local/cuda/include/nvml.h"
#endif

#include <cstddef>
#include <type_traits>

#include "kernels/cuda/nvml_api.h"

#ifdef NVML_API_VERSION

namespace assay::nvml {
namespace {

static_assert(success == NVML_SUCCESS);
static_assert(field_memory_temperature == NVML_FI_DEV_MEMORY_TEMP);
static_assert(event_critical_xid == nvmlEventTypeXidCriticalError);
static_assert(static_cast<int>(ClockType::multiprocessors) == NVML_CLOCK_SM);
static_assert(static_cast<int>(ClockType::memory) == NVML_CLOCK_MEM);
static_assert(static_cast<int>(TemperatureSensor::gpu) == NVML_TEMPERATURE_GPU);
static_assert(static_cast<int>(ErrorType::corrected) == NVML_MEMORY_ERROR_TYPE_CORRECTED);
static_assert(static_cast<int>(ErrorType::uncorrected) == NVML_MEMORY_ERROR_TYPE_UNCORRECTED);
static_assert(static_cast<int>(EccCounter::since_driver_load) == NVML_VOLATILE_ECC);
static_assert(static_cast<int>(ValueType::float64) == NVML_VALUE_TYPE_DOUBLE);
static_assert(static_cast<int>(ValueType::unsigned_int) == NVML_VALUE_TYPE_UNSIGNED_INT);
static_assert(static_cast<int>(ValueType::unsigned_long) == NVML_VALUE_TYPE_UNSIGNED_LONG);
static_assert(static_cast<int>(ValueType::unsigned_long_long) == NVML_VALUE_TYPE_UNSIGNED_LONG_LONG);
static_assert(static_cast<int>(ValueType::signed_long_long) == NVML_VALUE_TYPE_SIGNED_LONG_LONG);

static_assert(sizeof(FieldValue) == sizeof(nvmlFieldValue_t));
static_assert(offsetof(FieldValue, type) == offsetof(nvmlFieldValue_t, valueType));
static_assert(offsetof(FieldValue, result) == offsetof(nvmlFieldValue_t, nvmlReturn));
static_assert(offsetof(FieldValue, value) == offsetof(nvmlFieldValue_t, value));
static_assert(sizeof(MemoryInfo) == sizeof(nvmlMemory_t));
static_assert(offsetof(MemoryInfo, used) == offsetof(nvmlMemory_t, used));
static_assert(sizeof(Utilisation) == sizeof(nvmlUtilization_t));
static_assert(offsetof(Utilisation, gpu) == offsetof(nvmlUtilization_t, gpu));
static_assert(sizeof(EventData) == sizeof(nvmlEventData_t));
static_assert(offsetof(EventData, type) == offsetof(nvmlEventData_t, eventType));
static_assert(offsetof(EventData, data) == offsetof(nvmlEventData_t, eventData));
static_assert(sizeof(PciInfo) == sizeof(nvmlPciInfo_t));
static_assert(offsetof(PciInfo, bus_id) == offsetof(nvmlPciInfo_t, busId));

// A function's parameters: as many, each of the same size (enumerations are int, handles pointers).
template <typename Own, typename Vendors>
struct Alike : std::false_type {};
template <typename... Own, typename... Vendors>
struct Alike<Result (*)(Own...), nvmlReturn_t(Vendors...)>
    : std::bool_constant<sizeof...(Own) == sizeof...(Vendors)> {
    static_assert(((sizeof(Own) == sizeof(Vendors)) && ...));
    static_assert(((std::is_pointer_v<Own> == std::is_pointer_v<Vendors>)&&...));
};

static_assert(sizeof(Result) == sizeof(nvmlReturn_t));
static_assert(Alike<decltype(Api::init), decltype(nvmlInit_v2)>::value);
static_assert(Alike<decltype(Api::handle_by_pci_address), decltype(nvmlDeviceGetHandleByPciBusId_v2)>::value);
static_assert(Alike<decltype(Api::driver_version), decltype(nvmlSystemGetDriverVersion)>::value);
static_assert(Alike<decltype(Api::cuda_version), decltype(nvmlSystemGetCudaDriverVersion_v2)>::value);
static_assert(Alike<decltype(Api::device_count), decltype(nvmlDeviceGetCount_v2)>::value);
static_assert(Alike<decltype(Api::handle_by_index), decltype(nvmlDeviceGetHandleByIndex_v2)>::value);
static_assert(Alike<decltype(Api::name), decltype(nvmlDeviceGetName)>::value);
static_assert(Alike<decltype(Api::uuid), decltype(nvmlDeviceGetUUID)>::value);
static_assert(Alike<decltype(Api::pci_info), decltype(nvmlDeviceGetPciInfo_v3)>::value);
static_assert(Alike<decltype(Api::memory_info), decltype(nvmlDeviceGetMemoryInfo)>::value);
static_assert(Alike<decltype(Api::power_usage), decltype(nvmlDeviceGetPowerUsage)>::value);
static_assert(Alike<decltype(Api::power_limit), decltype(nvmlDeviceGetEnforcedPowerLimit)>::value);
static_assert(
    Alike<decltype(Api::default_power_limit), decltype(nvmlDeviceGetPowerManagementDefaultLimit)>::value);
static_assert(
    Alike<decltype(Api::power_limit_range), decltype(nvmlDeviceGetPowerManagementLimitConstraints)>::value);
static_assert(Alike<decltype(Api::temperature), decltype(nvmlDeviceGetTemperature)>::value);
static_assert(Alike<decltype(Api::field_values), decltype(nvmlDeviceGetFieldValues)>::value);
static_assert(Alike<decltype(Api::clock), decltype(nvmlDeviceGetClockInfo)>::value);
static_assert(Alike<decltype(Api::maximum_clock), decltype(nvmlDeviceGetMaxClockInfo)>::value);
static_assert(Alike<decltype(Api::utilisation), decltype(nvmlDeviceGetUtilizationRates)>::value);
static_assert(
    Alike<decltype(Api::clock_reasons), decltype(nvmlDeviceGetCurrentClocksThrottleReasons)>::value);
static_assert(Alike<decltype(Api::ecc_errors), decltype(nvmlDeviceGetTotalEccErrors)>::value);
static_assert(Alike<decltype(Api::ecc_mode), decltype(nvmlDeviceGetEccMode)>::value);
static_assert(Alike<decltype(Api::persistence_mode), decltype(nvmlDeviceGetPersistenceMode)>::value);
static_assert(Alike<decltype(Api::mig_mode), decltype(nvmlDeviceGetMigMode)>::value);
static_assert(
    Alike<decltype(Api::maximum_link_generation), decltype(nvmlDeviceGetMaxPcieLinkGeneration)>::value);
static_assert(Alike<decltype(Api::maximum_link_width), decltype(nvmlDeviceGetMaxPcieLinkWidth)>::value);
static_assert(Alike<decltype(Api::create_event_set), decltype(nvmlEventSetCreate)>::value);
static_assert(Alike<decltype(Api::register_events), decltype(nvmlDeviceRegisterEvents)>::value);
static_assert(Alike<decltype(Api::wait_for_event), decltype(nvmlEventSetWait_v2)>::value);
static_assert(Alike<decltype(Api::free_event_set), decltype(nvmlEventSetFree)>::value);
// Newer than the oldest toolkit that the tests are built with.
#ifdef nvmlTemperature_v1
static_assert(temperature_query_version == nvmlTemperature_v1);
static_assert(sizeof(TemperatureQuery) == sizeof(nvmlTemperature_t));
static_assert(Alike<decltype(Api::temperature_query), decltype(nvmlDeviceGetTemperatureV)>::value);
#endif
#ifdef nvmlClocksEventReasonGpuIdle
static_assert(Alike<decltype(Api::clock_reasons), decltype(nvmlDeviceGetCurrentClocksEventReasons)>::value);
#endif

}  // namespace
}  // namespace assay::nvml

#endif
