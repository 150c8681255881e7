#include "kernels/opencl/api.h"

#include <array>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <system_error>

#include "kernels/device/accelerator.h"
#include "kernels/device/shared_library.h"

namespace assay::opencl {

namespace {

/// The one that the relocatable folder brings: it serves where the machine has none, and stands where the
/// system's search does not come by, so that it never takes the place of the machine's own.
std::optional<SharedLibrary> load_beside_the_program() {
    std::error_code unknown;
    const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", unknown);
    const std::filesystem::path file = program.parent_path().parent_path() / "lib/fallback/libOpenCL.so.1";
    std::string ignored;
    return unknown ? std::nullopt : SharedLibrary::load({file.c_str()}, ignored);
}

std::variant<const Api*, Absent> load() {
    // PoCL binds its threads only when told to, and was seen with all of them on one CPU. No other driver
    // knows the name.
    ::setenv("POCL_AFFINITY", "1", 0);
    std::string error;
    std::optional<SharedLibrary> library = SharedLibrary::load({"libOpenCL.so.1"}, error);
    if (!library) library = load_beside_the_program();
    if (!library)
        return Absent{"no OpenCL: its loader libOpenCL.so.1 (1.2 or later) was not found: " + error};
    static Api loaded;
    const char* missing = nullptr;
    const auto find = [&](const char* name, auto*& function) {
        if (!library->find(name, function) && missing == nullptr) missing = name;
    };
    find("clGetPlatformIDs", loaded.get_platform_ids);
    find("clGetPlatformInfo", loaded.get_platform_info);
    find("clGetDeviceIDs", loaded.get_device_ids);
    find("clGetDeviceInfo", loaded.get_device_info);
    find("clCreateContext", loaded.create_context);
    find("clReleaseContext", loaded.release_context);
    find("clCreateCommandQueue", loaded.create_command_queue);
    find("clReleaseCommandQueue", loaded.release_command_queue);
    find("clCreateBuffer", loaded.create_buffer);
    find("clReleaseMemObject", loaded.release_mem_object);
    find("clCreateProgramWithSource", loaded.create_program_with_source);
    find("clBuildProgram", loaded.build_program);
    find("clGetProgramBuildInfo", loaded.get_program_build_info);
    find("clReleaseProgram", loaded.release_program);
    find("clCreateKernel", loaded.create_kernel);
    find("clReleaseKernel", loaded.release_kernel);
    find("clSetKernelArg", loaded.set_kernel_arg);
    find("clEnqueueNDRangeKernel", loaded.enqueue_nd_range_kernel);
    find("clEnqueueWriteBuffer", loaded.enqueue_write_buffer);
    find("clEnqueueReadBuffer", loaded.enqueue_read_buffer);
    find("clEnqueueCopyBuffer", loaded.enqueue_copy_buffer);
    find("clEnqueueFillBuffer", loaded.enqueue_fill_buffer);
    find("clEnqueueMapBuffer", loaded.enqueue_map_buffer);
    find("clEnqueueUnmapMemObject", loaded.enqueue_unmap_mem_object);
    find("clEnqueueBarrierWithWaitList", loaded.enqueue_barrier_with_wait_list);
    find("clCreateUserEvent", loaded.create_user_event);
    find("clSetUserEventStatus", loaded.set_user_event_status);
    find("clReleaseEvent", loaded.release_event);
    find("clGetEventInfo", loaded.get_event_info);
    find("clGetEventProfilingInfo", loaded.get_event_profiling_info);
    find("clFlush", loaded.flush);
    find("clFinish", loaded.finish);
    if (missing != nullptr)
        return Absent{"no OpenCL: " + library->name() + " has no " + missing + ", so it is older than 1.2"};
    return &loaded;
}

struct NamedError {
    cl_int error;
    const char* name;
};

constexpr std::array named_errors = {
    NamedError{-1, "CL_DEVICE_NOT_FOUND"},
    NamedError{-2, "CL_DEVICE_NOT_AVAILABLE"},
    NamedError{-3, "CL_COMPILER_NOT_AVAILABLE"},
    NamedError{-4, "CL_MEM_OBJECT_ALLOCATION_FAILURE"},
    NamedError{-5, "CL_OUT_OF_RESOURCES"},
    NamedError{-6, "CL_OUT_OF_HOST_MEMORY"},
    NamedError{-7, "CL_PROFILING_INFO_NOT_AVAILABLE"},
    NamedError{-11, "CL_BUILD_PROGRAM_FAILURE"},
    NamedError{-14, "CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST"},
    NamedError{-30, "CL_INVALID_VALUE"},
    NamedError{-38, "CL_INVALID_MEM_OBJECT"},
    NamedError{-44, "CL_INVALID_PROGRAM"},
    NamedError{-45, "CL_INVALID_PROGRAM_EXECUTABLE"},
    NamedError{-46, "CL_INVALID_KERNEL_NAME"},
    NamedError{-49, "CL_INVALID_ARG_INDEX"},
    NamedError{-51, "CL_INVALID_ARG_SIZE"},
    NamedError{-52, "CL_INVALID_KERNEL_ARGS"},
    NamedError{-54, "CL_INVALID_WORK_GROUP_SIZE"},
    NamedError{-61, "CL_INVALID_BUFFER_SIZE"},
    NamedError{-1001, "CL_PLATFORM_NOT_FOUND_KHR"},
};

}  // namespace

const std::variant<const Api*, Absent>& api() {
    static const std::variant<const Api*, Absent> loaded = load();
    return loaded;
}

std::string error_name(cl_int error) {
    for (const NamedError& named : named_errors)
        if (named.error == error) return std::string(named.name) + " (" + std::to_string(error) + ")";
    return "OpenCL error " + std::to_string(error);
}

void require(cl_int error, const std::string& call) {
    if (error == CL_SUCCESS) return;
    // A lost device has no code of its own in OpenCL: drivers say that it is not available.
    const bool lost = error == CL_DEVICE_NOT_AVAILABLE;
    const bool memory = error == CL_MEM_OBJECT_ALLOCATION_FAILURE || error == CL_OUT_OF_HOST_MEMORY;
    throw DeviceError(call + ": " + error_name(error), lost, memory);
}

}  // namespace assay::opencl
