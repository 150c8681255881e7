#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "kernels/device/accelerator.h"

namespace assay {

/// What goes wrong; counted over the accelerator's life. Negative: never.
struct Faults {
    int lost_at_launch = -1;             ///< from this launch on every call says that the device is lost
    int out_of_memory_at_allocate = -1;  ///< from this allocation on there is no memory
    std::uint64_t memory_bytes = 0;      ///< all that can be allocated together; 0: what the device has
    int launch_not_made = -1;            ///< this launch and all later ones do nothing: results are not there
    std::uint64_t wrong_byte_at = 0;     ///< with `wrong_bits`: what is read at this offset is changed
    std::uint8_t wrong_bits = 0;
    std::string missing_kernels = {};  ///< those whose names begin so do not build
    int repeats_from_allocate = -1;  ///< from this allocation on memory is that of the first one of its size
};

/// Memory that others may be, too.
class SharedMemory final : public DeviceMemory {
  public:
    explicit SharedMemory(std::shared_ptr<DeviceMemory> real) : real_(std::move(real)) {}
    std::byte* host_pointer() override { return real_->host_pointer(); }
    std::size_t bytes() const override { return real_->bytes(); }
    std::size_t page_bytes() const override { return real_->page_bytes(); }
    const std::shared_ptr<DeviceMemory>& real() const { return real_; }

  private:
    std::shared_ptr<DeviceMemory> real_;
};

/// A device as it is, but for planted faults.
class FaultyAccelerator final : public Accelerator {
  public:
    FaultyAccelerator(std::unique_ptr<Device> device, Faults faults)
        : device_(std::move(device)),
          inner_(*device_->accelerator()),
          info_(inner_.info()),
          faults_(faults),
          queue_(*this, inner_.queue()) {}

    /// What the device says it is: tests make a GPU of PoCL.
    DeviceInfo& described() { return info_; }
    int launches() const { return launches_; }
    /// Bytes that queues wrote, read, copied or filled.
    std::uint64_t moved_bytes() const { return moved_bytes_; }

    const DeviceInfo& info() const override { return info_; }
    std::unique_ptr<DeviceMemory> allocate(std::size_t bytes, bool huge_pages) override {
        const bool full = faults_.memory_bytes != 0 && allocated_ + bytes > faults_.memory_bytes;
        if (full ||
            (faults_.out_of_memory_at_allocate >= 0 && allocations_ >= faults_.out_of_memory_at_allocate))
            throw DeviceError("clCreateBuffer of " + std::to_string(bytes) + " bytes: planted, no memory",
                              false, true);
        const int number = allocations_++;
        allocated_ += bytes;
        if (faults_.repeats_from_allocate < 0) return inner_.allocate(bytes, huge_pages);
        for (const std::shared_ptr<DeviceMemory>& first : repeated_)
            if (number >= faults_.repeats_from_allocate && first->bytes() == bytes)
                return std::make_unique<SharedMemory>(first);
        repeated_.push_back(inner_.allocate(bytes, huge_pages));
        return std::make_unique<SharedMemory>(repeated_.back());
    }
    Kernel& kernel(std::string_view program, const std::string& function,
                   const std::string& options) override {
        if (!faults_.missing_kernels.empty() && function.starts_with(faults_.missing_kernels))
            throw DeviceError(function + ": planted, does not build");
        return inner_.kernel(program, function, options);
    }
    std::optional<std::uint64_t> free_bytes() const override { return inner_.free_bytes(); }
    bool has_extension(std::string_view name) const override { return inner_.has_extension(name); }
    Queue& queue() override { return queue_; }
    std::unique_ptr<Queue> make_queue() override {
        return std::make_unique<OwningQueue>(*this, inner_.make_queue());
    }
    std::unique_ptr<DeviceMemory> allocate_host(std::size_t bytes, bool pinned) override {
        return inner_.allocate_host(bytes, pinned);
    }
    std::uint64_t address(const DeviceMemory& memory) const override { return inner_.address(real(memory)); }
    Telemetry* telemetry() override { return watched != nullptr ? watched : inner_.telemetry(); }
    bool reach(Accelerator& other) override { return inner_.reach(other); }

