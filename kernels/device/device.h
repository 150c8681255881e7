#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace assay {

class Accelerator;  // kernels/device/accelerator.h

struct DeviceInfo {
    std::string id;                  ///< "cpu:0"
    std::string kind;                ///< "cpu", "gpu" or "accelerator" (OpenCL's word for what is neither)
    std::string name;                ///< the model, as the device reports it
    int compute_units = 0;           ///< for cpu:0 the CPUs that this process may use
    std::uint64_t memory_bytes = 0;  ///< what this process may use of it
    std::string interface =
        {};  ///< what it is reached through: "CUDA 13.0", "OpenCL 3.0 PoCL"; empty: the host
    std::string driver_version = {};      ///< as the driver tells it; empty: none
    std::string pci_address = {};         ///< "0000:65:00.0"; empty: not told, or no PCI device
    std::string compute_capability = {};  ///< CUDA's: "9.0"; else empty
    std::string same_as = {};  ///< the id of the same hardware reached in a better way ("cuda:0"); else empty
};

/// Memory of a device, or host memory that a device can reach; freed with it.
class DeviceMemory {
  public:
    virtual ~DeviceMemory() = default;
    virtual std::byte* host_pointer() = 0;  ///< null where the host cannot reach it
    virtual std::size_t bytes() const = 0;
    virtual std::size_t page_bytes() const = 0;  ///< the page size that backs it, as far as asked for
};

/// A thing that computes and has memory. `cpu:0` is all CPUs that the process may use.
class Device {
  public:
    virtual ~Device() = default;
    virtual const DeviceInfo& info() const = 0;
    /// Uninitialised memory, 64-byte aligned or better; huge pages asked for with `huge_pages`. Throws
    /// std::system_error when there is none left.
    virtual std::unique_ptr<DeviceMemory> allocate(std::size_t bytes, bool huge_pages) = 0;
    /// What else it can do when work is handed to it; null for the host, whose kernels are plain functions.
    virtual Accelerator* accelerator() { return nullptr; }
};

/// Why something expected to be absent is absent: a library, a device.
struct Absent {
    std::string reason;
};

/// What is there, and why what one might expect is not.
struct DeviceSurvey {
    std::vector<DeviceInfo> devices;
    std::vector<std::string> absences;  ///< "no CUDA device: libcuda.so.1 was not found (...)"
    std::string cuda_kernels;           ///< of this build: "CUDA 13.0, 7.5 to 12.1", or why there are none
};

/// Asks every interface. Vendors' libraries are loaded for it, and a broken driver may crash or hang the
/// process: who must live on asks in a child.
DeviceSurvey survey_devices();
std::variant<std::unique_ptr<Device>, Absent> open_device(const std::string& id);

}  // namespace assay
