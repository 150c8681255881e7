#pragma once

#include <cstdint>

namespace assay::cuda {

// What we use of the driver API, as NVIDIA documents its binary interface (cuda.h is not needed to build; the
// tests hold these against it where it is).

using Result = int;
using DeviceNumber = int;       ///< the driver's handle of a device, not its place in the list
using Address = std::uint64_t;  ///< of memory that a device reaches

struct ContextObject;
struct ModuleObject;
struct FunctionObject;
struct StreamObject;
struct EventObject;
using Context = ContextObject*;
using Module = ModuleObject*;
using Function = FunctionObject*;
using Stream = StreamObject*;
using Event = EventObject*;

namespace error {
inline constexpr Result none = 0, invalid_value = 1, out_of_memory = 2, not_initialized = 3,
                        stub_library = 34, device_unavailable = 46, no_device = 100, invalid_device = 101,
                        invalid_image = 200, invalid_context = 201, no_binary_for_gpu = 209,
                        ecc_uncorrectable = 214, peer_access_unsupported = 217, invalid_ptx = 218,
                        nvlink_uncorrectable = 220, jit_compiler_not_found = 221,
                        unsupported_ptx_version = 222, contained = 226, invalid_handle = 400, not_found = 500,
                        not_ready = 600, illegal_address = 700, launch_out_of_resources = 701,
                        launch_timeout = 702, peer_access_already_enabled = 704, too_many_peers = 711,
                        context_is_destroyed = 709, device_assert = 710, hardware_stack_error = 714,
                        illegal_instruction = 715, misaligned_address = 716, invalid_address_space = 717,
                        invalid_pc = 718, launch_failed = 719, tensor_memory_leak = 721,
                        system_not_ready = 802, system_driver_mismatch = 803,
                        compat_not_supported_on_device = 804, external_device = 911, unknown = 999;
}  // namespace error

namespace attribute {
inline constexpr int multiprocessor_count = 16, compute_mode = 20, compute_capability_major = 75,
                     compute_capability_minor = 76;
}  // namespace attribute

inline constexpr int function_attribute_registers = 4;
inline constexpr int compute_mode_prohibited = 2, compute_mode_exclusive_process = 3;
inline constexpr unsigned stream_non_blocking = 1, event_default = 0;
inline constexpr unsigned host_alloc_portable = 1, host_alloc_device_map = 2;

}  // namespace assay::cuda
