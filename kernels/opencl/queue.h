#pragma once

#include <memory>
#include <vector>

#include "kernels/device/accelerator.h"
#include "kernels/opencl/handle.h"

namespace assay::opencl {

class LoadedKernel final : public Kernel {
  public:
    explicit LoadedKernel(KernelHandle kernel) : kernel_(std::move(kernel)) {}
    cl_kernel get() const { return kernel_.get(); }

  private:
    KernelHandle kernel_;
};

/// An in-order command queue with profiling. A mark is told by the commands around it, whose times every
/// implementation reports; not all report those of a marker.
class CommandQueue final : public Queue {
  public:
    CommandQueue(const Api& api, cl_context context, cl_device_id device);
    ~CommandQueue() override;

    void launch(Kernel& kernel, const Grid& grid, std::span<const KernelArgument> arguments) override;
    void write(DeviceMemory& to, std::size_t offset, const void* from, std::size_t bytes) override;
    void read(void* to, const DeviceMemory& from, std::size_t offset, std::size_t bytes) override;
    void copy(DeviceMemory& to, std::size_t to_offset, const DeviceMemory& from, std::size_t from_offset,
              std::size_t bytes) override;
    void fill(DeviceMemory& to, std::size_t offset, std::size_t bytes, std::uint8_t value) override;
    std::unique_ptr<Mark> mark() override;
    std::unique_ptr<Gate> hold() override;
    void finish() override;
    double seconds_between(const Mark& begin, const Mark& end) override;

  private:
    using Event = std::shared_ptr<EventHandle>;
    struct Place;  ///< the commands before and after a mark
    class PlaceMark;

    void queued(cl_event event);

    const Api& api_;
    cl_context context_;
    QueueHandle queue_;
    Event last_;                                  ///< of the last command
    std::vector<Event> unseen_;                   ///< of those whose end nobody has looked at
    std::vector<std::weak_ptr<Place>> awaiting_;  ///< marks that no command follows as yet
};

}  // namespace assay::opencl
