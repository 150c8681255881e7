// An OpenCL that can only be listed: a platform without devices, and one whose three GPUs tell their PCI
// address in the three ways that there are: by NVIDIA's attributes (0000:65:00.0), by Khronos's
// (0000:66:00.0) and by AMD's (0000:21:00.0). The first two lie where tests/fake_cuda has its first two
// cards. Of the rest of the functions there are the names, which is all that listing looks for.

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>

namespace {

struct Gpu {
    const char* name;
    const char* extensions;
    std::uint32_t bus;
};
constexpr std::array<Gpu, 3> gpus = {{{"By NVIDIA's", "cl_khr_fp64 cl_nv_device_attribute_query", 0x65},
                                      {"By Khronos's", "cl_khr_pci_bus_info", 0x66},
                                      {"gfx942", "cl_amd_device_attribute_query", 0x21}}};

// Handles are numbers from 1.
cl_platform_id platform(std::size_t number) {
    return reinterpret_cast<cl_platform_id>(number);
}
cl_device_id device(std::size_t number) {
    return reinterpret_cast<cl_device_id>(number);
}

cl_int answer(const void* value, std::size_t bytes, std::size_t room, void* to, std::size_t* needed) {
    if (needed != nullptr) *needed = bytes;
    if (to == nullptr) return CL_SUCCESS;
    if (room < bytes) return CL_INVALID_VALUE;
    std::memcpy(to, value, bytes);
    return CL_SUCCESS;
}

cl_int answer(const std::string& text, std::size_t room, void* to, std::size_t* needed) {
    return answer(text.c_str(), text.size() + 1, room, to, needed);
}

template <typename Value>
cl_int answer_value(Value value, std::size_t room, void* to, std::size_t* needed) {
    return answer(&value, sizeof value, room, to, needed);
}

}  // namespace

extern "C" {

cl_int clGetPlatformIDs(cl_uint room, cl_platform_id* platforms, cl_uint* count) {
    if (count != nullptr) *count = 2;
    for (cl_uint i = 0; platforms != nullptr && i < room && i < 2; ++i) platforms[i] = platform(i + 1);
    return CL_SUCCESS;
}

cl_int clGetPlatformInfo(cl_platform_id which, cl_platform_info, std::size_t room, void* to,
                         std::size_t* needed) {
    return answer(which == platform(1) ? "Without devices" : "With three", room, to, needed);
}

cl_int clGetDeviceIDs(cl_platform_id which, cl_device_type, cl_uint room, cl_device_id* devices,
                      cl_uint* count) {
    if (which == platform(1)) return CL_DEVICE_NOT_FOUND;
    if (count != nullptr) *count = gpus.size();
    for (cl_uint i = 0; devices != nullptr && i < room && i < gpus.size(); ++i) devices[i] = device(i + 1);
    return CL_SUCCESS;
}

cl_int clGetDeviceInfo(cl_device_id which, cl_device_info what, std::size_t room, void* to,
                       std::size_t* needed) {
    const std::size_t number = reinterpret_cast<std::size_t>(which) - 1;
    const Gpu& gpu = gpus.at(number);
    switch (what) {
        case CL_DEVICE_TYPE:
            return answer_value<cl_device_type>(CL_DEVICE_TYPE_GPU, room, to, needed);
        case CL_DEVICE_NAME:
            return answer(gpu.name, room, to, needed);
        case CL_DEVICE_EXTENSIONS:
            return answer(gpu.extensions, room, to, needed);
        case CL_DEVICE_VERSION:
            return answer("OpenCL 3.0 made up", room, to, needed);
        case CL_DEVICE_MAX_COMPUTE_UNITS:
            return answer_value<cl_uint>(60, room, to, needed);
        case CL_DEVICE_GLOBAL_MEM_SIZE:
            return answer_value<cl_ulong>(std::uint64_t{1} << 30, room, to, needed);
        default:
            break;
    }
    // Extensions' numbers, from Khronos's registry.
    if (number == 0 && what == 0x4008) return answer_value<cl_uint>(gpu.bus, room, to, needed);
    if (number == 0 && (what == 0x4009 || what == 0x400A)) return answer_value<cl_uint>(0, room, to, needed);
    if (number == 1 && what == 0x410F)
        return answer_value<std::array<cl_uint, 4>>({0, gpu.bus, 0, 0}, room, to, needed);
    if (number == 2 && what == 0x4038) return answer("AMD Made Up", room, to, needed);
    if (number == 2 && what == 0x4037) {
        std::array<std::uint8_t, 24> topology{};
        topology[0] = 1;
        topology[21] = static_cast<std::uint8_t>(gpu.bus);
        return answer_value(topology, room, to, needed);
    }
    return CL_INVALID_VALUE;
}
}
