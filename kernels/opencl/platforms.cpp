#include "kernels/opencl/platforms.h"

#include <array>
#include <cstdint>
#include <cstdio>
#include <utility>

namespace assay::opencl {

namespace {

// Of extensions, from Khronos's registry; older headers lack them.
constexpr cl_device_info pci_bus_info_khr = 0x410F, pci_bus_nv = 0x4008, pci_slot_nv = 0x4009,
                         pci_domain_nv = 0x400A, topology_amd = 0x4037, board_name_amd = 0x4038;

std::string trimmed(std::string text) {
    const std::size_t end = text.find('\0');
    if (end != std::string::npos) text.resize(end);
    while (!text.empty() && text.back() == ' ') text.pop_back();
    const std::size_t begin = text.find_first_not_of(' ');
    return begin == std::string::npos ? std::string() : text.substr(begin);
}

std::string platform_text(const Api& api, cl_platform_id platform, cl_platform_info what) {
    std::size_t bytes = 0;
    if (api.get_platform_info(platform, what, 0, nullptr, &bytes) != CL_SUCCESS) return {};
    std::string text(bytes, '\0');
    if (api.get_platform_info(platform, what, bytes, text.data(), nullptr) != CL_SUCCESS) return {};
    return trimmed(std::move(text));
}

template <typename Value>
bool read(const Api& api, cl_device_id device, cl_device_info what, Value& value) {
    return api.get_device_info(device, what, sizeof value, &value, nullptr) == CL_SUCCESS;
}

std::string pci_text(std::uint32_t domain, std::uint32_t bus, std::uint32_t device, std::uint32_t function) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%04x:%02x:%02x.%x", domain, bus, device, function);
    return text.data();
}

std::string pci_address(const Api& api, cl_device_id device) {
    const std::string extensions = " " + device_text(api, device, CL_DEVICE_EXTENSIONS) + " ";
    const auto has = [&](const char* name) {
        return extensions.find(" " + std::string(name) + " ") != std::string::npos;
    };
    std::array<std::uint32_t, 4> place{};  // domain, bus, device, function
    if (has("cl_khr_pci_bus_info") && read(api, device, pci_bus_info_khr, place))
        return pci_text(place[0], place[1], place[2], place[3]);
    std::uint32_t domain = 0, bus = 0, slot = 0;
    if (has("cl_nv_device_attribute_query") && read(api, device, pci_bus_nv, bus) &&
        read(api, device, pci_slot_nv, slot)) {
        read(api, device, pci_domain_nv, domain);
        return pci_text(domain, bus, slot >> 3, slot & 7);
    }
    std::array<std::uint8_t, 24> topology{};  // type of 4 bytes (1: PCIe), 17 unused, bus, device, function
    if (has("cl_amd_device_attribute_query") && read(api, device, topology_amd, topology) && topology[0] == 1)
        return pci_text(0, topology[21], topology[22], topology[23]);
    return {};
}

std::string kind_of(cl_device_type type) {
    if ((type & CL_DEVICE_TYPE_GPU) != 0) return "gpu";
    return (type & CL_DEVICE_TYPE_CPU) != 0 ? "cpu" : "accelerator";
}

DeviceInfo info_of(const Api& api, cl_device_id device, std::size_t number) {
    DeviceInfo info;
    info.id = "opencl:" + std::to_string(number);
    cl_device_type type = 0;
    read(api, device, CL_DEVICE_TYPE, type);
    info.kind = kind_of(type);
    info.name = device_text(api, device, board_name_amd);  // AMD's "name" is the chip's, gfx942
    if (info.name.empty()) info.name = device_text(api, device, CL_DEVICE_NAME);
    cl_uint units = 0;
    read(api, device, CL_DEVICE_MAX_COMPUTE_UNITS, units);
    info.compute_units = static_cast<int>(units);
    cl_ulong bytes = 0;
    read(api, device, CL_DEVICE_GLOBAL_MEM_SIZE, bytes);
    info.memory_bytes = bytes;
    info.interface = device_text(api, device, CL_DEVICE_VERSION);
    info.driver_version = device_text(api, device, CL_DRIVER_VERSION);
    info.pci_address = pci_address(api, device);
    return info;
}

}  // namespace

std::string device_text(const Api& api, cl_device_id device, cl_device_info what) {
    std::size_t bytes = 0;
    if (api.get_device_info(device, what, 0, nullptr, &bytes) != CL_SUCCESS) return {};
    std::string text(bytes, '\0');
    if (api.get_device_info(device, what, bytes, text.data(), nullptr) != CL_SUCCESS) return {};
    return trimmed(std::move(text));
}

Listing list_devices() {
    Listing listing;
    const std::variant<const Api*, Absent>& loaded = api();
    if (const Absent* absent = std::get_if<Absent>(&loaded)) {
        listing.absences.push_back(absent->reason);
        return listing;
    }
    const Api& api = *std::get<const Api*>(loaded);
    cl_uint count = 0;
    const cl_int error = api.get_platform_ids(0, nullptr, &count);
    if (error != CL_SUCCESS || count == 0) {
        listing.absences.push_back("no OpenCL platform: the loader lists no vendor's driver (" +
                                   std::string(error == CL_SUCCESS ? "none in its list" : error_name(error)) +
                                   ")");
        return listing;
    }
    std::vector<cl_platform_id> platforms(count);
    require(api.get_platform_ids(count, platforms.data(), nullptr), "clGetPlatformIDs");
    for (const cl_platform_id platform : platforms) {
        cl_uint devices = 0;
        const cl_int listed = api.get_device_ids(platform, CL_DEVICE_TYPE_ALL, 0, nullptr, &devices);
        if (listed != CL_SUCCESS || devices == 0) {
            listing.absences.push_back("OpenCL platform " + platform_text(api, platform, CL_PLATFORM_NAME) +
                                       " has no device (" +
                                       error_name(listed == CL_SUCCESS ? CL_DEVICE_NOT_FOUND : listed) + ")");
            continue;
        }
        std::vector<cl_device_id> ids(devices);
        require(api.get_device_ids(platform, CL_DEVICE_TYPE_ALL, devices, ids.data(), nullptr),
                "clGetDeviceIDs");
        for (const cl_device_id id : ids)
            listing.devices.push_back({platform, id, info_of(api, id, listing.devices.size())});
    }
    return listing;
}

}  // namespace assay::opencl
