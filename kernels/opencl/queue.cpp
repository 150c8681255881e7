#include "kernels/opencl/queue.h"

#include <array>
#include <type_traits>
#include <utility>

#include "kernels/opencl/memory.h"

namespace assay::opencl {

struct CommandQueue::Place {
    Event before, after;
};

class CommandQueue::PlaceMark final : public Mark {
  public:
    explicit PlaceMark(std::shared_ptr<Place> where) : place(std::move(where)) {}
    std::shared_ptr<Place> place;
};

namespace {

/// A user event that the queue's next command waits for.
class UserEventGate final : public Gate {
  public:
    UserEventGate(const Api& api, EventHandle event) : api_(api), event_(std::move(event)) {}
    ~UserEventGate() override { release(); }
    void open() override { require(release(), "clSetUserEventStatus"); }

  private:
    cl_int release() {
        if (opened_) return CL_SUCCESS;
        opened_ = true;
        return api_.set_user_event_status(event_.get(), CL_COMPLETE);
    }

    const Api& api_;
    EventHandle event_;
    bool opened_ = false;
};

cl_ulong time_of(const Api& api, cl_event event, cl_profiling_info what) {
    cl_ulong time = 0;
    require(api.get_event_profiling_info(event, what, sizeof time, &time, nullptr),
            "clGetEventProfilingInfo");
    return time;
}

}  // namespace

CommandQueue::CommandQueue(const Api& api, cl_context context, cl_device_id device)
    : api_(api), context_(context) {
    cl_int error = CL_SUCCESS;
    queue_ = {api_, api_.create_command_queue(context, device, CL_QUEUE_PROFILING_ENABLE, &error)};
    require(error, "clCreateCommandQueue");
}

CommandQueue::~CommandQueue() {
    // Work may still use what its owners free next.
    api_.finish(queue_.get());
}

void CommandQueue::queued(cl_event event) {
    last_ = std::make_shared<EventHandle>(api_, event);
    unseen_.push_back(last_);
    for (const std::weak_ptr<Place>& waiting : awaiting_)
        if (const std::shared_ptr<Place> place = waiting.lock()) place->after = last_;
    awaiting_.clear();
}

void CommandQueue::launch(Kernel& kernel, const Grid& grid, std::span<const KernelArgument> arguments) {
    const cl_kernel own = static_cast<LoadedKernel&>(kernel).get();
    cl_uint index = 0;
    for (const KernelArgument& argument : arguments) {
        const cl_int error = std::visit(
            [&](const auto& value) {
                using Value = std::decay_t<decltype(value)>;
                if constexpr (std::is_same_v<Value, const DeviceMemory*>) {
                    const cl_mem buffer = value != nullptr ? buffer_of(*value) : nullptr;
                    return api_.set_kernel_arg(own, index, sizeof buffer, &buffer);
                } else {
                    return api_.set_kernel_arg(own, index, sizeof value, &value);
                }
            },
            argument);
        require(error, "clSetKernelArg of argument " + std::to_string(index));
        ++index;
    }
    const std::array<std::size_t, 2> global = {grid.groups_x * grid.group_x, grid.groups_y * grid.group_y};
    const std::array<std::size_t, 2> local = {grid.group_x, grid.group_y};
    cl_event event = nullptr;
    require(api_.enqueue_nd_range_kernel(queue_.get(), own, 2, nullptr, global.data(), local.data(), 0,
                                         nullptr, &event),
            "clEnqueueNDRangeKernel");
    queued(event);
}

void CommandQueue::write(DeviceMemory& to, std::size_t offset, const void* from, std::size_t bytes) {
    cl_event event = nullptr;
    require(api_.enqueue_write_buffer(queue_.get(), buffer_of(to), CL_FALSE, offset, bytes, from, 0, nullptr,
                                      &event),
            "clEnqueueWriteBuffer");
    queued(event);
}

void CommandQueue::read(void* to, const DeviceMemory& from, std::size_t offset, std::size_t bytes) {
    cl_event event = nullptr;
    require(api_.enqueue_read_buffer(queue_.get(), buffer_of(from), CL_FALSE, offset, bytes, to, 0, nullptr,
                                     &event),
            "clEnqueueReadBuffer");
    queued(event);
}

void CommandQueue::copy(DeviceMemory& to, std::size_t to_offset, const DeviceMemory& from,
                        std::size_t from_offset, std::size_t bytes) {
    cl_event event = nullptr;
    require(api_.enqueue_copy_buffer(queue_.get(), buffer_of(from), buffer_of(to), from_offset, to_offset,
                                     bytes, 0, nullptr, &event),
            "clEnqueueCopyBuffer");
    queued(event);
}

void CommandQueue::fill(DeviceMemory& to, std::size_t offset, std::size_t bytes, std::uint8_t value) {
    cl_event event = nullptr;
    require(api_.enqueue_fill_buffer(queue_.get(), buffer_of(to), &value, sizeof value, offset, bytes, 0,
                                     nullptr, &event),
            "clEnqueueFillBuffer");
    queued(event);
}

std::unique_ptr<Mark> CommandQueue::mark() {
    const std::shared_ptr<Place> place = std::make_shared<Place>();
    place->before = last_;
    awaiting_.push_back(place);
    return std::make_unique<PlaceMark>(place);
}

std::unique_ptr<Gate> CommandQueue::hold() {
    cl_int error = CL_SUCCESS;
    EventHandle event{api_, api_.create_user_event(context_, &error)};
    require(error, "clCreateUserEvent");
    const cl_event waited_for = event.get();
    require(api_.enqueue_barrier_with_wait_list(queue_.get(), 1, &waited_for, nullptr),
            "clEnqueueBarrierWithWaitList");
    return std::make_unique<UserEventGate>(api_, std::move(event));
}

void CommandQueue::finish() {
    require(api_.finish(queue_.get()), "clFinish");
    // clFinish says nothing of commands that failed, nor does a command of those before it.
    const std::vector<Event> ended = std::exchange(unseen_, {});
    for (const Event& event : ended) {
        cl_int status = CL_COMPLETE;
        require(api_.get_event_info(event->get(), CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof status, &status,
                                    nullptr),
                "clGetEventInfo");
        if (status < 0) require(status, "a queued command");
    }
}

double CommandQueue::seconds_between(const Mark& begin, const Mark& end) {
    const Place& first = *static_cast<const PlaceMark&>(begin).place;
    const Place& last = *static_cast<const PlaceMark&>(end).place;
    if (!first.after || !last.before) return 0;  // nothing was queued between them
    const cl_ulong started = time_of(api_, first.after->get(), CL_PROFILING_COMMAND_START);
    const cl_ulong ended = time_of(api_, last.before->get(), CL_PROFILING_COMMAND_END);
    return ended > started ? static_cast<double>(ended - started) * 1e-9 : 0;
}

}  // namespace assay::opencl
