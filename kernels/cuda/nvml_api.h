#pragma once

#include <string>
#include <variant>

#include "kernels/device/device.h"

/// NVML as far as it is used: own declarations of what libnvidia-ml.so.1 exports (tests/fake_nvml holds them
/// against the vendor's header where there is one).
namespace assay::nvml {

using Result = int;
constexpr Result success = 0, not_supported = 3, timeout = 10, gpu_is_lost = 15;

struct DeviceTag;  // NVML's own, never looked into
using Handle = DeviceTag*;
struct EventSetTag;
using EventSet = EventSetTag*;

enum class ClockType : int { graphics = 0, multiprocessors = 1, memory = 2 };
enum class TemperatureSensor : int { gpu = 0 };
enum class ErrorType : int { corrected = 0, uncorrected = 1 };
enum class EccCounter : int { since_driver_load = 0, of_lifetime = 1 };

constexpr unsigned field_memory_temperature = 82;
constexpr unsigned long long event_critical_xid = 0x8;

enum class ValueType : int {
    float64 = 0,
    unsigned_int = 1,
    unsigned_long = 2,
    unsigned_long_long = 3,
    signed_long_long = 4,
    signed_int = 5
};
union Value {
    double float64;
    int signed_int;
    unsigned unsigned_int;
    unsigned long unsigned_long;
    unsigned long long unsigned_long_long;
    long long signed_long_long;
};
struct FieldValue {
    unsigned field;
    unsigned scope;
    long long timestamp;
    long long latency;
    ValueType type;
    Result result;
    Value value;
};
struct MemoryInfo {
    unsigned long long total, free, used;
};
struct Utilisation {
    unsigned gpu, memory;  ///< per cent
};
struct EventData {
    Handle device;
    unsigned long long type;
    unsigned long long data;  ///< the Xid's number
    unsigned gpu_instance, compute_instance;
};
struct PciInfo {
    char legacy_bus_id[16];
    unsigned domain, bus, device;
    unsigned device_and_vendor, subsystem;
    char bus_id[32];
};
/// Of nvmlDeviceGetTemperatureV, which follows nvmlDeviceGetTemperature.
struct TemperatureQuery {
    unsigned version;
    TemperatureSensor sensor;
    int celsius;
};
constexpr unsigned temperature_query_version = sizeof(TemperatureQuery) | 1u << 24;

/// The functions, null where the library has none. Those of the first group are always there.
struct Api {
    Result (*init)();
    Result (*handle_by_pci_address)(const char*, Handle*);

    const char* (*error_string)(Result);
    Result (*driver_version)(char*, unsigned);
    Result (*cuda_version)(int*);
    Result (*device_count)(unsigned*);
    Result (*handle_by_index)(unsigned, Handle*);
    Result (*name)(Handle, char*, unsigned);
    Result (*uuid)(Handle, char*, unsigned);
    Result (*pci_info)(Handle, PciInfo*);
    Result (*memory_info)(Handle, MemoryInfo*);
    Result (*power_usage)(Handle, unsigned*);                     // milliwatt
    Result (*power_limit)(Handle, unsigned*);                     // milliwatt, enforced
    Result (*default_power_limit)(Handle, unsigned*);             // milliwatt
    Result (*power_limit_range)(Handle, unsigned*, unsigned*);    // milliwatt
    Result (*temperature)(Handle, TemperatureSensor, unsigned*);  // celsius
    Result (*temperature_query)(Handle, TemperatureQuery*);
    Result (*field_values)(Handle, int, FieldValue*);
    Result (*clock)(Handle, ClockType, unsigned*);          // megahertz
    Result (*maximum_clock)(Handle, ClockType, unsigned*);  // megahertz
    Result (*utilisation)(Handle, Utilisation*);
    Result (*clock_reasons)(Handle, unsigned long long*);
    Result (*ecc_errors)(Handle, ErrorType, EccCounter, unsigned long long*);
    Result (*ecc_mode)(Handle, int*, int*);
    Result (*persistence_mode)(Handle, int*);
    Result (*mig_mode)(Handle, unsigned*, unsigned*);
    Result (*maximum_link_generation)(Handle, unsigned*);
    Result (*maximum_link_width)(Handle, unsigned*);
    Result (*create_event_set)(EventSet*);
    Result (*register_events)(Handle, unsigned long long, EventSet);
    Result (*wait_for_event)(EventSet, EventData*, unsigned);
    Result (*free_event_set)(EventSet);

    /// "the driver is not loaded (9)", in the library's words where it has them.
    std::string words_of(Result result) const;
};

/// Loads the library and initialises it, which stays so. The reason names the library, and the function where
/// it is too old.
std::variant<Api, Absent> load_api(const char* library);
/// The system's libnvidia-ml.so.1, loaded at the first call.
const std::variant<Api, Absent>& api();

}  // namespace assay::nvml
