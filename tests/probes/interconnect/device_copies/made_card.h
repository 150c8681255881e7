#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "kernels/device/accelerator.h"

namespace assay::interconnect {

/// PoCL, which the tests' packages install.
inline std::shared_ptr<Device> pocl() {
    std::variant<std::unique_ptr<Device>, Absent> device = open_device("opencl:0");
    if (const Absent* absent = std::get_if<Absent>(&device)) throw std::runtime_error(absent->reason);
    return std::move(std::get<std::unique_ptr<Device>>(device));
}

/// How a made card behaves.
struct Behaviour {
    int lost_at_copy = -1;     ///< from this copy on every call says that the device is lost
    int short_from_copy = -1;  ///< this copy and all later ones end after a byte
    std::optional<std::size_t> changed_byte = {};  ///< is another one in the target of every copy
    bool pageable_blocks = false;                  ///< as CUDA: such a call returns when the copy is done
    bool peers_reach = true;
    bool one_after_another = false;  ///< of two queues let go together the second waits for the first
};

/// PoCL as a card: what it calls itself is the test's, calls are written down, and it misbehaves as told.
/// Cards of one PoCL can copy to each other.
class MadeCard final : public Accelerator {
  public:
    MadeCard(std::shared_ptr<Device> device, DeviceInfo info, Behaviour behaviour)
        : device_(std::move(device)),
          inner_(*device_->accelerator()),
          info_(std::move(info)),
          behaviour_(behaviour),
          queue_(*this, inner_.queue(), "") {}

    /// "hold", "mark", "write", "read", "copy", "open", "finish", each with the number of its queue; the
    /// queue that is there from the start writes nothing down.
    std::vector<std::string> calls() const { return calls_; }
    /// True when a call that blocks came while its queue was held: on a real card the end of the run.
    bool hung() const { return hung_; }

    const DeviceInfo& info() const override { return info_; }
    std::unique_ptr<DeviceMemory> allocate(std::size_t bytes, bool huge) override {
        return inner_.allocate(bytes, huge);
    }
    Kernel& kernel(std::string_view program, const std::string& function, const std::string& o) override {
        return inner_.kernel(program, function, o);
    }
    bool has_extension(std::string_view) const override { return false; }
    Queue& queue() override { return queue_; }
    std::unique_ptr<Queue> make_queue() override {
        return std::make_unique<OwningQueue>(*this, inner_.make_queue(), std::to_string(queues_++));
    }
    std::unique_ptr<DeviceMemory> allocate_host(std::size_t bytes, bool pinned) override {
        std::unique_ptr<DeviceMemory> memory = inner_.allocate_host(bytes, pinned);
        if (!pinned) pageable_.insert(memory->host_pointer());
        return memory;
    }
    std::uint64_t address(const DeviceMemory&) const override { return 0; }
    bool reach(Accelerator&) override { return behaviour_.peers_reach; }

  private:
    class MadeGate final : public Gate {
      public:
        MadeGate(MadeCard& card, std::unique_ptr<Gate> inner, std::string queue)
            : card_(card), inner_(std::move(inner)), queue_(std::move(queue)) {}
        ~MadeGate() override {
            card_.held_.erase(queue_);
            card_.waiting_.erase(queue_);
        }
        void open() override {
            card_.note("open", queue_);
            card_.held_.erase(queue_);
            // The first queue that is finished lets the next one go.
            if (card_.behaviour_.one_after_another && card_.running_)
                card_.waiting_[queue_] = inner_.get();
            else
                inner_->open();
            card_.running_ = true;
        }

      private:
        MadeCard& card_;
        std::unique_ptr<Gate> inner_;
        std::string queue_;
    };

