#include "kernels/cuda/driver.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "kernels/cuda/built_kernels.h"
#include "kernels/device/accelerator.h"
#include "kernels/device/shared_library.h"

namespace assay::cuda {

namespace {

/// After these a context, or the card, does nothing more for this process.
constexpr std::array lost_after = {
    error::ecc_uncorrectable,
    error::nvlink_uncorrectable,
    error::contained,
    error::illegal_address,
    error::launch_timeout,
    error::context_is_destroyed,
    error::device_assert,
    error::hardware_stack_error,
    error::illegal_instruction,
    error::misaligned_address,
    error::invalid_address_space,
    error::invalid_pc,
    error::launch_failed,
    error::tensor_memory_leak,
    error::external_device,
    error::unknown,
};

}  // namespace

std::variant<std::unique_ptr<Driver>, Absent> load_driver(const char* name) {
    std::string error;
    const std::optional<SharedLibrary> library = SharedLibrary::load({name}, error);
    if (!library)
        return Absent{"no CUDA device: NVIDIA's driver (" + std::string(name) + ", for " + wanted_version() +
                      " or later) was not found: " + error};
    std::unique_ptr<Driver> loaded = std::make_unique<Driver>();
    const char* missing = nullptr;
    const auto find = [&](const char* symbol, auto*& function) {
        if (!library->find(symbol, function) && missing == nullptr) missing = symbol;
    };
    // By their versioned names, where there are versions: the bare ones are the oldest.
    find("cuInit", loaded->init);
    find("cuDriverGetVersion", loaded->driver_get_version);
    find("cuGetErrorName", loaded->get_error_name);
    find("cuGetErrorString", loaded->get_error_string);
    find("cuDeviceGetCount", loaded->device_get_count);
    find("cuDeviceGet", loaded->device_get);
    find("cuDeviceGetName", loaded->device_get_name);
    find("cuDeviceGetAttribute", loaded->device_get_attribute);
    find("cuDeviceTotalMem_v2", loaded->device_total_mem);
    find("cuDeviceGetPCIBusId", loaded->device_get_pci_bus_id);
    find("cuDeviceCanAccessPeer", loaded->device_can_access_peer);
    find("cuDevicePrimaryCtxRetain", loaded->device_primary_ctx_retain);
    find("cuDevicePrimaryCtxRelease_v2", loaded->device_primary_ctx_release);
    find("cuCtxSetCurrent", loaded->ctx_set_current);
    find("cuCtxEnablePeerAccess", loaded->ctx_enable_peer_access);
    find("cuMemGetInfo_v2", loaded->mem_get_info);
    find("cuMemAlloc_v2", loaded->mem_alloc);
    find("cuMemFree_v2", loaded->mem_free);
    find("cuMemHostAlloc", loaded->mem_host_alloc);
    find("cuMemFreeHost", loaded->mem_free_host);
    find("cuMemHostGetDevicePointer_v2", loaded->mem_host_get_device_pointer);
    find("cuMemcpyHtoDAsync_v2", loaded->memcpy_htod_async);
    find("cuMemcpyDtoHAsync_v2", loaded->memcpy_dtoh_async);
    find("cuMemcpyDtoDAsync_v2", loaded->memcpy_dtod_async);
    find("cuMemcpyPeerAsync", loaded->memcpy_peer_async);
    find("cuMemsetD8Async", loaded->memset_d8_async);
    find("cuModuleLoadData", loaded->module_load_data);
    find("cuModuleUnload", loaded->module_unload);
    find("cuModuleGetFunction", loaded->module_get_function);
    find("cuFuncGetAttribute", loaded->func_get_attribute);
    library->find("cuFuncLoad", loaded->func_load);
    find("cuLaunchKernel", loaded->launch_kernel);
    find("cuStreamCreate", loaded->stream_create);
    find("cuStreamDestroy_v2", loaded->stream_destroy);
    find("cuStreamSynchronize", loaded->stream_synchronize);
    find("cuEventCreate", loaded->event_create);
    find("cuEventDestroy_v2", loaded->event_destroy);
    find("cuEventRecord", loaded->event_record);
    find("cuEventElapsedTime", loaded->event_elapsed_time);
    if (missing != nullptr)
        return Absent{"no CUDA device: " + library->name() + " has no " + missing + "; a driver for " +
                      wanted_version() + " or later is wanted"};
    return loaded;
}

const std::variant<std::unique_ptr<Driver>, Absent>& driver() {
    static const std::variant<std::unique_ptr<Driver>, Absent> loaded = load_driver("libcuda.so.1");
    return loaded;
}

std::string error_name(const Driver& driver, Result error) {
    const char* name = nullptr;
    if (driver.get_error_name(error, &name) != error::none || name == nullptr) name = "CUDA error";
    return std::string(name) + " (" + std::to_string(error) + ")";
}

void require(const Driver& driver, Result error, const std::string& call) {
    if (error == error::none) return;
    const bool lost = std::find(lost_after.begin(), lost_after.end(), error) != lost_after.end();
    const char* text = nullptr;
    const bool explained = driver.get_error_string(error, &text) == error::none && text != nullptr;
    throw DeviceError(call + ": " + error_name(driver, error) + (explained ? ", " + std::string(text) : ""),
                      lost, error == error::out_of_memory);
}

}  // namespace assay::cuda
