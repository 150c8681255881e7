#include "kernels/cuda/queue.h"

#include <atomic>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>
#include <vector>

namespace assay::cuda {

class GateFlags {
  public:
    static constexpr std::size_t count = 256;

    explicit GateFlags(std::shared_ptr<const CardContext> context)
        : memory_(std::move(context), 2 * count * sizeof(std::uint32_t)) {
        for (std::size_t i = 0; i < 2 * count; ++i) word(i) = 0;
    }
    /// The next one in turn, closed.
    std::size_t next() {
        const std::size_t flag = next_++ % count;
        at(flag).store(0);
        expired_at(flag).store(0);
        return flag;
    }
    bool all_used() const { return next_ != 0 && next_ % count == 0; }
    void open(std::size_t flag) { at(flag).store(1); }
    void open_all() {
        for (std::size_t flag = 0; flag < count; ++flag) open(flag);
    }
    bool expired(std::size_t flag) { return expired_at(flag).load() != 0; }
    Address address(std::size_t flag) const { return memory_.address() + flag * sizeof(std::uint32_t); }
    Address expired_address(std::size_t flag) const { return address(count + flag); }

  private:
    std::uint32_t& word(std::size_t index) {
        return reinterpret_cast<std::uint32_t*>(memory_.host_pointer())[index];
    }
    std::atomic_ref<std::uint32_t> at(std::size_t flag) { return std::atomic_ref(word(flag)); }
    std::atomic_ref<std::uint32_t> expired_at(std::size_t flag) {
        return std::atomic_ref(word(count + flag));
    }

    PinnedMemory memory_;
    std::size_t next_ = 0;
};

namespace {

class SpinGate final : public Gate {
  public:
    SpinGate(std::shared_ptr<GateFlags> flags, std::size_t flag) : flags_(std::move(flags)), flag_(flag) {}
    ~SpinGate() override { flags_->open(flag_); }
    void open() override {
        flags_->open(flag_);
        if (flags_->expired(flag_))
            throw DeviceError(
                "a queue was held back for longer than " + std::to_string(StreamQueue::longest_hold.count()) +
                " s and went on before its gate was opened (with "
                "CUDA_LAUNCH_BLOCKING=1, or under a profiler, no call returns before it is done)");
    }

  private:
    std::shared_ptr<GateFlags> flags_;
    std::size_t flag_;
};

class EventMark final : public Mark {
  public:
    explicit EventMark(std::shared_ptr<const CardContext> context) : context_(std::move(context)) {
        context_->require_done(context_->driver().event_create(&event_, event_default), "cuEventCreate");
    }
    ~EventMark() override { context_->driver().event_destroy(event_); }
    Event get() const { return event_; }

  private:
    std::shared_ptr<const CardContext> context_;
    Event event_ = nullptr;
};

unsigned dimension(std::size_t value) {
    if (value > std::numeric_limits<unsigned>::max())
        throw DeviceError("a grid of " + std::to_string(value) + " blocks is more than CUDA takes");
    return static_cast<unsigned>(value);
}

}  // namespace

StreamQueue::StreamQueue(std::shared_ptr<const CardContext> context, LoadedKernel& spin)
    : context_(std::move(context)), driver_(context_->driver()), spin_(spin) {
    context_->enter();
    context_->require_done(driver_.stream_create(&stream_, stream_non_blocking), "cuStreamCreate");
}

StreamQueue::~StreamQueue() {
    if (flags_) flags_->open_all();
    if (driver_.ctx_set_current(context_->get()) != error::none) return;
    // Work may still use what its owners free next.
    driver_.stream_synchronize(stream_);
    driver_.stream_destroy(stream_);
}

void StreamQueue::launch(Kernel& kernel, const Grid& grid, std::span<const KernelArgument> arguments) {
    const LoadedKernel& own = static_cast<LoadedKernel&>(kernel);
    // Each argument in eight bytes of its own, of which the kernel takes as many as its parameter has.
    std::vector<std::uint64_t> values(arguments.size());
    std::vector<void*> parameters(arguments.size());
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        parameters[i] = &values[i];
        std::visit(
            [&](const auto& value) {
                using Value = std::decay_t<decltype(value)>;
                if constexpr (std::is_same_v<Value, const DeviceMemory*>)
                    values[i] = value != nullptr ? own_memory(*value).address() : 0;
                else
                    std::memcpy(&values[i], &value, sizeof value);
            },
            arguments[i]);
    }
    context_->enter();
    context_->require_done(
        driver_.launch_kernel(own.get(), dimension(grid.groups_x), dimension(grid.groups_y), 1,
                              dimension(grid.group_x), dimension(grid.group_y), 1, 0, stream_,
                              parameters.data(), nullptr),
        "cuLaunchKernel of " + own.name());
}

