#pragma once

#include <memory>
#include <utility>

#include "kernels/cuda/context.h"
#include "kernels/device/accelerator.h"

namespace assay::cuda {

/// Memory that has an address on a device.
class Memory : public DeviceMemory {
  public:
    Address address() const { return address_; }
    const CardContext& context() const { return *context_; }
    std::size_t bytes() const final { return bytes_; }
    std::size_t page_bytes() const final { return 0; }

  protected:
    Memory(std::shared_ptr<const CardContext> context, std::size_t bytes)
        : context_(std::move(context)), bytes_(bytes) {}
    std::shared_ptr<const CardContext> context_;
    Address address_ = 0;

  private:
    std::size_t bytes_;
};

/// A card's own.
class CardMemory final : public Memory {
  public:
    CardMemory(std::shared_ptr<const CardContext> context, std::size_t bytes)
        : Memory(std::move(context), bytes) {
        context_->enter();
        context_->require_done(context_->driver().mem_alloc(&address_, bytes),
                               "cuMemAlloc of " + std::to_string(bytes) + " bytes");
    }
    ~CardMemory() override {
        // A lost device refuses; its memory goes with the process.
        if (context_->driver().ctx_set_current(context_->get()) == error::none)
            context_->driver().mem_free(address_);
    }
    std::byte* host_pointer() override { return nullptr; }
};

/// The host's, page-locked, which every device reaches.
class PinnedMemory final : public Memory {
  public:
    PinnedMemory(std::shared_ptr<const CardContext> context, std::size_t bytes)
        : Memory(std::move(context), bytes) {
        const Driver& driver = context_->driver();
        context_->enter();
        context_->require_done(
            driver.mem_host_alloc(&pointer_, bytes, host_alloc_portable | host_alloc_device_map),
            "cuMemHostAlloc of " + std::to_string(bytes) + " bytes");
        if (const Result mapped = driver.mem_host_get_device_pointer(&address_, pointer_, 0);
            mapped != error::none) {
            driver.mem_free_host(pointer_);
            context_->require_done(mapped, "cuMemHostGetDevicePointer");
        }
    }
    ~PinnedMemory() override {
        if (context_->driver().ctx_set_current(context_->get()) == error::none)
            context_->driver().mem_free_host(pointer_);
    }
    std::byte* host_pointer() override { return static_cast<std::byte*>(pointer_); }

  private:
    void* pointer_ = nullptr;
};

/// Memory that this interface made; DeviceError for other memory.
inline const Memory& own_memory(const DeviceMemory& memory) {
    const Memory* const own = dynamic_cast<const Memory*>(&memory);
    if (own == nullptr) throw DeviceError("memory of another interface was given to a CUDA device");
    return *own;
}

/// Where `offset` of it is; DeviceError where [offset, offset + bytes) is not in it: drivers do not tell.
inline Address place_in(const DeviceMemory& memory, std::size_t offset, std::size_t bytes) {
    const Memory& own = own_memory(memory);
    if (offset > own.bytes() || bytes > own.bytes() - offset)
        throw DeviceError("bytes " + std::to_string(offset) + " to " + std::to_string(offset + bytes) +
                          " of memory of " + std::to_string(own.bytes()) + " bytes");
    return own.address() + offset;
}

}  // namespace assay::cuda
