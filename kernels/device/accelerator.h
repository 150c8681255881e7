#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>

#include "kernels/device/device.h"
#include "kernels/device/telemetry.h"

namespace assay {

/// A kernel of an embedded program, ready to be launched. Lives as long as its accelerator.
class Kernel {
  public:
    virtual ~Kernel() = default;
};

/// One argument of a kernel, in the order of its parameters. Null memory is a null pointer.
using KernelArgument =
    std::variant<const DeviceMemory*, std::int32_t, std::uint32_t, std::int64_t, std::uint64_t, float>;

/// How many work-groups (CUDA: blocks), of how many work-items (threads) each.
struct Grid {
    std::size_t groups_x = 1, groups_y = 1;
    std::size_t group_x = 1, group_y = 1;
};

/// A place in a queue.
class Mark {
  public:
    virtual ~Mark() = default;
};

/// Holds a queue back until opened, so that what is queued meanwhile runs without waiting for the host. Opens
/// when destroyed.
class Gate {
  public:
    virtual ~Gate() = default;
    virtual void open() = 0;
};

/// Work in order. Calls return when the work is queued, but for `finish`; host memory handed over must stay
/// until then. Every function throws DeviceError where the driver reports one, of this or of earlier work.
class Queue {
  public:
    virtual ~Queue() = default;
    virtual void launch(Kernel& kernel, const Grid& grid, std::span<const KernelArgument> arguments) = 0;
    virtual void write(DeviceMemory& to, std::size_t offset, const void* from, std::size_t bytes) = 0;
    virtual void read(void* to, const DeviceMemory& from, std::size_t offset, std::size_t bytes) = 0;
    /// Either may be of another device of the same interface.
    virtual void copy(DeviceMemory& to, std::size_t to_offset, const DeviceMemory& from,
                      std::size_t from_offset, std::size_t bytes) = 0;
    virtual void fill(DeviceMemory& to, std::size_t offset, std::size_t bytes, std::uint8_t value) = 0;
    virtual std::unique_ptr<Mark> mark() = 0;
    virtual std::unique_ptr<Gate> hold() = 0;
    virtual void finish() = 0;
    /// By the device's clock, between two marks of this queue that it has passed (after finish()): from the
    /// start of the first work after `begin` to the end of the last work before `end`.
    virtual double seconds_between(const Mark& begin, const Mark& end) = 0;
    /// What a library of the vendor takes for a queue (CUDA's stream); null where there is none.
    virtual void* native() { return nullptr; }
};

/// What the driver or a library of it reported. `lost`: the device can do nothing more in this process.
class DeviceError : public std::runtime_error {
  public:
    explicit DeviceError(const std::string& what, bool lost = false, bool out_of_memory = false)
        : std::runtime_error(what), lost_(lost), out_of_memory_(out_of_memory) {}
    bool lost() const { return lost_; }
    bool out_of_memory() const { return out_of_memory_; }

  private:
    bool lost_, out_of_memory_;
};

/// A device that work is handed to, with memory of its own.
class Accelerator : public Device {
  public:
    Accelerator* accelerator() final { return this; }
    /// True for cards, which keep their own memory; false where kernels run on the host's CPUs (PoCL).
    bool is_card() const { return info().kind != "cpu"; }

    /// The kernel `function` of the embedded program `program` (kernels/opencl/PROGRAM.cl or
    /// kernels/cuda/PROGRAM.cu). `options` are compiler options of OpenCL ("-DWIDTH=4"); CUDA's programs hold
    /// every form under a name of its own and ignore them. Compiled once per program and options. Throws
    /// DeviceError with the compiler's log where it does not build.
    virtual Kernel& kernel(std::string_view program, const std::string& function,
                           const std::string& options = {}) = 0;
    /// True when the device has it: an OpenCL extension ("cl_khr_fp16"); CUDA has none and says false.
    virtual bool has_extension(std::string_view name) const = 0;

    /// The queue that is there from the start.
    virtual Queue& queue() = 0;
    /// One more, whose work runs beside the others'.
    virtual std::unique_ptr<Queue> make_queue() = 0;

    /// Host memory that the device reads and writes directly: `pinned` is page-locked by the driver; else
    /// plain pages. host_pointer() is never null.
    virtual std::unique_ptr<DeviceMemory> allocate_host(std::size_t bytes, bool pinned) = 0;
    /// Its address on the device, for a library of the same vendor (CUDA); 0 where there is none (OpenCL).
    virtual std::uint64_t address(const DeviceMemory& memory) const = 0;
    /// Bytes of its own memory that nobody uses just now; nothing where the driver does not tell (OpenCL's).
    virtual std::optional<std::uint64_t> free_bytes() const { return std::nullopt; }
    /// What watches it while it works; null where nothing tells.
    virtual Telemetry* telemetry() { return nullptr; }
    /// Makes memory of `other` reachable without a detour by the host. False: copies go by the host.
    virtual bool reach(Accelerator& other) = 0;
};

/// Seconds of `enqueue`'s work by the device's clock, all of it done.
double timed(Queue& queue, const std::function<void()>& enqueue);

}  // namespace assay
