#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace assay {

struct DeviceInfo {
    std::string id;                  ///< "cpu:0"
    std::string kind;                ///< "cpu" or "gpu"
    std::string name;                ///< the model, as the device reports it
    int compute_units = 0;           ///< for cpu:0 the CPUs that this process may use
    std::uint64_t memory_bytes = 0;  ///< what this process may use of it
};

/// Memory of a device; freed with it.
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
};

/// Why something expected to be absent is absent: a library, a device.
struct Absent {
    std::string reason;
};

std::vector<DeviceInfo> enumerate_devices();
std::variant<std::unique_ptr<Device>, Absent> open_device(const std::string& id);

}  // namespace assay