void StreamQueue::write(DeviceMemory& to, std::size_t offset, const void* from, std::size_t bytes) {
    const Address place = place_in(to, offset, bytes);
    context_->enter();
    context_->require_done(driver_.memcpy_htod_async(place, from, bytes, stream_), "cuMemcpyHtoDAsync");
}

void StreamQueue::read(void* to, const DeviceMemory& from, std::size_t offset, std::size_t bytes) {
    const Address place = place_in(from, offset, bytes);
    context_->enter();
    context_->require_done(driver_.memcpy_dtoh_async(to, place, bytes, stream_), "cuMemcpyDtoHAsync");
}

void StreamQueue::copy(DeviceMemory& to, std::size_t to_offset, const DeviceMemory& from,
                       std::size_t from_offset, std::size_t bytes) {
    const Address target = place_in(to, to_offset, bytes), source = place_in(from, from_offset, bytes);
    const CardContext &target_card = own_memory(to).context(), &source_card = own_memory(from).context();
    context_->enter();
    if (&target_card == &source_card)
        context_->require_done(driver_.memcpy_dtod_async(target, source, bytes, stream_),
                               "cuMemcpyDtoDAsync");
    else
        context_->require_done(
            driver_.memcpy_peer_async(target, target_card.get(), source, source_card.get(), bytes, stream_),
            "cuMemcpyPeerAsync");
}

void StreamQueue::fill(DeviceMemory& to, std::size_t offset, std::size_t bytes, std::uint8_t value) {
    const Address place = place_in(to, offset, bytes);
    context_->enter();
    context_->require_done(driver_.memset_d8_async(place, value, bytes, stream_), "cuMemsetD8Async");
}

std::unique_ptr<Mark> StreamQueue::mark() {
    context_->enter();
    std::unique_ptr<EventMark> made = std::make_unique<EventMark>(context_);
    context_->require_done(driver_.event_record(made->get(), stream_), "cuEventRecord");
    return made;
}

std::unique_ptr<Gate> StreamQueue::hold() {
    if (!flags_) flags_ = std::make_shared<GateFlags>(context_);
    if (flags_->all_used()) finish();
    const std::size_t flag = flags_->next();
    std::unique_ptr<SpinGate> gate = std::make_unique<SpinGate>(flags_, flag);
    Address waited_for = flags_->address(flag), expired = flags_->expired_address(flag);
    std::uint64_t limit_ns = std::chrono::nanoseconds(longest_hold).count();
    void* parameters[] = {&waited_for, &expired, &limit_ns};
    context_->enter();
    context_->require_done(
        driver_.launch_kernel(spin_.get(), 1, 1, 1, 1, 1, 1, 0, stream_, parameters, nullptr),
        "cuLaunchKernel of " + spin_.name());
    return gate;
}

void StreamQueue::finish() {
    context_->enter();
    context_->require_done(driver_.stream_synchronize(stream_), "cuStreamSynchronize");
}

double StreamQueue::seconds_between(const Mark& begin, const Mark& end) {
    context_->enter();
    float milliseconds = 0;
    context_->require_done(
        driver_.event_elapsed_time(&milliseconds, static_cast<const EventMark&>(begin).get(),
                                   static_cast<const EventMark&>(end).get()),
        "cuEventElapsedTime");
    return static_cast<double>(milliseconds) * 1e-3;
}

}  // namespace assay::cuda