    Telemetry* watched = nullptr;  ///< stands for the device's own

  private:
    static DeviceMemory& real(DeviceMemory& memory) {
        SharedMemory* const shared = dynamic_cast<SharedMemory*>(&memory);
        return shared != nullptr ? *shared->real() : memory;
    }
    static const DeviceMemory& real(const DeviceMemory& memory) {
        return real(const_cast<DeviceMemory&>(memory));
    }

    class FaultyQueue : public Queue {
      public:
        FaultyQueue(FaultyAccelerator& owner, Queue& inner) : owner_(owner), inner_(inner) {}
        void launch(Kernel& kernel, const Grid& grid, std::span<const KernelArgument> arguments) override {
            const int number = owner_.launches_++;
            if (owner_.faults_.lost_at_launch >= 0 && number >= owner_.faults_.lost_at_launch)
                owner_.lost_ = true;
            require_present();
            if (owner_.faults_.launch_not_made >= 0 && number >= owner_.faults_.launch_not_made) return;
            std::vector<KernelArgument> given(arguments.begin(), arguments.end());
            for (KernelArgument& argument : given)
                if (const DeviceMemory** memory = std::get_if<const DeviceMemory*>(&argument))
                    *memory = *memory != nullptr ? &real(**memory) : nullptr;
            inner_.launch(kernel, grid, given);
        }
        void write(DeviceMemory& to, std::size_t offset, const void* from, std::size_t bytes) override {
            require_present();
            owner_.moved_bytes_ += bytes;
            inner_.write(real(to), offset, from, bytes);
        }
        void read(void* to, const DeviceMemory& from, std::size_t offset, std::size_t bytes) override {
            require_present();
            owner_.moved_bytes_ += bytes;
            inner_.read(to, real(from), offset, bytes);
            const std::uint64_t at = owner_.faults_.wrong_byte_at;
            if (owner_.faults_.wrong_bits == 0 || at < offset || at >= offset + bytes) return;
            inner_.finish();
            static_cast<std::uint8_t*>(to)[at - offset] ^= owner_.faults_.wrong_bits;
        }
        void copy(DeviceMemory& to, std::size_t to_offset, const DeviceMemory& from, std::size_t from_offset,
                  std::size_t bytes) override {
            require_present();
            owner_.moved_bytes_ += bytes;
            inner_.copy(real(to), to_offset, real(from), from_offset, bytes);
        }
        void fill(DeviceMemory& to, std::size_t offset, std::size_t bytes, std::uint8_t value) override {
            require_present();
            owner_.moved_bytes_ += bytes;
            inner_.fill(real(to), offset, bytes, value);
        }
        std::unique_ptr<Mark> mark() override { return inner_.mark(); }
        std::unique_ptr<Gate> hold() override { return inner_.hold(); }
        void finish() override {
            require_present();
            inner_.finish();
        }
        double seconds_between(const Mark& begin, const Mark& end) override {
            return inner_.seconds_between(begin, end);
        }
        void* native() override { return inner_.native(); }

      private:
        void require_present() const {
            if (owner_.lost_) throw DeviceError("planted: the device is lost", true);
        }
        FaultyAccelerator& owner_;
        Queue& inner_;
    };
    struct QueueOwner {
        std::unique_ptr<Queue> owned;
    };
    class OwningQueue final : private QueueOwner, public FaultyQueue {
      public:
        OwningQueue(FaultyAccelerator& owner, std::unique_ptr<Queue> inner)
            : QueueOwner{std::move(inner)}, FaultyQueue(owner, *owned) {}
    };

    std::unique_ptr<Device> device_;
    Accelerator& inner_;
    DeviceInfo info_;
    Faults faults_;
    FaultyQueue queue_;
    int launches_ = 0, allocations_ = 0;
    std::uint64_t allocated_ = 0, moved_bytes_ = 0;
    bool lost_ = false;
    std::vector<std::shared_ptr<DeviceMemory>> repeated_;
};

}  // namespace assay
