#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <variant>

#include "kernels/cuda/driver_types.h"
#include "kernels/device/device.h"

namespace assay::cuda {

/// The functions of NVIDIA's driver that we call, from libcuda.so.1, which is loaded when first asked for.
/// All are in every driver for CUDA 11.4 or later.
struct Driver {
    Result (*init)(unsigned flags) = nullptr;
    Result (*driver_get_version)(int* version) = nullptr;  ///< 13000 is CUDA 13.0
    Result (*get_error_name)(Result error, const char** name) = nullptr;
    Result (*get_error_string)(Result error, const char** text) = nullptr;
    Result (*device_get_count)(int* count) = nullptr;
    Result (*device_get)(DeviceNumber* device, int ordinal) = nullptr;
    Result (*device_get_name)(char* name, int bytes, DeviceNumber device) = nullptr;
    Result (*device_get_attribute)(int* value, int attribute, DeviceNumber device) = nullptr;
    Result (*device_total_mem)(std::size_t* bytes, DeviceNumber device) = nullptr;
    Result (*device_get_pci_bus_id)(char* text, int bytes, DeviceNumber device) = nullptr;
    Result (*device_can_access_peer)(int* can, DeviceNumber device, DeviceNumber peer) = nullptr;
    Result (*device_primary_ctx_retain)(Context* context, DeviceNumber device) = nullptr;
    Result (*device_primary_ctx_release)(DeviceNumber device) = nullptr;
    Result (*ctx_set_current)(Context context) = nullptr;
    Result (*ctx_enable_peer_access)(Context peer, unsigned flags) = nullptr;
    Result (*mem_get_info)(std::size_t* free, std::size_t* total) = nullptr;
    Result (*mem_alloc)(Address* address, std::size_t bytes) = nullptr;
    Result (*mem_free)(Address address) = nullptr;
    Result (*mem_host_alloc)(void** pointer, std::size_t bytes, unsigned flags) = nullptr;
    Result (*mem_free_host)(void* pointer) = nullptr;
    Result (*mem_host_get_device_pointer)(Address* address, void* pointer, unsigned flags) = nullptr;
    Result (*memcpy_htod_async)(Address to, const void* from, std::size_t bytes, Stream stream) = nullptr;
    Result (*memcpy_dtoh_async)(void* to, Address from, std::size_t bytes, Stream stream) = nullptr;
    Result (*memcpy_dtod_async)(Address to, Address from, std::size_t bytes, Stream stream) = nullptr;
    Result (*memcpy_peer_async)(Address to, Context to_context, Address from, Context from_context,
                                std::size_t bytes, Stream stream) = nullptr;
    Result (*memset_d8_async)(Address to, unsigned char value, std::size_t bytes, Stream stream) = nullptr;
    Result (*module_load_data)(Module* module, const void* image) = nullptr;
    Result (*module_unload)(Module module) = nullptr;
    Result (*module_get_function)(Function* function, Module module, const char* name) = nullptr;
    Result (*func_get_attribute)(int* value, int attribute, Function function) = nullptr;
    Result (*func_load)(Function function) = nullptr;  ///< null before CUDA 12.4
    Result (*launch_kernel)(Function function, unsigned grid_x, unsigned grid_y, unsigned grid_z,
                            unsigned block_x, unsigned block_y, unsigned block_z, unsigned shared_bytes,
                            Stream stream, void** parameters, void** extra) = nullptr;
    Result (*stream_create)(Stream* stream, unsigned flags) = nullptr;
    Result (*stream_destroy)(Stream stream) = nullptr;
    Result (*stream_synchronize)(Stream stream) = nullptr;
    Result (*event_create)(Event* event, unsigned flags) = nullptr;
    Result (*event_destroy)(Event event) = nullptr;
    Result (*event_record)(Event event, Stream stream) = nullptr;
    Result (*event_elapsed_time)(float* milliseconds, Event begin, Event end) = nullptr;
};

/// A driver's functions; the reason names the library, or what it lacks, and the version that is wanted.
std::variant<std::unique_ptr<Driver>, Absent> load_driver(const char* library);

/// libcuda.so.1, loaded once.
const std::variant<std::unique_ptr<Driver>, Absent>& driver();

/// "CUDA_ERROR_OUT_OF_MEMORY (2)".
std::string error_name(const Driver& driver, Result error);

/// Throws DeviceError, which names the call, where `error` is one.
void require(const Driver& driver, Result error, const std::string& call);

}  // namespace assay::cuda
