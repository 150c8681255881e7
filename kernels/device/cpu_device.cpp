#include "kernels/device/cpu_device.h"

#include <cerrno>
#include <cstdint>
#include <fstream>
#include <string>
#include <system_error>
#include <utility>

#include <sys/mman.h>
#include <unistd.h>

#include "kernels/cpu/thread_team.h"
#include "kernels/device/memory_limit.h"

namespace assay {

namespace {

constexpr std::size_t huge_page_bytes = std::size_t{2} << 20;

/// True when the system gives transparent huge pages to who asks; "never" accepts the advice and does
/// nothing.
bool huge_pages_offered() {
    std::ifstream file("/sys/kernel/mm/transparent_hugepage/enabled");
    std::string choices;
    return std::getline(file, choices) && choices.find("[never]") == std::string::npos;
}

/// An anonymous private mapping.
class HostMemory final : public DeviceMemory {
  public:
    HostMemory(std::size_t bytes, bool huge_pages) : bytes_(bytes) {
        const std::size_t small_page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
        // Room to begin on a huge page.
        mapped_bytes_ = bytes + (huge_pages ? huge_page_bytes : 0);
        mapping_ = mmap(nullptr, mapped_bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (mapping_ == MAP_FAILED)
            throw std::system_error(errno, std::generic_category(),
                                    "mmap of " + std::to_string(bytes) + " bytes of cpu:0");
        begin_ = static_cast<std::byte*>(mapping_);
        page_bytes_ = small_page;
        if (huge_pages) {
            const std::size_t beyond = reinterpret_cast<std::uintptr_t>(begin_) % huge_page_bytes;
            if (beyond != 0) begin_ += huge_page_bytes - beyond;
            if (madvise(mapping_, mapped_bytes_, MADV_HUGEPAGE) == 0 && huge_pages_offered())
                page_bytes_ = huge_page_bytes;
        } else {
            // Where the system would give huge pages unasked. Refused only by kernels that have none.
            madvise(mapping_, mapped_bytes_, MADV_NOHUGEPAGE);
        }
    }
    ~HostMemory() override { munmap(mapping_, mapped_bytes_); }
    HostMemory(const HostMemory&) = delete;
    HostMemory& operator=(const HostMemory&) = delete;

    std::byte* host_pointer() override { return begin_; }
    std::size_t bytes() const override { return bytes_; }
    std::size_t page_bytes() const override { return page_bytes_; }

  private:
    std::size_t bytes_;
    std::size_t mapped_bytes_ = 0;
    void* mapping_ = nullptr;
    std::byte* begin_ = nullptr;
    std::size_t page_bytes_ = 0;
};

std::string cpu_model() {
    std::ifstream file("/proc/cpuinfo");
    std::string line;
    while (std::getline(file, line)) {
        const std::size_t colon = line.find(':');
        if (line.starts_with("model name") && colon != std::string::npos && colon + 2 < line.size())
            return line.substr(colon + 2);
    }
    return "CPU of unknown model";  // Arm's cpuinfo names none
}

class CpuDevice final : public Device {
  public:
    explicit CpuDevice(DeviceInfo info) : info_(std::move(info)) {}
    const DeviceInfo& info() const override { return info_; }

    std::unique_ptr<DeviceMemory> allocate(std::size_t bytes, bool huge_pages) override {
        // An overcommitting kernel hands out any mapping, and kills whoever fills it.
        const std::uint64_t usable = usable_memory_bytes();
        if (bytes == 0) throw std::system_error(EINVAL, std::generic_category(), "allocate 0 bytes of cpu:0");
        if (usable != 0 && bytes > usable)
            throw std::system_error(ENOMEM, std::generic_category(),
                                    "allocate " + std::to_string(bytes) + " bytes of cpu:0, of which " +
                                        std::to_string(usable) + " may be used");
        return std::make_unique<HostMemory>(bytes, huge_pages);
    }

  private:
    DeviceInfo info_;
};

}  // namespace

DeviceInfo cpu_device_info() {
    DeviceInfo info;
    info.id = "cpu:0";
    info.kind = "cpu";
    info.name = cpu_model();
    info.compute_units = kernels::allowed_cpus();
    info.memory_bytes = usable_memory_bytes();
    return info;
}

std::unique_ptr<Device> open_cpu_device() {
    return std::make_unique<CpuDevice>(cpu_device_info());
}

}  // namespace assay
