#include "kernels/opencl/opencl_device.h"

#include <cerrno>
#include <map>
#include <system_error>
#include <utility>

#include "kernels/device/cpu_device.h"
#include "kernels/device/programs.h"
#include "kernels/opencl/memory.h"
#include "kernels/opencl/platforms.h"
#include "kernels/opencl/queue.h"

namespace assay::opencl {

namespace {

/// Host memory that the driver made for transfers, mapped as long as it lives.
class MappedMemory final : public DeviceMemory {
  public:
    MappedMemory(const Api& api, QueueHandle queue, BufferHandle buffer, std::size_t bytes)
        : api_(api), queue_(std::move(queue)), buffer_(std::move(buffer)), bytes_(bytes) {
        cl_int error = CL_SUCCESS;
        pointer_ = api_.enqueue_map_buffer(queue_.get(), buffer_.get(), CL_TRUE, CL_MAP_READ | CL_MAP_WRITE,
                                           0, bytes, 0, nullptr, nullptr, &error);
        require(error, "clEnqueueMapBuffer of " + std::to_string(bytes) + " bytes");
    }
    ~MappedMemory() override {
        api_.enqueue_unmap_mem_object(queue_.get(), buffer_.get(), pointer_, 0, nullptr, nullptr);
        api_.finish(queue_.get());
    }
    std::byte* host_pointer() override { return static_cast<std::byte*>(pointer_); }
    std::size_t bytes() const override { return bytes_; }
    std::size_t page_bytes() const override { return 0; }

  private:
    const Api& api_;
    QueueHandle queue_;
    BufferHandle buffer_;
    std::size_t bytes_;
    void* pointer_ = nullptr;
};

class OpenClDevice final : public Accelerator {
  public:
    OpenClDevice(const Api& api, ListedDevice listed)
        : api_(api),
          device_(listed.device),
          info_(std::move(listed.info)),
          extensions_(" " + device_text(api, device_, CL_DEVICE_EXTENSIONS) + " "),
          context_(make_context(api, listed)),
          queue_(api, context_.get(), device_) {
        require(api_.get_device_info(device_, CL_DEVICE_MAX_MEM_ALLOC_SIZE, sizeof largest_buffer_,
                                     &largest_buffer_, nullptr),
                "clGetDeviceInfo of CL_DEVICE_MAX_MEM_ALLOC_SIZE");
    }

    const DeviceInfo& info() const override { return info_; }

    std::unique_ptr<DeviceMemory> allocate(std::size_t bytes, bool huge_pages) override {
        if (bytes == 0)
            throw std::system_error(EINVAL, std::generic_category(), "allocate 0 bytes of " + info_.id);
        if (bytes > largest_buffer_)
            throw std::system_error(ENOMEM, std::generic_category(),
                                    "allocate " + std::to_string(bytes) + " bytes of " + info_.id +
                                        ", whose driver gives at most " + std::to_string(largest_buffer_) +
                                        " at once");
        if (huge_pages && !is_card()) return in_host_memory(bytes);
        return std::make_unique<Memory>(buffer(CL_MEM_READ_WRITE, bytes), bytes);
    }

    Kernel& kernel(std::string_view program, const std::string& function,
                   const std::string& options) override {
        const std::string key = std::string(program) + "\n" + options;
        std::unique_ptr<LoadedKernel>& loaded = kernels_[key + "\n" + function];
        if (!loaded) {
            cl_int error = CL_SUCCESS;
            KernelHandle handle{api_, api_.create_kernel(built(program, options), function.c_str(), &error)};
            require(error, "clCreateKernel of " + function);
            loaded = std::make_unique<LoadedKernel>(std::move(handle));
        }
        return *loaded;
    }

    bool has_extension(std::string_view name) const override {
        return extensions_.find(" " + std::string(name) + " ") != std::string::npos;
    }

    Queue& queue() override { return queue_; }
    std::unique_ptr<Queue> make_queue() override {
        return std::make_unique<CommandQueue>(api_, context_.get(), device_);
    }

    std::unique_ptr<DeviceMemory> allocate_host(std::size_t bytes, bool pinned) override {
        if (!pinned) return open_cpu_device()->allocate(bytes, false);
        cl_int error = CL_SUCCESS;
        QueueHandle queue{api_, api_.create_command_queue(context_.get(), device_, 0, &error)};
        require(error, "clCreateCommandQueue");
        return std::make_unique<MappedMemory>(
            api_, std::move(queue), buffer(CL_MEM_READ_WRITE | CL_MEM_ALLOC_HOST_PTR, bytes), bytes);
    }
    std::uint64_t address(const DeviceMemory&) const override { return 0; }
    Telemetry* telemetry() override { return telemetry_.of(info_); }
    bool reach(Accelerator&) override { return false; }

