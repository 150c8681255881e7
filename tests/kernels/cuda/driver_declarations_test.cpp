// Our declarations of the driver API against NVIDIA's, where its toolkit is at hand when the tests are built.
#if __has_include(<cuda.h>)

#include <type_traits>

#include <cuda.h>
#include <gtest/gtest.h>

#include "kernels/cuda/driver.h"

namespace assay::cuda {
namespace {

/// Two types that are passed in the same way: numbers of one size and kind, pointers.
template <typename Own, typename Theirs>
constexpr bool alike = sizeof(Own) == sizeof(Theirs) &&
                       std::is_pointer_v<Own> == std::is_pointer_v<Theirs>&& std::is_floating_point_v<Own> ==
                           std::is_floating_point_v<Theirs>;

template <typename Own, typename Theirs>
struct SameCall : std::false_type {};
template <typename... Own, typename... Theirs>
requires(sizeof...(Own) == sizeof...(Theirs)) struct SameCall<Result (*)(Own...), CUresult(Theirs...)>
    : std::bool_constant<(alike<Own, Theirs> && ...)> {
};

#define ASSAY_SAME(member, function) \
    static_assert(SameCall<decltype(Driver::member), decltype(function)>::value, #function)
// Their header's names are those of the newest version; cuda.h defines cuMemAlloc as cuMemAlloc_v2.
ASSAY_SAME(init, cuInit);
ASSAY_SAME(driver_get_version, cuDriverGetVersion);
ASSAY_SAME(get_error_name, cuGetErrorName);
ASSAY_SAME(get_error_string, cuGetErrorString);
ASSAY_SAME(device_get_count, cuDeviceGetCount);
ASSAY_SAME(device_get, cuDeviceGet);
ASSAY_SAME(device_get_name, cuDeviceGetName);
ASSAY_SAME(device_get_attribute, cuDeviceGetAttribute);
ASSAY_SAME(device_total_mem, cuDeviceTotalMem);
ASSAY_SAME(device_get_pci_bus_id, cuDeviceGetPCIBusId);
ASSAY_SAME(device_can_access_peer, cuDeviceCanAccessPeer);
ASSAY_SAME(device_primary_ctx_retain, cuDevicePrimaryCtxRetain);
ASSAY_SAME(device_primary_ctx_release, cuDevicePrimaryCtxRelease);
ASSAY_SAME(ctx_set_current, cuCtxSetCurrent);
ASSAY_SAME(ctx_enable_peer_access, cuCtxEnablePeerAccess);
ASSAY_SAME(mem_get_info, cuMemGetInfo);
ASSAY_SAME(mem_alloc, cuMemAlloc);
ASSAY_SAME(mem_free, cuMemFree);
ASSAY_SAME(mem_host_alloc, cuMemHostAlloc);
ASSAY_SAME(mem_free_host, cuMemFreeHost);
ASSAY_SAME(mem_host_get_device_pointer, cuMemHostGetDevicePointer);
ASSAY_SAME(memcpy_htod_async, cuMemcpyHtoDAsync);
ASSAY_SAME(memcpy_dtoh_async, cuMemcpyDtoHAsync);
ASSAY_SAME(memcpy_dtod_async, cuMemcpyDtoDAsync);
ASSAY_SAME(memcpy_peer_async, cuMemcpyPeerAsync);
ASSAY_SAME(memset_d8_async, cuMemsetD8Async);
ASSAY_SAME(module_load_data, cuModuleLoadData);
ASSAY_SAME(module_unload, cuModuleUnload);
ASSAY_SAME(module_get_function, cuModuleGetFunction);
ASSAY_SAME(func_get_attribute, cuFuncGetAttribute);
ASSAY_SAME(launch_kernel, cuLaunchKernel);
ASSAY_SAME(stream_create, cuStreamCreate);
ASSAY_SAME(stream_destroy, cuStreamDestroy);
ASSAY_SAME(stream_synchronize, cuStreamSynchronize);
ASSAY_SAME(event_create, cuEventCreate);
ASSAY_SAME(event_destroy, cuEventDestroy);
ASSAY_SAME(event_record, cuEventRecord);
ASSAY_SAME(event_elapsed_time, cuEventElapsedTime);
#if CUDA_VERSION >= 12040
ASSAY_SAME(func_load, cuFuncLoad);
#endif
#undef ASSAY_SAME

static_assert(error::out_of_memory == CUDA_ERROR_OUT_OF_MEMORY);
static_assert(error::invalid_value == CUDA_ERROR_INVALID_VALUE);
static_assert(error::not_initialized == CUDA_ERROR_NOT_INITIALIZED);
static_assert(error::stub_library == CUDA_ERROR_STUB_LIBRARY);
static_assert(error::device_unavailable == CUDA_ERROR_DEVICE_UNAVAILABLE);
static_assert(error::no_device == CUDA_ERROR_NO_DEVICE);
static_assert(error::invalid_device == CUDA_ERROR_INVALID_DEVICE);
static_assert(error::invalid_image == CUDA_ERROR_INVALID_IMAGE);
static_assert(error::invalid_context == CUDA_ERROR_INVALID_CONTEXT);
static_assert(error::no_binary_for_gpu == CUDA_ERROR_NO_BINARY_FOR_GPU);
static_assert(error::ecc_uncorrectable == CUDA_ERROR_ECC_UNCORRECTABLE);
static_assert(error::invalid_ptx == CUDA_ERROR_INVALID_PTX);
static_assert(error::nvlink_uncorrectable == CUDA_ERROR_NVLINK_UNCORRECTABLE);
static_assert(error::jit_compiler_not_found == CUDA_ERROR_JIT_COMPILER_NOT_FOUND);
static_assert(error::unsupported_ptx_version == CUDA_ERROR_UNSUPPORTED_PTX_VERSION);
static_assert(error::not_found == CUDA_ERROR_NOT_FOUND);
static_assert(error::not_ready == CUDA_ERROR_NOT_READY);
static_assert(error::invalid_handle == CUDA_ERROR_INVALID_HANDLE);
static_assert(error::illegal_address == CUDA_ERROR_ILLEGAL_ADDRESS);
static_assert(error::launch_out_of_resources == CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES);
static_assert(error::launch_timeout == CUDA_ERROR_LAUNCH_TIMEOUT);
static_assert(error::peer_access_unsupported == CUDA_ERROR_PEER_ACCESS_UNSUPPORTED);
static_assert(error::too_many_peers == CUDA_ERROR_TOO_MANY_PEERS);
static_assert(error::peer_access_already_enabled == CUDA_ERROR_PEER_ACCESS_ALREADY_ENABLED);
static_assert(error::context_is_destroyed == CUDA_ERROR_CONTEXT_IS_DESTROYED);
static_assert(error::device_assert == CUDA_ERROR_ASSERT);
static_assert(error::hardware_stack_error == CUDA_ERROR_HARDWARE_STACK_ERROR);
static_assert(error::illegal_instruction == CUDA_ERROR_ILLEGAL_INSTRUCTION);
static_assert(error::misaligned_address == CUDA_ERROR_MISALIGNED_ADDRESS);
static_assert(error::invalid_address_space == CUDA_ERROR_INVALID_ADDRESS_SPACE);
static_assert(error::invalid_pc == CUDA_ERROR_INVALID_PC);
static_assert(error::launch_failed == CUDA_ERROR_LAUNCH_FAILED);
static_assert(error::system_not_ready == CUDA_ERROR_SYSTEM_NOT_READY);
static_assert(error::system_driver_mismatch == CUDA_ERROR_SYSTEM_DRIVER_MISMATCH);
static_assert(error::compat_not_supported_on_device == CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE);
static_assert(error::external_device == CUDA_ERROR_EXTERNAL_DEVICE);
static_assert(error::unknown == CUDA_ERROR_UNKNOWN);
#if CUDA_VERSION >= 13000
static_assert(error::contained == CUDA_ERROR_CONTAINED);
static_assert(error::tensor_memory_leak == CUDA_ERROR_TENSOR_MEMORY_LEAK);
#endif

static_assert(attribute::multiprocessor_count == CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT);
static_assert(attribute::compute_mode == CU_DEVICE_ATTRIBUTE_COMPUTE_MODE);
static_assert(attribute::compute_capability_major == CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR);
static_assert(attribute::compute_capability_minor == CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
static_assert(function_attribute_registers == CU_FUNC_ATTRIBUTE_NUM_REGS);
static_assert(compute_mode_prohibited == CU_COMPUTEMODE_PROHIBITED);
static_assert(compute_mode_exclusive_process == CU_COMPUTEMODE_EXCLUSIVE_PROCESS);
static_assert(stream_non_blocking == CU_STREAM_NON_BLOCKING);
static_assert(event_default == CU_EVENT_DEFAULT);
static_assert(host_alloc_portable == CU_MEMHOSTALLOC_PORTABLE);
static_assert(host_alloc_device_map == CU_MEMHOSTALLOC_DEVICEMAP);

TEST(CudaDriver, IsDeclaredAsNvidiasHeaderDeclaresIt) {
    SUCCEED() << "the compiler has compared them";
}

}  // namespace
}  // namespace assay::cuda

#endif
