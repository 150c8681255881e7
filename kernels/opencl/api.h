#pragma once

#include <string>
#include <variant>

#include "kernels/device/device.h"

#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>

namespace assay::opencl {

/// The functions of OpenCL 1.2 that we call, from the ICD loader (ocl-icd), which is loaded when first asked
/// for.
struct Api {
    decltype(&clGetPlatformIDs) get_platform_ids = nullptr;
    decltype(&clGetPlatformInfo) get_platform_info = nullptr;
    decltype(&clGetDeviceIDs) get_device_ids = nullptr;
    decltype(&clGetDeviceInfo) get_device_info = nullptr;
    decltype(&clCreateContext) create_context = nullptr;
    decltype(&clReleaseContext) release_context = nullptr;
    decltype(&clCreateCommandQueue) create_command_queue = nullptr;
    decltype(&clReleaseCommandQueue) release_command_queue = nullptr;
    decltype(&clCreateBuffer) create_buffer = nullptr;
    decltype(&clReleaseMemObject) release_mem_object = nullptr;
    decltype(&clCreateProgramWithSource) create_program_with_source = nullptr;
    decltype(&clBuildProgram) build_program = nullptr;
    decltype(&clGetProgramBuildInfo) get_program_build_info = nullptr;
    decltype(&clReleaseProgram) release_program = nullptr;
    decltype(&clCreateKernel) create_kernel = nullptr;
    decltype(&clReleaseKernel) release_kernel = nullptr;
    decltype(&clSetKernelArg) set_kernel_arg = nullptr;
    decltype(&clEnqueueNDRangeKernel) enqueue_nd_range_kernel = nullptr;
    decltype(&clEnqueueWriteBuffer) enqueue_write_buffer = nullptr;
    decltype(&clEnqueueReadBuffer) enqueue_read_buffer = nullptr;
    decltype(&clEnqueueCopyBuffer) enqueue_copy_buffer = nullptr;
    decltype(&clEnqueueFillBuffer) enqueue_fill_buffer = nullptr;
    decltype(&clEnqueueMapBuffer) enqueue_map_buffer = nullptr;
    decltype(&clEnqueueUnmapMemObject) enqueue_unmap_mem_object = nullptr;
    decltype(&clEnqueueBarrierWithWaitList) enqueue_barrier_with_wait_list = nullptr;
    decltype(&clCreateUserEvent) create_user_event = nullptr;
    decltype(&clSetUserEventStatus) set_user_event_status = nullptr;
    decltype(&clReleaseEvent) release_event = nullptr;
    decltype(&clGetEventInfo) get_event_info = nullptr;
    decltype(&clGetEventProfilingInfo) get_event_profiling_info = nullptr;
    decltype(&clFlush) flush = nullptr;
    decltype(&clFinish) finish = nullptr;
};

/// Loaded once; the reason names the library and the version that is wanted.
const std::variant<const Api*, Absent>& api();

/// "CL_OUT_OF_RESOURCES (-5)".
std::string error_name(cl_int error);

/// Throws DeviceError, which names the call, where `error` is one.
void require(cl_int error, const std::string& call);

}  // namespace assay::opencl