  private:
    static ContextHandle make_context(const Api& api, const ListedDevice& listed) {
        const cl_context_properties properties[] = {
            CL_CONTEXT_PLATFORM, reinterpret_cast<cl_context_properties>(listed.platform), 0};
        cl_int error = CL_SUCCESS;
        ContextHandle context{api,
                              api.create_context(properties, 1, &listed.device, nullptr, nullptr, &error)};
        require(error, "clCreateContext");
        return context;
    }

    /// For a device that computes on the CPU: it takes memory as it is given.
    std::unique_ptr<DeviceMemory> in_host_memory(std::size_t bytes) {
        std::unique_ptr<DeviceMemory> host = open_cpu_device()->allocate(bytes, true);
        BufferHandle made = buffer(CL_MEM_READ_WRITE | CL_MEM_USE_HOST_PTR, bytes, host->host_pointer());
        return std::make_unique<Memory>(std::move(made), std::move(host));
    }

    BufferHandle buffer(cl_mem_flags flags, std::size_t bytes, void* host = nullptr) {
        cl_int error = CL_SUCCESS;
        BufferHandle made{api_, api_.create_buffer(context_.get(), flags, bytes, host, &error)};
        require(error, "clCreateBuffer of " + std::to_string(bytes) + " bytes");
        return made;
    }

    cl_program built(std::string_view program, const std::string& options) {
        ProgramHandle& present = programs_[std::string(program) + "\n" + options];
        if (present) return present.get();
        const std::string name = "opencl/" + std::string(program) + ".cl";
        const std::optional<std::string_view> source = kernels::embedded_program(name);
        if (!source) throw DeviceError("this build has no program " + name);
        const char* text = source->data();
        const std::size_t length = source->size();
        cl_int error = CL_SUCCESS;
        ProgramHandle made{api_, api_.create_program_with_source(context_.get(), 1, &text, &length, &error)};
        require(error, "clCreateProgramWithSource of " + name);
        // Every device takes OpenCL C 1.2; who needs more says so.
        const bool told = options.find("-cl-std=") != std::string::npos;
        error = api_.build_program(made.get(), 1, &device_,
                                   ((told ? "" : "-cl-std=CL1.2 ") + options).c_str(), nullptr, nullptr);
        if (error != CL_SUCCESS)
            throw DeviceError("kernel program " + name + " does not build (" + error_name(error) +
                              "); the compiler says: " + build_log(made.get()));
        present = std::move(made);
        return present.get();
    }

    std::string build_log(cl_program program) const {
        std::size_t bytes = 0;
        api_.get_program_build_info(program, device_, CL_PROGRAM_BUILD_LOG, 0, nullptr, &bytes);
        std::string log(bytes, '\0');
        api_.get_program_build_info(program, device_, CL_PROGRAM_BUILD_LOG, bytes, log.data(), nullptr);
        while (!log.empty() && (log.back() == '\0' || log.back() == '\n')) log.pop_back();
        return log;
    }

    const Api& api_;
    cl_device_id device_;
    DeviceInfo info_;
    LazyTelemetry telemetry_;
    std::string extensions_;
    cl_ulong largest_buffer_ = 0;
    ContextHandle context_;
    std::map<std::string, ProgramHandle> programs_;
    std::map<std::string, std::unique_ptr<LoadedKernel>> kernels_;
    CommandQueue queue_;
};

}  // namespace

std::variant<std::unique_ptr<Device>, Absent> open_opencl_device(std::size_t number) {
    Listing listing = list_devices();
    if (number < listing.devices.size())
        return std::make_unique<OpenClDevice>(*std::get<const Api*>(api()),
                                              std::move(listing.devices[number]));
    std::string reason = "there is no opencl:" + std::to_string(number);
    if (!listing.devices.empty())
        reason += ": OpenCL lists " + std::to_string(listing.devices.size()) + " device" +
                  (listing.devices.size() == 1 ? "" : "s") + ", counted from opencl:0";
    for (const std::string& absence : listing.absences) reason += "; " + absence;
    return Absent{reason};
}

}  // namespace assay::opencl