    class MadeQueue : public Queue {
      public:
        MadeQueue(MadeCard& card, Queue& inner, std::string name)
            : card_(card), inner_(inner), name_(std::move(name)) {}
        void launch(Kernel& kernel, const Grid& grid, std::span<const KernelArgument> given) override {
            inner_.launch(kernel, grid, given);
        }
        void write(DeviceMemory& to, std::size_t offset, const void* from, std::size_t bytes) override {
            bytes = begin_copy("write", bytes);
            inner_.write(to, offset, from, bytes);
            change(to, offset, bytes);
            block_if_pageable(from);
        }
        void read(void* to, const DeviceMemory& from, std::size_t offset, std::size_t bytes) override {
            bytes = begin_copy("read", bytes);
            inner_.read(to, from, offset, bytes);
            const std::optional<std::size_t> at = card_.behaviour_.changed_byte;
            if (own() && at && *at >= offset && *at < offset + bytes)
                changed_ = static_cast<std::uint8_t*>(to) + (*at - offset);
            block_if_pageable(to);
        }
        void copy(DeviceMemory& to, std::size_t to_offset, const DeviceMemory& from, std::size_t offset,
                  std::size_t bytes) override {
            bytes = begin_copy("copy", bytes);
            inner_.copy(to, to_offset, from, offset, bytes);
            change(to, to_offset, bytes);
        }
        void fill(DeviceMemory& to, std::size_t offset, std::size_t bytes, std::uint8_t value) override {
            inner_.fill(to, offset, bytes, value);
        }
        std::unique_ptr<Mark> mark() override {
            card_.note("mark", name_);
            return inner_.mark();
        }
        std::unique_ptr<Gate> hold() override {
            card_.note("hold", name_);
            card_.held_.insert(name_);
            return std::make_unique<MadeGate>(card_, inner_.hold(), name_);
        }
        void finish() override {
            require_present();
            card_.note("finish", name_);
            inner_.finish();
            if (changed_ != nullptr) *changed_ ^= 0x10;
            changed_ = nullptr;
            if (!own()) return;
            card_.running_ = false;
            for (const auto& [queue, gate] : std::exchange(card_.waiting_, {})) gate->open();
        }
        double seconds_between(const Mark& begin, const Mark& end) override {
            return inner_.seconds_between(begin, end);
        }

      private:
        bool own() const { return !name_.empty(); }
        void require_present() const {
            if (card_.lost_) throw DeviceError("planted: the device is lost", true);
        }
        /// How much of it is to be copied. Filling and looking at memory is no copy of the probe's.
        std::size_t begin_copy(const std::string& kind, std::size_t bytes) {
            require_present();
            if (!own()) return bytes;
            card_.note(kind, name_);
            if (bytes <= 4096) return bytes;
            const int number = card_.copies_++;
            const Behaviour& behaviour = card_.behaviour_;
            if (behaviour.lost_at_copy >= 0 && number >= behaviour.lost_at_copy) card_.lost_ = true;
            require_present();
            return behaviour.short_from_copy < 0 || number < behaviour.short_from_copy ? bytes : 1;
        }
        void change(DeviceMemory& to, std::size_t offset, std::size_t bytes) {
            const std::optional<std::size_t> at = card_.behaviour_.changed_byte;
            if (!own() || !at || *at < offset || *at >= offset + bytes) return;
            // Of random bytes one in 256 is this one already; the tests' seeds have another there.
            inner_.fill(to, *at, 1, 0x3C);
        }
        void block_if_pageable(const void* host) {
            if (!own() || !card_.behaviour_.pageable_blocks || !card_.pageable_.contains(host)) return;
            if (card_.held_.contains(name_)) {
                card_.hung_ = true;
                throw DeviceError("planted: this call would never return");
            }
            inner_.finish();
        }
        MadeCard& card_;
        Queue& inner_;
        std::string name_;
        std::uint8_t* changed_ = nullptr;
    };
    struct QueueOwner {
        std::unique_ptr<Queue> owned;
    };
    class OwningQueue final : private QueueOwner, public MadeQueue {
      public:
        OwningQueue(MadeCard& card, std::unique_ptr<Queue> inner, std::string name)
            : QueueOwner{std::move(inner)}, MadeQueue(card, *owned, std::move(name)) {}
    };

    void note(const std::string& call, const std::string& queue) {
        if (queue.empty()) return;
        const std::lock_guard lock(mutex_);
        calls_.push_back(call + queue);
    }

    std::shared_ptr<Device> device_;
    Accelerator& inner_;
    DeviceInfo info_;
    Behaviour behaviour_;
    MadeQueue queue_;
    std::mutex mutex_;  ///< of what is written down; pageable copies both ways come from two threads
    std::vector<std::string> calls_;
    std::set<std::string> held_;
    std::map<std::string, Gate*> waiting_;
    std::set<const void*> pageable_;
    int queues_ = 0;
    std::atomic<int> copies_ = 0;
    std::atomic<bool> lost_ = false, hung_ = false, running_ = false;
};

}  // namespace assay::interconnect
